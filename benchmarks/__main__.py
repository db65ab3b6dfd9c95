"""Run the benchmarks one after the other, in minutes or in full, and put their figures into the READMEs.

python -m benchmarks --quick
python -m benchmarks
"""

from __future__ import annotations

import subprocess
import sys

QUICK = [
    "benchmarks.train start",
    "benchmarks.convolve",
    "benchmarks.train overhead --data mnist-5k",
    "benchmarks.train accuracy --data mnist-5k --seeds 5",
    "benchmarks.compare --quick",
    "benchmarks.roofline --data mnist-5k",
    "benchmarks.options --data mnist-5k",
]
FULL = [
    *QUICK,
    "benchmarks.page",
    "benchmarks.shipping",
    "benchmarks.folder",
    "benchmarks.train overhead --data mnist",
    "benchmarks.train overhead --data cifar10",
    "benchmarks.train accuracy --data mnist --seeds 3",
    "benchmarks.train accuracy --data cifar10 --seeds 1 --tta none flip",
    "benchmarks.roofline --data mnist --steps 96",
    "benchmarks.roofline --data cifar10",
    "benchmarks.winograd",
    "benchmarks.side_by_side",
    "benchmarks.fused --data mnist --recipe fast",
    "benchmarks.fused --data mnist --recipe best",
    "benchmarks.fused --data cifar10 --recipe fast",
    "benchmarks.ablation --data mnist --recipe fast --seeds 3",
    "benchmarks.ablation --data cifar10 --recipe quick:images_seen=130000,min_epochs=3 --seeds 2",
    "benchmarks.options --data mnist",
    "benchmarks.options --data cifar10 --rounds 4",
    "benchmarks.compare --data mnist --seeds 3",
    "benchmarks.compare --data cifar10",
    "benchmarks.tour",
    "benchmarks.figures",
]


def main() -> None:
    """Run them; one that misses its target does not keep the others from running."""
    for line in [*(QUICK if "--quick" in sys.argv[1:] else FULL), "benchmarks.tables"]:
        print(f"python -m {line}", flush=True)
        if subprocess.run([sys.executable, "-m", *line.split()], check=False).returncode:
            print("  did not reach its end or its target", flush=True)


if __name__ == "__main__":
    main()
