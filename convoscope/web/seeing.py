"""What the model sees: a picture on its way to the network's input, one visible step at a time.

Two ways lead there. Any picture goes the run's own way (`convoscope.data.decode.fit`, the same as ``Run.predict``). A
drawn digit goes the way of MNIST's pictures: "normalized to fit in a 20x20 pixel box while preserving their aspect
ratio", then "centered in a 28x28 image by computing the center of mass of the pixels, and translating the image so as
to position this point at the center of the 28x28 field" (LeCun, Cortes, Burges, *The MNIST database*).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from convoscope.data.decode import fit
from convoscope.data.types import Pixels

_BOX_SHARE = 20 / 28


@dataclass(frozen=True, eq=False)
class Step:
    """One step.

    Args:
        name: the step's name in the catalogue, after ``step_``.
        pixels: the picture after it, (C, H, W) uint8.
    """

    name: str
    pixels: Pixels


def steps_of_picture(pixels: Pixels, *, channels: int, size: tuple[int, int], invert: bool = False) -> list[Step]:
    """The run's own way: cut to the network's proportions, bring to its size, make it grey if the network is.

    Args:
        pixels: (C, H, W) uint8.
        channels: of the network's input.
        size: (height, width) of it.
        invert: swap light and dark, for dark ink on light paper.
    """
    steps = _start(pixels, invert)
    current = steps[-1].pixels
    cut = _middle(current, size)
    if cut.shape != current.shape:
        steps.append(Step("cut", cut))
    last = fit(current, channels=channels, size=size)
    if cut.shape[1:] != size:
        steps.append(Step("resize", fit(current, channels=1 if len(current) < 3 else 3, size=size)))
    if len(current) != channels:
        steps.append(Step("grey" if channels == 1 else "colour", last))
    return (
        steps if (steps[-1].pixels is last or np.array_equal(steps[-1].pixels, last)) else [*steps, Step("fit", last)]
    )


def steps_of_drawing(pixels: Pixels, *, channels: int, size: tuple[int, int], invert: bool = False) -> list[Step]:
    """MNIST's way, for a drawing in white on black; an empty drawing stays empty.

    Args:
        pixels: (1, H, W) uint8.
        channels: of the network's input.
        size: (height, width) of it.
        invert: swap light and dark first, for one in black on white.
    """
    steps = _start(pixels, invert)
    pixels = steps[-1].pixels
    ink = pixels[0]
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if len(rows) == 0:
        return [*steps, Step("resize", fit(pixels, channels=channels, size=size))]
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    steps.append(Step("box", box[None]))
    scale = _BOX_SHARE * min(size) / max(box.shape)
    small = (max(1, round(box.shape[0] * scale)), max(1, round(box.shape[1] * scale)))
    shrunk = np.asarray(Image.fromarray(box).resize((small[1], small[0]), Resampling.LANCZOS))
    steps.append(Step("shrink", shrunk[None]))
    centred = _centred(shrunk, size)
    steps.append(Step("centre", np.repeat(centred[None], channels, axis=0)))
    return steps


def _start(pixels: Pixels, invert: bool) -> list[Step]:
    given = Step("given", pixels)
    return [given, Step("invert", 255 - pixels)] if invert else [given]


def _middle(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """The largest centred part in the proportions of `size`, to whole pixels."""
    _, height, width = pixels.shape
    scale = min(height / size[0], width / size[1])
    rows, columns = round(size[0] * scale), round(size[1] * scale)
    top, left = (height - rows) // 2, (width - columns) // 2
    return pixels[:, top : top + rows, left : left + columns]


def _centred(ink: Pixels, size: tuple[int, int]) -> Pixels:
    """`ink` (H, W) on an empty field of `size`, its centre of mass in the middle, as near as whole pixels allow."""
    field = np.zeros(size, dtype=np.uint8)
    weights = ink.astype(np.float64)
    for axis, length in enumerate(ink.shape):
        if length > size[axis]:
            raise AssertionError("the box is smaller than the field")
    total = weights.sum() or 1.0
    centre = (
        weights.sum(axis=1) @ np.arange(ink.shape[0]) / total,
        weights.sum(axis=0) @ np.arange(ink.shape[1]) / total,
    )
    corner = [
        int(np.clip(round((size[axis] - 1) / 2 - centre[axis]), 0, size[axis] - ink.shape[axis])) for axis in (0, 1)
    ]
    field[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = ink
    return field
