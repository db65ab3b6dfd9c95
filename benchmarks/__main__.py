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
    "benchmarks.train accuracy --data mnist-5k --recipe default --seeds 5",
    "benchmarks.compare --quick",
    "benchmarks.roofline --data mnist-5k",
    "benchmarks.options --data mnist-5k",
]
_LONGER = "fast:images_seen=180000,min_epochs=3"
_LARGER = "convnet:stem_stride=1,stem_padding=false,depths=1-2-2,pools=1-1-0"
ACCURACY = [
    "--data mnist --recipe default --seeds 3 --precision float32",
    "--data mnist --recipe fast --seeds 5 --precision float32",
    "--data mnist --recipe fast --seeds 5 --precision bfloat16",
    f"--data mnist --recipe {_LONGER} --seeds 5 --model {_LARGER} --precision float32",
    f"--data mnist --recipe {_LONGER} --seeds 5 --model {_LARGER} --precision float32 --tta none turn",
    "--data fashion-mnist --recipe quick --seeds 3 --precision float32",
    "--data fashion-mnist --recipe fast --seeds 3 --precision float32",
    "--data fashion-mnist --recipe best --seeds 1 --precision bfloat16",
    "--data fashion-mnist --recipe best --seeds 1 --precision bfloat16 --tta none turn",
    "--data cifar10 --recipe default --seeds 1 --precision float32",
    "--data cifar10 --recipe default --seeds 1 --precision float32 --tta none flip",
    "--data cifar10 --recipe default --seeds 1 --precision float32 --tta none flip-shift",
    "--data cifar10 --recipe best --seeds 1 --precision float32",
    "--data cifar10 --recipe best --seeds 1 --precision float32 --tta none flip-shift",
    "--data cifar10 --recipe quick --seeds 3 --precision float32",
    "--data cifar10 --recipe quick --seeds 3 --precision float32 --tta none flip",
]
"""What the recipes reach. A seed that is done is not run again for another kind of test-time augmentation."""
FULL = [
    *QUICK,
    # Error against time, beside the peers.
    f"benchmarks.compare --data mnist --ours fast {_LONGER}@{_LARGER} --peers mnist-example --seeds 5 --peer-seeds 1 "
    "--precision float32",
    "benchmarks.compare --data cifar10 --ours fast --peers airbench94 --seeds 3 --peer-seeds 1 --precision float32",
    "benchmarks.compare --data cifar10 --ours --peers airbench94 --seeds 1 --precision float32 --epochs 1",
    # What the recipes reach, and what each of their parts is worth.
    *(f"benchmarks.train accuracy {words}" for words in ACCURACY),
    "benchmarks.ablation --data mnist --recipe fast --seeds 3",
    "benchmarks.ablation --data cifar10 --recipe quick:images_seen=130000,min_epochs=3 --seeds 2",
    # Where the time goes.
    "benchmarks.train overhead --data mnist --recipe default",
    "benchmarks.roofline --data mnist --recipe fast --steps 32 --rounds 5",
    "benchmarks.roofline --data cifar10 --recipe default --steps 16 --rounds 2",
    "benchmarks.roofline --data cifar10 --recipe fast --steps 16 --rounds 2",
    "benchmarks.winograd --data cifar10 --recipe default --rounds 4",
    "benchmarks.winograd --data cifar10 --recipe fast --rounds 4",
    "benchmarks.side_by_side --data cifar10 --recipe fast --rounds 5",
    "benchmarks.fused --data mnist --recipe fast --rounds 20",
    "benchmarks.fused --data mnist --recipe best --rounds 6",
    "benchmarks.fused --data cifar10 --recipe fast --rounds 4",
    "benchmarks.options --data mnist --recipe fast --rounds 8",
    "benchmarks.options --data cifar10 --recipe fast --rounds 4",
    # The rest of the program.
    "benchmarks.folder",
    "benchmarks.page",
    "benchmarks.shipping",
    "benchmarks.tour",
    # The league, the longest of all, and the pictures, of what came before.
    "convoscope league --data mnist --out runs/league-mnist",
    "benchmarks.league runs/league-mnist",
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
