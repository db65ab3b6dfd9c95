"""A sheet of pictures as they are, and as a transformer or a recipe's augmentation changes them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from convoscope.core.errors import RequestError
from convoscope.core.spec import parse_spec
from convoscope.data.types import Pixels
from convoscope.models.parameters import Limits, check

if TYPE_CHECKING:
    from convoscope.data import Images

_MOST = 10  # classes shown
_SIDE = 64  # of a picture on the sheet, about
_GAP = 4


def _deskew(images: Pixels, seed: int) -> Pixels:
    from convoscope.data.deskew import Deskew

    return Deskew().transform(images)


def _jitter(images: Pixels, seed: int, *, pixels: Annotated[int, Limits(1, 64)] = 2) -> Pixels:
    from convoscope.data.jitter import Jitter

    return Jitter(pixels, random_state=seed).transform(images)


def _elastic(
    images: Pixels,
    seed: int,
    *,
    alpha: Annotated[float, Limits(0, 1000)] = 34.0,
    sigma: Annotated[float, Limits(0.1, 100)] = 4.0,
) -> Pixels:
    from convoscope.data.elastic import Elastic

    return Elastic(alpha, sigma, random_state=seed).transform(images)


_TRANSFORMERS: dict[str, Callable[..., Any]] = {"deskew": _deskew, "elastic": _elastic, "jitter": _jitter}


def change_named(asked: str, channels: int, mirrored: bool) -> Callable[[Pixels, int], Pixels]:
    """What ``deskew``, ``jitter:pixels=2``, ``elastic:alpha=34`` or a recipe does to pictures, given a seed.

    Raises:
        RequestError: no such transformer or recipe, or a parameter that it doesn't take.
    """
    import torch

    from convoscope.core.registry import nearest
    from convoscope.data.augment import Augmenter
    from convoscope.training.recipe import recipe_names, setting_from

    spec = parse_spec(asked)
    if spec.name in _TRANSFORMERS:
        transform, given = _TRANSFORMERS[spec.name], check(spec, _TRANSFORMERS[spec.name])
        return lambda images, seed: transform(images, seed, **given)
    if spec.name not in recipe_names():
        raise nearest("change", spec.name, [*_TRANSFORMERS, *recipe_names()])
    augmenter = Augmenter(setting_from(asked, channels)[1].augmentation, mirrored=mirrored)

    def augmented(images: Pixels, seed: int) -> Pixels:
        generator = torch.Generator().manual_seed(seed)
        # A mirror image comes in turn in a training; here, by chance.
        coins = torch.rand(len(images), generator=generator) < 0.5
        changed = augmenter(torch.from_numpy(images.astype(np.float32)), generator, alternate=coins)
        return changed.round().clamp(0, 255).numpy().astype(np.uint8)

    return augmented


def sheet(images: Images, change: Callable[[Pixels, int], Pixels], count: int, seed: int) -> Pixels:
    """The first picture of each class, and `count` lines of what `change` makes of them: (rows, columns, RGB)."""
    labels = np.unique(images.labels)[:_MOST]
    plain = images.images[[int((images.labels == label).argmax()) for label in labels]]
    lines = [plain, *(change(plain, seed + number) for number in range(count))]
    block = max(1, _SIDE // max(plain.shape[2:]))
    height, width = (length * block + _GAP for length in plain.shape[2:])
    drawn = np.full((height * len(lines) - _GAP, width * len(labels) - _GAP, 3), 255, np.uint8)
    for row, line in enumerate(lines):
        for column, picture in enumerate(line):
            pixels = picture.transpose(1, 2, 0).repeat(block, axis=0).repeat(block, axis=1)
            drawn[row * height : row * height + len(pixels), column * width : column * width + pixels.shape[1]] = pixels
    return drawn


def free_name() -> Path:
    """``preview.png`` in the current folder, or ``preview-2.png`` and so on: a file that is there is not replaced."""
    name, number = Path("preview.png"), 1
    while os.path.lexists(name):
        number += 1
        name = Path(f"preview-{number}.png")
    return name


def check_png(file: Path) -> None:
    """Refuse a file that is no ``.png``, before anything is read.

    Raises:
        RequestError: it isn't.
    """
    if file.suffix.lower() != ".png":
        raise RequestError("data.cli_preview_suffix", file=str(file))
