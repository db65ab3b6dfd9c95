"""What a training step gains or loses by memory format, by threads, and by `torch.compile`.

Bare steps (forward, backward, optimizer) of the recipe's network on full-size pictures, in turns in one process;
compiling in a process of its own, which may fail or take too long: then the record says so. Besides the seconds of a
step it tells how many steps must follow before compiling has paid for itself.

    python -m benchmarks.options --data mnist
    python -m benchmarks.options --data cifar10 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.records import put, record
from benchmarks.roofline import Subject, shortened
from convoscope.core.cores import usable_cores
from convoscope.data import load
from convoscope.training.processes import keep_freed_memory
from convoscope.training.recipe import setting_from

PATIENCE = 600
"""Seconds that compiling may take."""


def main() -> None:
    """Measure, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist-5k")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--compile-only", action="store_true", help="print what compiling takes, as JSON")
    asked = parser.parse_args()
    keep_freed_memory()
    if asked.compile_only:
        print(json.dumps(compiled(asked.data, asked.recipe, asked.rounds)))
        return
    figures = {**eager(asked.data, asked.recipe, asked.rounds), **apart(asked.data, asked.recipe, asked.rounds)}
    command = f"python -m benchmarks.options --data {asked.data} --recipe {asked.recipe} --rounds {asked.rounds}"
    put("options", record(f"a step, recipe {asked.recipe}", asked.data, command, trials=asked.rounds, **figures))
    for name, figure in figures.items():
        print(f"  {name}: {figure}")


class Steps:
    """Training steps of a recipe's network on one full-size batch."""

    def __init__(self, data: str, recipe: str) -> None:
        loaded = load(data)
        setting = setting_from(recipe, loaded.shape[0])[1]
        self.subject = Subject(shortened(loaded, setting, 16), setting)
        self.network: nn.Module = self.subject.model
        self.images, self.labels, _ = self.subject.batches.batch(0, 0, self.subject.side)

    def seconds(self) -> float:
        """Seconds of one."""
        begun = time.perf_counter()
        self.network.train()
        F.cross_entropy(
            self.network(self.images), self.labels, label_smoothing=self.subject.setting.label_smoothing
        ).backward()  # type: ignore[no-untyped-call]
        self.subject.optimizer.step()
        self.subject.optimizer.zero_grad()
        return time.perf_counter() - begun


def eager(data: str, recipe: str, rounds: int) -> dict[str, Any]:
    """Seconds of a step: channels last, contiguous, and with each number of threads."""
    usual, contiguous = Steps(data, recipe), Steps(data, recipe)
    contiguous.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    contiguous.images = contiguous.images.contiguous()
    threads = torch.get_num_threads()
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        taken = {"seconds": usual.seconds(), "seconds_contiguous": contiguous.seconds()}
        for count in {1, usable_cores()} - {threads}:
            torch.set_num_threads(count)
            taken[f"seconds_threads_{count}"] = usual.seconds()
            torch.set_num_threads(threads)
        if number:  # the first warms up
            for name, seconds in taken.items():
                found[name].append(seconds)
    return {"threads": threads, **{name: round(median(seconds), 5) for name, seconds in found.items()}}


def compiled(data: str, recipe: str, rounds: int) -> dict[str, Any]:
    """Seconds of compiling (of the first step with it, less a usual one) and of a step after it, beside a usual one."""
    usual, other = Steps(data, recipe), Steps(data, recipe)
    usual.seconds()
    other.network = torch.compile(other.network)  # type: ignore[assignment]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it advises its own developers
        first = other.seconds()
        pairs = [(usual.seconds(), other.seconds()) for _ in range(rounds)]
    eager_step, step = median(one for one, _ in pairs), median(one for _, one in pairs)
    figures: dict[str, Any] = {
        "seconds_compiling": round(first - step, 2),
        "seconds_compiled": round(step, 5),
        "seconds_beside_compiled": round(eager_step, 5),
    }
    if step < eager_step:
        figures["steps_to_pay"] = round((first - step) / (eager_step - step))
    return figures


def apart(data: str, recipe: str, rounds: int) -> dict[str, Any]:
    """`compiled` in a process of its own, or why there are no such figures."""
    words = ["--compile-only", "--data", data, "--recipe", recipe, "--rounds", str(rounds)]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.options", *words],
            env=os.environ | {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"},  # what a first training would wait for
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"compile_failed": f"not done after {PATIENCE} s"}
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"compile_failed": lines[-1] if lines else f"exit code {done.returncode}"}
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
