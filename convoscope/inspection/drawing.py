"""A view as a picture: a strip a layer, through Matplotlib."""

from __future__ import annotations

import io
import logging
import warnings

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from convoscope.core.messages import say
from convoscope.data.types import Pixels
from convoscope.inspection.look import Maps
from convoscope.inspection.numbers import share, written
from convoscope.inspection.shown import Panel, Shown

# Matplotlib tells where it keeps its cache of fonts; that is nothing to a person who looks at a net.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

SIGNED = LinearSegmentedColormap.from_list("signed", ["#2166ac", "#ffffff", "#e66101"])  # told apart by all eyes
_WIDTH, _MARGIN, _TITLE, _GAP = 10.0, 0.2, 0.28, 0.12  # inches
_DPI = 100
_ACROSS = 16
_MOST_MAPS, _FEW_LAYERS = 64, 24
_MOST_FILTERS, _MOST_CHANNELS = 32, 64
_LARGEST = {"maps": 0.06, "kernels": 0.09}  # inches a number


def picture_of(shown: Shown) -> bytes:
    """The view as a PNG: the picture, then a strip of maps (or kernels) a layer, each with its name and range.

    What is below zero is blue, zero is white, what is above is orange; where nothing is below zero, black is zero and
    white the largest.
    """
    strips = [] if shown.subject is None else [_of_subject(shown, shown.subject.pixels)]
    for panel in shown.panels:
        most = _most(panel, len(shown.panels))
        strips.append((_titled(panel, min(most, len(panel.values))), *_tiled(panel, most)))
    cell = _LARGEST[shown.chart]
    sizes = [_size(tiles, cell) for _, tiles, _ in strips]
    height = _MARGIN + sum(_TITLE + tall + _GAP for _, tall in sizes)
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    figure.patch.set_facecolor("white")
    top = height - _MARGIN / 2
    for (title, tiles, reach), (wide, tall) in zip(strips, sizes, strict=True):
        figure.text(_MARGIN / _WIDTH, (top - _TITLE / 2) / height, title, va="center", fontsize=9, parse_math=False)
        top -= _TITLE + tall
        axes = figure.add_axes((_MARGIN / _WIDTH, top / height, wide / _WIDTH, tall / height))
        axes.set_axis_off()
        if tiles.ndim == 3:
            axes.imshow(tiles, aspect="auto", interpolation="nearest")
        else:
            low, high = reach
            colours = SIGNED if low < 0 else "gray"
            axes.imshow(tiles, cmap=colours, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
        top -= _GAP
    content = io.BytesIO()
    with warnings.catch_warnings():
        # A class may be named in a script that the font lacks; the picture then shows boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(content, format="png")
    return content.getvalue()


Strip = tuple[str, NDArray[np.float32], tuple[float, float]]


def _of_subject(shown: Shown, pixels: Pixels) -> Strip:
    label, probability = shown.likeliest or ("", 0.0)
    title = say("inspection.drawn_picture", label=label, share=share(probability, 1))
    tiles = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0) / 255
    return title, np.asarray(tiles, dtype=np.float32), (0.0, 255.0)


def _titled(panel: Panel, drawn: int) -> str:
    values = panel.values
    shape = " × ".join(map(str, values.shape))
    low, high = (written(value, ".3g") for value in (values.min(), values.max()))
    title = f"{panel.layer.name} ({panel.layer.kind}), {shape}: {low} … {high}"
    return title if drawn == len(values) else f"{title}  ({say('inspection.drawn_first', count=drawn)})"


def _most(panel: Panel, layers: int) -> int:
    """How many maps, filters or numbers of a layer are drawn, in a net of so many layers."""
    if panel.values.ndim == 3:
        return _MOST_MAPS if layers <= _FEW_LAYERS else _ACROSS
    return _MOST_FILTERS if panel.values.ndim == 4 else len(panel.values)


def _tiled(panel: Panel, most: int) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """The layer's maps as one array, parted by NaN, and the numbers at the ends of its colours."""
    values = panel.values
    low, high = float(values.min()), float(values.max())
    reach = max(-low, high) or 1.0
    ends = (-reach, reach) if low < 0 else (0.0, reach)
    if values.ndim == 1:
        return _rows(values), ends
    if values.ndim == 4:
        some = values[:most, :_MOST_CHANNELS]
        filters, channels = some.shape[:2]
        across = channels if channels > 1 else min(filters, _ACROSS)
        return _mosaic(some.reshape(-1, *some.shape[2:]), across), ends
    return _mosaic(values[:most], _ACROSS), ends


def _rows(values: Maps) -> NDArray[np.float32]:
    """(features,) as rows of at most 64 numbers, the last one filled up."""
    columns = min(len(values), _MOST_MAPS)
    rows = -(-len(values) // columns)
    return np.append(values, np.full(rows * columns - len(values), np.nan, np.float32)).reshape(rows, columns)


def _mosaic(maps: Maps, across: int) -> NDArray[np.float32]:
    """(N, H, W) as rows of `across` tiles with a line of NaN between them."""
    count, tall, wide = maps.shape
    across = min(across, count)
    rows = -(-count // across)
    gap = 1 + max(tall, wide) // 16
    tiles = np.full((rows, across, tall + gap, wide + gap), np.nan, dtype=np.float32)
    for at, one in enumerate(maps):
        tiles[at // across, at % across, :tall, :wide] = one
    whole = tiles.transpose(0, 2, 1, 3).reshape(rows * (tall + gap), across * (wide + gap))
    return whole[:-gap, :-gap]


def _size(tiles: NDArray[np.float32], largest: float) -> tuple[float, float]:
    """(width, height) in inches of tiles whose numbers are squares of at most `largest`."""
    rows, columns = tiles.shape[:2]
    cell = min(largest, (_WIDTH - 2 * _MARGIN) / columns)
    return columns * cell, max(rows * cell, 0.04)
