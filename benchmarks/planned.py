"""What a training of ours will cost: its FLOP, epoch by epoch, before it has run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch

from convoscope import ImageData, models
from convoscope.training.loop import side_at
from convoscope.training.recipe import Setting


def images_by_side(setting: Setting, images: int, epochs: int, side: tuple[int, int]) -> list[Counter[tuple[int, int]]]:
    """How many pictures of which height and width each epoch is trained on."""
    steps = max(1, round(images / setting.batch_for(images)))  # as `convoscope.data.batches.Batches` cuts them
    counts = [images // steps + (step < images % steps) for step in range(steps)]
    found = []
    for epoch in range(epochs):
        of_epoch: Counter[tuple[int, int]] = Counter()
        for step, count in enumerate(counts):
            of_epoch[side_at(setting, (epoch * steps + step) / (epochs * steps), side)] += count
        found.append(of_epoch)
    return found


def planned_flops(config: dict[str, Any], loaded: ImageData) -> list[float]:
    """Training FLOP up to the end of each epoch of the run with this ``run.json``."""
    setting = Setting.model_validate(config["setting"])
    channels, *side = loaded.shape
    with torch.device("meta"):
        model = models.build(setting.model, loaded.shape, len(loaded.classes))
    images = config["data"]["training_images"]
    totals, total = [], 0.0
    costs: dict[tuple[int, int], int] = {}
    for of_epoch in images_by_side(setting, images, config["epochs"], (side[0], side[1])):
        for size, count in of_epoch.items():
            if size not in costs:
                costs[size] = models.summary(model, (channels, *size)).train_flops_per_image
            total += count * costs[size]
        totals.append(total)
    return totals
