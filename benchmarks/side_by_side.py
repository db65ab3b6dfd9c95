"""What it is worth to lay small maps side by side for their kernels' gradients, in bfloat16 on this machine.

A recipe's training steps (forward, backward, optimizer) with it and without, in turns in one process, for pictures of
each size that the recipe trains on.

    python -m benchmarks.side_by_side --data cifar10 --recipe fast
"""

from __future__ import annotations

import argparse

import torch

from benchmarks.options import Steps
from benchmarks.records import put, record
from benchmarks.winograd import gain
from convoscope.training.processes import keep_freed_memory
from convoscope.training.side_by_side import side_by_side


def main() -> None:
    """Measure, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    keep_freed_memory()
    steps = Steps(asked.data, asked.recipe)
    command = f"python -m benchmarks.side_by_side --data {asked.data} --recipe {asked.recipe} --rounds {asked.rounds}"
    about = {"threads": torch.get_num_threads(), "precision": "bfloat16", "trials": asked.rounds}
    for size in sorted(steps.subject.times):
        figures = at_size(steps, size, asked.rounds)
        name = f"recipe {asked.recipe}, {'x'.join(map(str, size))}"
        put("side_by_side", record(name, asked.data, command, **about, **figures))
        usual, ours = (f"{figures[key]:.3f} s" for key in ("seconds_usual", "seconds"))
        print(f"  {name}: {usual}, side by side {ours}, {figures['gain']:.2f} times as fast")


def at_size(steps: Steps, size: tuple[int, int], rounds: int) -> dict[str, float]:
    """Seconds of a step on pictures of a size, usual and with maps side by side."""
    steps.images, steps.labels, _ = steps.subject.batches.batch(0, 0, size)

    def usual() -> float:
        with torch.autocast("cpu", torch.bfloat16):
            return steps.seconds()

    def ours() -> float:
        with side_by_side(steps.network):
            return usual()

    return gain(rounds, usual, ours)


if __name__ == "__main__":
    main()
