"""The figures of the lesson: pictures side by side, a picture as its numbers, curves and bars.

Each function gives a `Drawing`, which shows itself as a cell's value; whatever backend Matplotlib uses plays no part.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically
from convoscope.core.messages import say
from convoscope.inspection.drawing import SIGNED
from convoscope.inspection.sheet_drawing import COLOURS

MOST_NUMBERS = 32
"""Rows or columns of numbers that can still be read."""

Box = tuple[int, int, int, int]
"""(top, left, rows, columns) of a part of a picture, in pixels."""

_DPI = 110
_FAINT = 16.0  # what has no larger number is no picture in 0 … 255, but small counts or answers of a filter
_CAPTION = 0.26  # inches a line


class Drawing:
    """A figure that shows itself in a notebook, with words for those who don't see it.

    Args:
        figure: the figure.
        words: what is to be seen.
    """

    def __init__(self, figure: Figure, words: str) -> None:
        self.words = words
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=_DPI, facecolor="white", bbox_inches="tight", pad_inches=0.05)
        self.png = content.getvalue()

    def save(self, path: Path | str) -> Path:
        """Write the figure as PNG."""
        path = Path(path)
        write_atomically(path, self.png)
        return path

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode("ascii")
        alt = html.escape(self.words, quote=True)
        return f'<img alt="{alt}" src="data:image/png;base64,{data}" style="max-width:100%;background:#fff">'


def pictures(
    images: Sequence[ArrayLike] | NDArray[Any],
    captions: Sequence[object] = (),
    *,
    columns: int = 8,
    side: float = 1.2,
    boxes: Mapping[int, Sequence[Box]] | None = None,
) -> Drawing:
    """Pictures side by side.

    Numbers from 0 to 255 are greys or colours; if none is above 1, those from 0 to 1; if none is above 16, those from 0
    to the largest. A grey picture with numbers below zero is signed: blue below zero, white at zero, orange above.
    Colours beyond black and white are cut off.

    Args:
        images: (N, C, H, W), or a list of (H, W), (1, H, W) or (3, H, W).
        captions: what stands over each.
        columns: how many a row.
        side: height of each, in inches.
        boxes: number of a picture -> the parts to be outlined in it.

    Raises:
        RequestError: no picture, or an array that is none.
    """
    shown = [_picture(image) for image in images]
    if not shown:
        raise RequestError("notebooks.no_pictures", field="images")
    across = min(columns, len(shown))
    rows = -(-len(shown) // across)
    said = [str(caption) for caption in captions]
    lines = max((caption.count("\n") + 1 for caption in said), default=0)
    wide = side * max(image.shape[-1] / image.shape[-2] for image in shown)
    figure = Figure(figsize=(across * (wide + 0.08), rows * (side + _CAPTION * lines + 0.08)), layout="constrained")
    for at, axes in enumerate(figure.subplots(rows, across, squeeze=False).flat):
        axes.set_axis_off()
        if at < len(shown):
            _paint(axes, shown[at])
            _outline(axes, (boxes or {}).get(at, ()))
        if at < len(said):
            axes.set_title(said[at], fontsize=9, parse_math=False)
    return Drawing(figure, say("notebooks.said_pictures", count=len(shown), captions=", ".join(said) or "–"))


def numbers(image: ArrayLike, caption: object = "") -> Drawing:
    """A picture as the matrix that it is: every number on its colour.

    Args:
        image: (H, W), at most 32 x 32.
        caption: what stands over it.

    Raises:
        RequestError: an array of another form, or too large to be read.
    """
    pixels = _picture(image)
    if pixels.ndim == 3 or max(pixels.shape) > MOST_NUMBERS:
        shape = " × ".join(map(str, np.shape(image)))
        raise RequestError("notebooks.numbers_size", field="image", found=shape, most=MOST_NUMBERS)
    rows, columns = pixels.shape
    cell = 0.34 if max(rows, columns) > 16 else 0.44
    figure = Figure(figsize=(cell * columns, cell * rows), layout="constrained")
    axes = figure.subplots()
    painted = _paint(axes, pixels)
    for (row, column), value in np.ndenumerate(pixels):
        text = f"{value:.3g}".replace("-", "−")
        dark = np.mean(painted.cmap(painted.norm(value))[:3]) < 0.5
        axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color="white" if dark else "black")
    axes.set_title(str(caption), fontsize=9, parse_math=False)
    axes.set_xticks([]), axes.set_yticks([])
    return Drawing(figure, say("notebooks.said_numbers", rows=rows, columns=columns))


def channels(image: ArrayLike) -> Drawing:
    """A colour picture (3, H, W) beside its three channels, each in its own colour from black on.

    Raises:
        RequestError: an array of another form.
    """
    pixels = _picture(image)
    if pixels.ndim != 3:
        raise RequestError("notebooks.picture_shape", field="image", found=str(np.shape(image)))
    alone = [pixels * (np.arange(3) == channel)[:, None, None] for channel in range(3)]
    names = say("notebooks.channel_names").split(", ")
    return pictures([pixels, *alone], [say("notebooks.whole_picture"), *names], columns=4, side=2.2)


def curves(
    lines: Mapping[str, Sequence[float] | tuple[Sequence[float], Sequence[float]]],
    *,
    x: str = "",
    y: str = "",
    logarithmic: bool = False,
) -> Drawing:
    """Curves over one pair of axes.

    Args:
        lines: name -> its heights (over 1, 2, 3 …), or (places, heights).
        x: the name of the horizontal axis.
        y: the name of the vertical axis.
        logarithmic: whether both axes are.
    """
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    for (name, line), colour in zip(lines.items(), _cycled(len(lines)), strict=True):
        places, heights = line if isinstance(line, tuple) else (range(1, len(line) + 1), line)
        marker = "o" if len(heights) < 40 else None
        axes.plot(places, heights, color=colour, linewidth=1.6, marker=marker, markersize=3.5, label=name)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
    elif not any(isinstance(line, tuple) for line in lines.values()):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _named(axes, x, y)
    if len(lines) > 1:
        axes.legend(frameon=False, fontsize=9)
    return Drawing(figure, say("notebooks.said_curves", names=", ".join(lines), x=x, y=y))


def bars(
    lengths: Mapping[str, float], *, x: str = "", intervals: Mapping[str, tuple[float, float]] | None = None
) -> Drawing:
    """One horizontal bar a name, the first on top.

    Args:
        lengths: name -> length.
        x: what a length is.
        intervals: name -> (from, to), drawn as a line over the bar's end.
    """
    figure = Figure(figsize=(6.4, 0.42 * len(lengths) + 0.7), layout="constrained")
    axes = figure.subplots()
    for at, (name, length) in enumerate(lengths.items()):
        axes.barh(at, length, height=0.62, color=COLOURS[0])
        if intervals and name in intervals:
            axes.plot(intervals[name], [at, at], color=COLOURS[1], linewidth=2, solid_capstyle="butt")
    axes.set_yticks(range(len(lengths)), list(lengths), fontsize=9, parse_math=False)
    axes.invert_yaxis()
    _named(axes, x, "")
    return Drawing(figure, ", ".join(f"{name}: {length:.4g}" for name, length in lengths.items()))


def _picture(image: ArrayLike) -> NDArray[Any]:
    """An array as (H, W) or (3, H, W)."""
    pixels = np.asarray(image)
    if pixels.ndim == 3 and len(pixels) == 1:
        pixels = pixels[0]
    right = pixels.ndim == 2 or (pixels.ndim == 3 and len(pixels) == 3)
    if not right or pixels.dtype.kind not in "buif" or not pixels.size:
        raise RequestError("notebooks.picture_shape", field="images", found=f"{pixels.dtype} {pixels.shape}")
    return pixels.astype(np.float64) if pixels.dtype.kind in "bf" else pixels.astype(np.int64)


def _paint(axes: Any, pixels: NDArray[Any]) -> Any:
    largest = float(pixels.max())
    most = max(1.0, largest if largest <= _FAINT else max(255.0, largest))
    if pixels.ndim == 3:
        return axes.imshow(np.clip(pixels.transpose(1, 2, 0) / min(most, 255.0), 0, 1), interpolation="nearest")
    if pixels.min() < 0:
        reach = float(np.abs(pixels).max())
        return axes.imshow(pixels, cmap=SIGNED, vmin=-reach, vmax=reach, interpolation="nearest")
    return axes.imshow(pixels, cmap="gray", vmin=0, vmax=most, interpolation="nearest")


def _outline(axes: Any, boxes: Sequence[Box]) -> None:
    for (top, left, rows, columns), colour in zip(boxes, _cycled(len(boxes), 1), strict=True):
        corner = (left - 0.5, top - 0.5)
        axes.add_patch(Rectangle(corner, columns, rows, fill=False, edgecolor=colour, linewidth=1.8))


def _cycled(count: int, first: int = 0) -> list[str]:
    return [COLOURS[(first + at) % len(COLOURS)] for at in range(count)]


def _named(axes: Any, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=9, parse_math=False)
    axes.set_ylabel(y, fontsize=9, parse_math=False)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
