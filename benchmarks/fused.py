"""What it is worth to join pooling, normalisation and activation, in training steps on this machine.

A recipe's training steps (forward, backward, optimizer) with it and without, in turns in one process, in float32 and,
where the machine multiplies in it, in bfloat16.

    python -m benchmarks.fused --data mnist --recipe best
"""

from __future__ import annotations

import argparse

import torch

from benchmarks.options import Steps
from benchmarks.records import put, record
from benchmarks.winograd import gain
from convoscope.training.fused import fused
from convoscope.training.processes import keep_freed_memory, precision_for


def main() -> None:
    """Measure, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--rounds", type=int, default=20)
    asked = parser.parse_args()
    keep_freed_memory()
    steps = Steps(asked.data, asked.recipe)
    command = f"python -m benchmarks.fused --data {asked.data} --recipe {asked.recipe} --rounds {asked.rounds}"
    for precision in sorted({precision_for("auto"), "float32"}):
        figures = at_precision(steps, precision, asked.rounds)
        about = {"threads": torch.get_num_threads(), "precision": precision, "trials": asked.rounds}
        name = f"recipe {asked.recipe}, {precision}"
        put("fused", record(name, asked.data, command, **about, **figures))
        usual, ours = (f"{figures[key] * 1000:.1f} ms" for key in ("seconds_usual", "seconds"))
        print(f"  {name}: {usual}, joined {ours}, {figures['gain']:.2f} times as fast")


def at_precision(steps: Steps, precision: str, rounds: int) -> dict[str, float]:
    """Seconds of a step, layer by layer and with those layers joined."""

    def usual() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            return steps.seconds()

    def ours() -> float:
        with fused(steps.network):
            return usual()

    return gain(rounds, usual, ours)


if __name__ == "__main__":
    main()
