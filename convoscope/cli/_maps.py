"""Signed maps in colour: blue below zero, white at zero, orange above, on a terminal or in a PNG.

Blue and orange are told apart by people with any of the common kinds of colour blindness.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically

if TYPE_CHECKING:
    from rich.text import Text

Array = npt.NDArray[Any]

_BELOW = np.array([33, 102, 172])
_ZERO = np.array([255, 255, 255])
_ABOVE = np.array([230, 97, 1])
_UPPER_HALF = "▀"
_LARGEST_BLOCK = 4
_PNG_SIDE = 256


def colours(numbers: Array, reach: float) -> npt.NDArray[np.uint8]:
    """The colour of each number, (rows, columns) to (rows, columns, RGB); full colour at ± `reach`."""
    share = np.clip(numbers / (reach or 1.0), -1, 1)[..., None]
    mixed = np.where(share < 0, _ZERO + (_ZERO - _BELOW) * share, _ZERO + (_ABOVE - _ZERO) * share)
    return np.asarray(np.rint(mixed), dtype=np.uint8)


def shrunk(numbers: Array, columns: int) -> Array:
    """Means of square blocks, so that `numbers` (rows, columns) has at most `columns` columns."""
    block = -(-numbers.shape[1] // columns)
    if block == 1:
        return numbers
    starts = [np.arange(0, length, block) for length in numbers.shape]
    sums = np.add.reduceat(np.add.reduceat(numbers.astype(np.float64), starts[0], axis=0), starts[1], axis=1)
    heights, widths = (np.diff([*start, length]) for start, length in zip(starts, numbers.shape, strict=True))
    return np.asarray(sums / (heights[:, None] * widths))


def drawn(numbers: Array, reach: float, columns: int) -> Text:
    """`numbers` as blocks of colour at most `columns` wide; a character holds two pixels, one above the other."""
    from rich.text import Text

    pixels = colours(shrunk(numbers, columns), reach)
    block = max(1, min(_LARGEST_BLOCK, columns // pixels.shape[1]))
    pixels = pixels.repeat(block, axis=0).repeat(block, axis=1)
    text = Text()
    for top in range(0, len(pixels), 2):
        for column in range(pixels.shape[1]):
            style = f"rgb({','.join(map(str, pixels[top, column]))})"
            if top + 1 < len(pixels):
                style += f" on rgb({','.join(map(str, pixels[top + 1, column]))})"
            text.append(_UPPER_HALF, style)
        text.append("\n")
    return text


def save_png(maps: Array, reach: float, file: Path) -> None:
    """Save `maps` (F, rows, columns) side by side; small ones are enlarged.

    Raises:
        RequestError: `file` is no ``.png`` or can't be written.
    """
    if file.suffix.lower() != ".png":
        raise RequestError("convolution.out_suffix", field="out", file=file)
    block = max(1, _PNG_SIDE // max(maps.shape[1:]))
    pictures = [colours(one, reach).repeat(block, axis=0).repeat(block, axis=1) for one in maps]
    gap = np.full((pictures[0].shape[0], block, 3), 128, dtype=np.uint8)
    row = [part for picture in pictures for part in (picture, gap)][:-1]
    write_png(np.concatenate(row, axis=1), file)


def write_png(pixels: Array, file: Path) -> None:
    """Write (rows, columns, 3) or (rows, columns) uint8 as PNG.

    Raises:
        RequestError: the file can't be written; an earlier one is intact.
    """
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG")
    write_atomically(file, content.getvalue())
