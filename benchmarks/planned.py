"""What a training of ours will cost: its FLOP, epoch by epoch, before it has run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from convoscope import ImageData, models
from convoscope.training import team
from convoscope.training.clock import Clock
from convoscope.training.recipe import Setting
from convoscope.training.winograd import flops_of_step, pays, saves_time, suits

Side = tuple[int, int]


def costs_of(setting: Setting, loaded: ImageData) -> Callable[[Side], float]:
    """Training FLOP of a picture of `loaded` at any height and width, by the network of `setting`."""
    with torch.device("meta"):
        model = models.build(setting.model, loaded.shape, len(loaded.classes))
    return cache(lambda side: float(models.summary(model, (loaded.shape[0], *side)).train_flops_per_image))


def images_by_side(
    setting: Setting, images: int, epochs: int, side: Side, cost: Callable[[Side], float]
) -> list[Counter[Side]]:
    """How many pictures of which height and width each epoch is trained on."""
    steps = max(1, round(images / setting.batch_for(images)))  # as `convoscope.data.batches.Batches` cuts them
    counts = [images // steps + (step < images % steps) for step in range(steps)]
    clock = Clock(epochs * steps, setting.resolutions, side, cost)
    found = []
    for epoch in range(epochs):
        of_epoch: Counter[Side] = Counter()
        for step, count in enumerate(counts):
            of_epoch[clock.side(epoch * steps + step)] += count
        found.append(of_epoch)
    return found


def planned_flops(config: dict[str, Any], loaded: ImageData) -> list[float]:
    """Training FLOP up to the end of each epoch of the run with this ``run.json``."""
    setting = Setting.model_validate(config["setting"])
    cost = costs_of(setting, loaded)
    totals, total = [], 0.0
    for of_epoch in images_by_side(
        setting, config["data"]["training_images"], config["epochs"], loaded.shape[1:], cost
    ):
        total += sum(count * cost(size) for size, count in of_epoch.items())
        totals.append(total)
    return totals


def share_computed(config: dict[str, Any], loaded: ImageData) -> float:
    """The share of the planned FLOP that is left where Winograd's algorithm computes what it can."""
    setting = Setting.model_validate(config["setting"])
    with torch.device("meta"):
        model = models.build(setting.model, loaded.shape, len(loaded.classes))
    images, epochs, side = config["data"]["training_images"], config["epochs"], loaded.shape[1:]
    taken = team.available() and saves_time(model, loaded.shape, images * epochs)
    suited = {name for name, module in model.named_modules() if taken and suits(module)}
    batch = setting.batch_for(images)
    cost = costs_of(setting, loaded)

    @cache
    def computed(side: Side) -> float:
        layers = models.layers(model, (loaded.shape[0], *side))
        return sum(_computed(layer, batch) if layer.name in suited else layer.train_flops for layer in layers)

    mix = sum(images_by_side(setting, images, epochs, side, cost), Counter[Side]())
    return sum(n * computed(size) for size, n in mix.items()) / sum(n * cost(size) for size, n in mix.items())


def _computed(layer: models.Layer, batch: int) -> float:
    channels, *size = layer.input_shape
    filters = layer.output_shape[0]
    return flops_of_step(channels, filters, *size) if pays(batch, channels, filters, *size) else layer.train_flops
