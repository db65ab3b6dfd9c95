"""How long each view of a run takes, and filter health over 10,000 pictures.

    python -m benchmarks.inspection RUN [--data-dir DIR]

RUN is a run of the default network on MNIST: ``convoscope train --data mnist --out RUN``. Each view is asked for three
times, each time of the run anew, and the median is recorded: reading the data and the weights is part of it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

from benchmarks.records import put, record
from convoscope import Run
from convoscope.runs.views import registry

TRIALS = 3
TARGET, TARGET_HEALTH = 5.0, 60.0  # seconds


def main() -> None:
    """Measure every view of the run that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data-dir", type=Path)
    asked = parser.parse_args()
    first = Run(asked.run)
    data = str(first.config["data"]["name"])
    missed = []
    for name in registry:
        view = f"{name}:before={asked.run.absolute().name}" if name == "compare" else name
        trials = 1 if name == "filter-health" else TRIALS
        times = [_seconds(asked.run, view, asked.data_dir) for _ in range(trials)]
        seconds = median(times)
        limit = TARGET_HEALTH if name == "filter-health" else TARGET
        print(f"{name:26} {seconds:7.2f} s  (target {limit:.0f} s)", flush=True)
        if seconds > limit:
            missed.append(name)
        command = "python -m benchmarks.inspection RUN"
        figures = {"seconds": seconds, "trials": trials, "target_seconds": limit, "model": first.config["model"]}
        put("inspection", record(f"view {name}", data, command, **figures))
    if missed:
        raise SystemExit(f"slower than their target: {', '.join(missed)}")


def _seconds(path: Path, view: str, data_dir: Path | None) -> float:
    started = time.perf_counter()
    Run(path).show(view, data_dir=data_dir)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
