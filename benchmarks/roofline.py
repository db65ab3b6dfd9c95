"""How close a training comes to what its convolutions alone would take, and where the rest of the time goes.

In one process, round by round: a bare loop over the network's convolutions by PyTorch, forward and backward, each
alone; the library's own training with its data, augmentation and validation; and training steps taken apart layer by
layer. The training is shortened to a few steps of its recipe, with all of its resolutions, and the other two are
weighed by the pictures of each. Every figure is a median over the rounds; the first round warms up.

    python -m benchmarks.roofline --data mnist --steps 96
    python -m benchmarks.roofline --data cifar10 --recipe default
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

import convoscope as cs
from benchmarks.layer_times import CONVOLUTIONS, BareConvolutions, Times, kind_of, timed_step
from benchmarks.planned import costs_of, images_by_side
from benchmarks.records import put, record
from convoscope import models
from convoscope.data.batches import Batches, Scaling, inputs_from
from convoscope.data.types import ImageData, Images
from convoscope.models.whitening import fit_whitening
from convoscope.runs.evaluation import evaluating, predict_logits
from convoscope.training.fused import fused
from convoscope.training.optimizers import make_optimizer, set_rate
from convoscope.training.processes import keep_freed_memory
from convoscope.training.recipe import Setting, setting_from
from convoscope.training.winograd import winograd
from convoscope.training.worker import split

TARGET = 0.85
CPU = torch.device("cpu")
Side = tuple[int, int]


def main() -> None:
    """Measure, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist-5k")
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--model", help="another network than the recipe's")
    parser.add_argument("--steps", type=int, default=32, help="of each shortened training")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    keep_freed_memory()  # before the first large block, as in a training
    made = measure(asked.data, asked.recipe, asked.model, asked.steps, asked.rounds)
    put("roofline", made)
    print(
        f"{made['data']}, {made['model']}: convolutions alone {made['gflops_convolutions']:.1f} GFLOP/s, training "
        f"{made['gflops_training']:.1f}, {made['ratio']:.1%} of it ({TARGET:.0%} aimed at)"
    )
    for part in made["parts"]:
        print(f"  {part['kind']:<14} {part['milliseconds']:8.1f} ms for 1,000 pictures  {part['share']:6.1%}")


def measure(data: str, recipe: str, model: str | None, steps: int, rounds: int) -> dict[str, Any]:
    """The record of one network."""
    loaded = cs.load(data)
    spec, setting = setting_from(recipe, loaded.shape[0])
    setting = setting.model_copy(update={"model": model or setting.model})
    subject = Subject(shortened(loaded, setting, steps), setting)
    training: list[tuple[float, float]] = []
    bare: dict[Side, list[float]] = {side: [] for side in subject.mix}
    with tempfile.TemporaryDirectory() as place:
        for number in range(rounds + 1):
            for side in subject.mix:
                bare[side].append(subject.bare(side))
            with (  # as in the whole training: for these few steps alone neither would be worthwhile
                patch("convoscope.training.fused.WORTHWHILE", 0),
                patch("convoscope.training.winograd.LEAST_FLOP", 0),
            ):
                run = cs.train(
                    subject.loaded,
                    model=model,
                    recipe=recipe,
                    epochs=1,
                    seed=0,
                    precision="float32",  # as the bare loop
                    out=Path(place) / str(number),
                    checkpoint_seconds=1e9,
                )
            keep_freed_memory()  # it gave all of it back at its end
            assert run.metrics is not None
            training.append((run.metrics["seconds"], run.metrics["train_flops"]))
            subject.take_apart()
            if number == 0:  # it warmed up
                training.clear()
                subject.forget()
                bare = {side: [] for side in subject.mix}
    seconds, flops = median(one for one, _ in training), training[0][1]
    seconds_bare = sum(share * median(bare[side]) for side, share in subject.passes.items())
    flops_bare = sum(count * subject.convolution_flops(side) for side, count in subject.mix.items())
    layers, parts = subject.breakdown(seconds)
    command = f"python -m benchmarks.roofline --data {data} --recipe {recipe}"
    return record(
        f"recipe {spec}" + (f", model {model}" if model else ""),
        data,
        f"{command}{f' --model {model}' if model else ''} --steps {steps} --rounds {rounds}",
        model=setting.model,
        batch_size=subject.batches.steps and len(subject.rows) // subject.batches.steps,
        pictures_by_side={f"{height}x{width}": count for (height, width), count in subject.mix.items()},
        threads=torch.get_num_threads(),
        trials=rounds,
        gflops_convolutions=round(flops_bare / seconds_bare / 1e9, 2),
        gflops_training=round(flops / seconds / 1e9, 2),
        ratio=round(flops / seconds / (flops_bare / seconds_bare), 4),
        seconds_convolutions=round(seconds_bare, 4),
        seconds_training=round(seconds, 4),
        train_flops=flops,
        layers=layers,
        parts=parts,
    )


def shortened(loaded: ImageData, setting: Setting, steps: int) -> ImageData:
    """As many training pictures as `steps` full batches and their validation set need, and a few to test with."""
    needed = round(setting.batch_size * max(steps, 16) / (1 - setting.validation)) + 1
    rows = np.arange(min(needed, len(loaded.train)))
    few = np.arange(min(100, len(loaded.test)))
    return ImageData(
        loaded.name,
        Images(loaded.train.images[rows], loaded.train.labels[rows]),
        Images(loaded.test.images[few], loaded.test.labels[few]),
        loaded.classes,
        loaded.mirrored,
        loaded.source,
        loaded.licence,
        loaded.fingerprint,
    )


