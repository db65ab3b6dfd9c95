"""How fast a folder of 60,000 PNG files of 32x32 is read, how fast it is opened again, and in how much memory.

The pictures are those of CIFAR-10 where it is at hand (``--data-dir`` or CONVOSCOPE_DATA), else noise laid over
gradients, which compresses alike. They are written to a temporary folder just before, so the disk's own speed is not
in the figures (the files are in the system's memory). Each reading happens in a process of its own, started afresh:
the seconds are those from the start of `cs.load` on; those with the start of Python and all imports stand beside.
Ends with an error when a target is missed: 4,000 images/s on 2 cores, 2 s, 2 GB.

    python -m benchmarks.folder
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

import convoscope as cs
from benchmarks.records import put, record
from convoscope.core.cores import usable_cores
from convoscope.core.errors import RequestError

COMMAND, CONDITIONS = "python -m benchmarks.folder", "files in the system's memory"
COUNT = 60_000
AGAIN = 5
TARGETS = {"images_per_second": 4000, "second_start_seconds": 2.0, "peak_memory_bytes": 2 << 30}

READ = """
import json, resource, sys, time
import convoscope as cs
start = time.perf_counter()
loaded = cs.load(sys.argv[1])
seconds = time.perf_counter() - start
own, child = (resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps([seconds, own, child, len(loaded.train) + len(loaded.test)]))
"""


def main() -> None:
    """Write the pictures, read them, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "pictures")
        data = write(folder, given.data_dir)
        environment = os.environ | {"CONVOSCOPE_CACHE": str(Path(place, "cache"))}
        first = read(folder, environment)
        again = [read(folder, environment) for _ in range(AGAIN)]
    seconds = median(each["seconds"] for each in again)
    records = [
        record(
            "folder, first read",
            data,
            COMMAND,
            conditions=CONDITIONS,
            seconds=first["seconds"],
            images_per_second=round(COUNT / first["seconds"]),
            peak_memory_bytes=first["peak"],
        ),
        record(
            "folder, second start",
            data,
            COMMAND,
            conditions=CONDITIONS,
            seconds=seconds,
            seconds_with_imports=median(each["whole"] for each in again),
            trials=AGAIN,
            peak_memory_bytes=max(each["peak"] for each in again),
        ),
    ]
    for made in records:
        put("folder", made)
    rate, peak = records[0]["images_per_second"], max(one["peak_memory_bytes"] for one in records)
    print(f"{rate:,} images/s; opened again in {seconds:.2f} s; at most {peak / 2**30:.2f} GB")
    missed = [
        rate < TARGETS["images_per_second"],
        seconds > TARGETS["second_start_seconds"],
        peak > TARGETS["peak_memory_bytes"],
    ]
    if any(missed):
        sys.exit(f"missed a target of {TARGETS}")


def write(folder: Path, data_dir: Path | None) -> str:
    """Write the PNG files into ten class folders; says what they show."""
    for label in range(10):
        (folder / f"class {label}").mkdir(parents=True)
    try:
        loaded = cs.load("cifar10", data_dir=data_dir)
        pictures: Iterator[Any] = (image for part in (loaded.train, loaded.test) for image in part.images)
        labels = np.concatenate([loaded.train.labels, loaded.test.labels])
        name = "CIFAR-10 as 60,000 PNG of 32x32"
    except RequestError:
        pictures = synthetic()
        labels = np.arange(COUNT) % 10
        name = "60,000 synthetic PNG of 32x32"
    for number, (image, label) in enumerate(zip(pictures, labels, strict=True)):
        pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
        Image.fromarray(pixels).save(folder / f"class {label}" / f"{number:05}.png")
    return name


def synthetic() -> Iterator[np.ndarray]:
    """Gradients under noise, (3, 32, 32) uint8."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:32, 0:32]
    for _ in range(COUNT):
        slope = rng.uniform(-3, 3, (3, 2))
        ramp = 128 + slope[:, :1, None] * (rows - 16) + slope[:, 1:, None] * (columns - 16)
        yield np.clip(ramp + rng.normal(0, 12, (3, 32, 32)), 0, 255).astype(np.uint8)


def read(folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Read `folder` in a fresh process: seconds, seconds with its start, and peak memory of it and its decoders."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder)], env=environment, capture_output=True, text=True, check=True
    )
    whole = time.perf_counter() - start
    seconds, own, child, count = json.loads(done.stdout)
    assert count == COUNT
    return {"seconds": round(seconds, 3), "whole": round(whole, 3), "peak": own + usable_cores() * child}


if __name__ == "__main__":
    main()
