"""What Winograd's convolution is worth on this machine: a recipe's training steps with it and without, side by side.

In turns in one process, on full-size pictures: whole steps (forward, backward, optimizer), and each layer that is
trained by it alone, beside PyTorch's convolution of the same numbers.

    python -m benchmarks.winograd --data cifar10 --recipe default
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.options import Steps
from benchmarks.records import put, record
from convoscope.models import layers
from convoscope.training.processes import keep_freed_memory
from convoscope.training.winograd import WinogradConv2d, winograd


def main() -> None:
    """Measure, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--rounds", type=int, default=8)
    asked = parser.parse_args()
    keep_freed_memory()
    steps = Steps(asked.data, asked.recipe)
    figures = whole(steps, asked.rounds)
    print(
        f"a step: {figures['seconds_usual']:.3f} s, by Winograd {figures['seconds']:.3f} s, {figures['gain']:.2f} times"
    )
    figures["layers"] = each_layer(steps, asked.rounds)
    for line in figures["layers"]:
        milliseconds = f"{line['usual']:8.1f} ms {line['winograd']:8.1f} ms"
        print(f"  {line['name']:<8} {line['shape']:<18} {milliseconds} {line['gain']:6.2f}")
    command = f"python -m benchmarks.winograd --data {asked.data} --recipe {asked.recipe} --rounds {asked.rounds}"
    threads = torch.get_num_threads()
    put(
        "winograd",
        record(f"recipe {asked.recipe}", asked.data, command, threads=threads, trials=asked.rounds, **figures),
    )


def whole(steps: Steps, rounds: int) -> dict[str, Any]:
    """Seconds of a step, usual and by Winograd's algorithm."""

    def fast() -> float:
        with winograd(steps.network):
            return steps.seconds()

    return gain(rounds, steps.seconds, fast)


def gain(rounds: int, usual: Callable[[], float], ours: Callable[[], float]) -> dict[str, float]:
    """The median seconds of both, in turns, and how many times as fast ours is."""
    before, after = in_turns(rounds, usual, ours)
    return {"seconds_usual": round(before, 4), "seconds": round(after, 4), "gain": round(before / after, 3)}


def each_layer(steps: Steps, rounds: int) -> list[dict[str, Any]]:
    """Milliseconds of each layer that is trained by it, forward and backward, on a batch."""
    shape = tuple(steps.images.shape[1:])
    inputs = {layer.name: layer.input_shape for layer in layers(steps.network, shape)}
    with winograd(steps.network):
        found = {name: each for name, each in steps.network.named_modules() if isinstance(each, WinogradConv2d)}
    lines = []
    for name, layer in found.items():
        maps = torch.randn(len(steps.images), *inputs[name]).contiguous(memory_format=torch.channels_last)
        gradient = torch.randn_like(layer(maps))
        work = _work(layer, maps.requires_grad_(), gradient)
        usual, ours = in_turns(rounds, work, partial(_within, layer, work))
        line = {"name": name, "shape": f"{'x'.join(map(str, inputs[name]))} > {layer.out_channels}"}
        lines.append(
            line | {"usual": round(usual * 1e3, 2), "winograd": round(ours * 1e3, 2), "gain": round(usual / ours, 3)}
        )
    return lines


def in_turns(rounds: int, *contenders: Callable[[], float]) -> list[float]:
    """The median seconds of each; the first turn warms up."""
    turns = [[contender() for contender in contenders] for _ in range(rounds + 1)][1:]
    return [median(times) for times in zip(*turns, strict=True)]


def _work(layer: nn.Conv2d, maps: Tensor, gradient: Tensor) -> Callable[[], float]:
    def work() -> float:
        begun = time.perf_counter()
        torch.autograd.grad(layer(maps), [maps, layer.weight], gradient)
        return time.perf_counter() - begun

    return work


def _within(layer: nn.Module, work: Callable[[], float]) -> float:
    with winograd(layer):
        return work()


if __name__ == "__main__":
    main()