class Subject:
    """A network with its data, as a training has them, to be measured piece by piece.

    Attributes:
        mix: how many training pictures of each height and width an epoch has.
        passes: the same in batches.
    """

    def __init__(self, loaded: ImageData, setting: Setting) -> None:
        self.loaded, self.setting = loaded, setting
        self.rows, self.validation = split(loaded, setting, 0)
        self.scaling = Scaling.of(loaded.train.images, self.rows)
        self.batches = Batches(
            loaded.train.images,
            loaded.train.labels,
            self.rows,
            batch_size=setting.batch_for(len(self.rows)),
            scaling=self.scaling,
            augmentation=setting.augmentation,
            mirrored=loaded.mirrored,
            seed=0,
        )
        torch.manual_seed(0)
        model = models.build(setting.model, loaded.shape, len(loaded.classes))
        assert isinstance(model, nn.Sequential), "the layers of this network are not in a line"
        self.side: Side = (loaded.shape[1], loaded.shape[2])
        fit_whitening(model, [inputs_from(loaded.train.images[self.rows[:5000]], self.scaling, self.side, CPU)])
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = make_optimizer(setting, self.model)
        set_rate(self.optimizer, 0.1)
        self.mix: Counter[Side] = images_by_side(setting, len(self.rows), 1, self.side, costs_of(setting, loaded))[0]
        self.passes = {side: count * self.batches.steps / len(self.rows) for side, count in self.mix.items()}
        self.times: dict[Side, Times] = {side: Times() for side in self.mix}
        self.validating = Times()

    def bare(self, side: Side, passes: int = 3) -> float:
        """Seconds of a pass through the convolutions alone, over a batch of pictures of this size."""
        convolutions = BareConvolutions(self.model, self.batches.batch(0, 0, side)[0])
        convolutions.seconds()
        return median(convolutions.seconds() for _ in range(passes))

    def take_apart(self) -> None:
        """Two steps of each size, layer by layer, after one that warms up, and a validation."""
        smoothing = self.setting.label_smoothing
        for side, kept in self.times.items():
            for at, times in enumerate((Times(), kept, kept)):
                with times.measure("augmentation", "batch"):
                    images, labels, _ = self.batches.batch(0, at % self.batches.steps, side)
                self.model.train()
                with winograd(self.model), fused(self.model):  # as in the training
                    timed_step(self.model, self.optimizer, images, labels, smoothing, times)
        if len(self.validation):
            pictures = self.loaded.train.images[self.validation]
            with evaluating(self.model), self.validating.measure("validation", "forward"):
                predict_logits(self.model, pictures, self.scaling, self.side, CPU)

    def forget(self) -> None:
        """Drop what was measured so far."""
        for times in [*self.times.values(), self.validating]:
            times.forget()

    def convolution_flops(self, side: Side) -> int:
        """Training FLOP of the convolutions, for a picture of this size."""
        convolutions = {name for name, each in self.model.named_modules() if isinstance(each, CONVOLUTIONS)}
        return sum(each.train_flops for each in self._layers(side) if each.name in convolutions)

    def _layers(self, side: Side) -> list[models.Layer]:
        return models.layers(self.model, (self.loaded.shape[0], *side))

    def breakdown(self, seconds: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Milliseconds for 1,000 training pictures: of each layer, and of each kind of work with what is left.

        Args:
            seconds: of the whole training over `mix`.
        """
        scale = 1e6 / len(self.rows)

        def spent(name: str, direction: str) -> float:
            return scale * sum(share * self.times[side].seconds(name, direction) for side, share in self.passes.items())

        layers, kinds = [], Counter[str]()
        for name, layer in self.model.named_children():
            forward, backward = spent(name, "forward"), spent(name, "backward")
            flops = self._flops(name)
            line: dict[str, Any] = {"name": name, "kind": kind_of(layer)}
            line |= {"forward": round(forward, 3), "backward": round(backward, 3)}
            if flops:
                line["gflops"] = round(flops / (forward + backward) / 1000, 1)
            layers.append(line)
            kinds[line["kind"]] += forward + backward  # type: ignore[assignment]
        around = {
            "loss": spent("loss", "forward") + spent("loss", "backward"),
            "optimizer": spent("optimizer", "step"),
            "augmentation": spent("augmentation", "batch"),
            "validation": scale * self.validating.seconds("validation", "forward"),
        }
        found: dict[str, float] = {**kinds, **around}
        whole = scale * seconds
        found["rest"] = whole - sum(found.values())
        parts = [
            {"kind": kind, "milliseconds": round(each, 2), "share": round(each / whole, 4)}
            for kind, each in found.items()
        ]
        return layers, parts

    def _flops(self, name: str) -> float:
        """Training FLOP of a layer, a picture, on the average over the sizes."""
        total = sum(
            count * layer.train_flops
            for side, count in self.mix.items()
            for layer in self._layers(side)
            if layer.name == name or layer.name.startswith(f"{name}.")
        )
        return total / len(self.rows)


if __name__ == "__main__":
    main()
