"""Trainings that several notebooks of the lesson need, each done once; and the data of its chapter on colour."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from convoscope.core.messages import say
from convoscope.data import ImageData, load, registry
from convoscope.data.augment import Augmentation, Augmenter
from convoscope.data.sources import on_disk
from convoscope.runs import Run
from convoscope.training import train


def trained(
    data: str | ImageData, model: str | None = None, recipe: str = "default", *, epochs: int, seed: int = 0
) -> Run:
    """What `convoscope.train` gives for the same arguments; a training that is done already is only opened.

    The run lies in ``runs/``, under a name that the arguments decide; one that was interrupted goes on.

    Args:
        data: the name of a data set, or a data set.
        model: a network; the recipe's own if not given.
        recipe: a recipe.
        epochs: how many.
        seed: decides everything random.

    Raises:
        RequestError: as for `convoscope.train`.
    """
    known = (data, data) if isinstance(data, str) else (data.name, data.fingerprint)
    asked = repr((known[1], model, recipe, epochs, seed))
    words = [known[0], *(spec.partition(":")[0] for spec in (model, recipe) if spec)]
    folder = Path("runs") / "-".join([*words, hashlib.sha256(asked.encode()).hexdigest()[:6]])
    if (folder / "run.json").is_file():
        return train(resume=folder)
    return train(data, model, recipe, epochs=epochs, seed=seed, out=folder)


def colour_data() -> ImageData:
    """CIFAR-10 where it lies on this machine; else `colour-digits`, and a sentence that says so."""
    if on_disk(registry.get("cifar10"), None) is not None:
        return load("cifar10")
    print(say("notebooks.no_cifar10"))
    return load("colour-digits")


def augmented(image: NDArray[np.uint8], count: int = 16, *, seed: int = 0, **amounts: float | str) -> NDArray[np.uint8]:
    """One picture as training with augmentation would meet it, time after time.

    Args:
        image: (C, H, W) uint8.
        count: how many times.
        seed: decides what is drawn.
        **amounts: values of a recipe's augmentation: ``rotate=12``, ``shift=0.07``, ``flip="random"``.

    Returns:
        (count, C, H, W) uint8.

    Raises:
        ValidationError: there is no such value, or it is out of its range.
    """
    augment = Augmenter(Augmentation.model_validate(amounts), mirrored="flip" in amounts)
    batch = torch.from_numpy(np.repeat(image[None], count, axis=0)).float()
    changed = augment(batch, torch.Generator().manual_seed(seed))
    pixels: NDArray[np.uint8] = changed.round().clamp(0, 255).to(torch.uint8).numpy()
    return pixels
