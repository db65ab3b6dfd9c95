"""A sheet as a picture, through Matplotlib: its blocks one below the other."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from convoscope.core.tables import aligned
from convoscope.inspection.drawing import SIGNED
from convoscope.inspection.numbers import number, written
from convoscope.inspection.sheet import Block, Chart, Matrix, Note, Pictures, Sheet, Shot, Table

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#1b1b19")
"""M. Okabe, K. Ito (2008): told apart by all eyes."""

_WIDTH, _MARGIN, _LINE = 10.0, 0.3, 0.19  # inches
_DPI = 100
_MOST_ROWS, _MOST_SHOTS, _CHARACTERS = 30, 48, 118
_NAMED = 24
_MIDDLE = 0.5


@dataclass(frozen=True)
class _Placed:
    """How tall a block is, and what draws it at (figure, top in inches, height of the figure)."""

    tall: float
    draw: Callable[[Figure, float, float], None]


def picture_of_sheet(sheet: Sheet) -> bytes:
    """The sheet as a PNG."""
    head = f"{sheet.title} – {sheet.run.path.name}"
    if sheet.subject is not None:
        head += f"\n{sheet.subject.said(sheet.likeliest)}"
    placed = [_words(head, bold=True)]
    for block in sheet.blocks:
        placed += _parts(block)
    height = 2 * _MARGIN + sum(one.tall for one in placed)
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    figure.patch.set_facecolor("white")
    top = height - _MARGIN
    for one in placed:
        one.draw(figure, top, height)
        top -= one.tall
    content = io.BytesIO()
    with warnings.catch_warnings():
        # A class may be named in a script that the font lacks; the picture then shows boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(content, format="png")
    return content.getvalue()


def _parts(block: Block) -> list[_Placed]:
    if isinstance(block, Note):
        return [_words(str(block.text))]
    drawn = {Table: _table, Pictures: _pictures, Chart: _chart, Matrix: _matrix}[type(block)](block)  # type: ignore[operator]
    note = [_words(str(block.note))] if str(block.note) else []
    return [_words(str(block.title), bold=True), *drawn, *note]


def _words(text: str, *, bold: bool = False, mono: bool = False) -> _Placed:
    wrap = text.splitlines() if mono else [part for line in text.splitlines() for part in _wrapped(line)]

    def draw(figure: Figure, top: float, height: float) -> None:
        style = {"family": "monospace", "fontsize": 7.5} if mono else {"fontsize": 9}
        figure.text(
            *(_MARGIN / _WIDTH, (top - 0.06) / height, "\n".join(wrap)),
            va="top", linespacing=1.35, parse_math=False, weight="bold" if bold else "normal", **style,
        )  # fmt: skip

    return _Placed(_LINE * len(wrap) + 0.12, draw)


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, _CHARACTERS) or [""]


def _table(table: Table) -> list[_Placed]:
    rows = [list(map(str, row)) for row in table.rows[:_MOST_ROWS]]
    return [_words("\n".join(aligned([list(map(str, table.columns)), *rows], table.numeric)), mono=True)]


def _chart(chart: Chart) -> list[_Placed]:
    def draw(figure: Figure, top: float, height: float) -> None:
        axes = _axes(figure, 0.9, top - 2.5, 6.2, 2.3, height)
        for at, series in enumerate(chart.series):
            _curve(axes, series, COLOURS[at % len(COLOURS)])
        if chart.ticks:
            axes.set_xticks(range(len(chart.ticks)), chart.ticks, rotation=45, ha="right", fontsize=7)
        if chart.limits:
            axes.set_ylim(*chart.limits)
        axes.set_xlabel(str(chart.x), fontsize=8)
        axes.set_ylabel(str(chart.y), fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        if chart.series:
            axes.legend(frameon=False, fontsize=7, bbox_to_anchor=(1.01, 1), loc="upper left")

    return [_Placed(3.3 if chart.ticks else 3.0, draw)]


def _curve(axes: Any, series: Any, colour: str) -> None:
    if series.kind == "guide":
        axes.plot(series.x, series.y, color="#8d8a80", linewidth=1, linestyle="--", label=str(series.name))
    elif series.kind == "bars":
        width = 0.9 * min(np.diff(series.x), default=1.0)
        axes.bar(series.x, series.y, width, color=colour, label=str(series.name))
    else:
        marker = "o" if len(series.x) < 40 else None
        axes.plot(series.x, series.y, color=colour, linewidth=1.4, marker=marker, markersize=3, label=str(series.name))


def _matrix(matrix: Matrix) -> list[_Placed]:
    rows, columns = matrix.values.shape
    cell = min(0.34, 7.0 / columns, 7.0 / rows)
    left = 1.2

    def draw(figure: Figure, top: float, height: float) -> None:
        axes = _axes(figure, left, top - 0.3 - rows * cell, columns * cell, rows * cell, height)
        axes.imshow(coloured(matrix), aspect="auto", interpolation="nearest", **scale_of(matrix))
        if cell >= 0.25:
            for (row, column), value in np.ndenumerate(matrix.values):
                if value:
                    ink = "white" if matrix.kind == "share" and value < _MIDDLE else "black"
                    text = written(value, ".2f") if matrix.kind == "share" else number(value)
                    axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color=ink)
        every = max(1, max(rows, columns) // _NAMED)
        axes.set_xticks(range(0, columns, every), [_short(name) for name in matrix.column_names[::every]], fontsize=7)
        axes.set_yticks(range(0, rows, every), [_short(name) for name in matrix.row_names[::every]], fontsize=7)
        axes.set_xlabel(str(matrix.columns), fontsize=8)
        axes.set_ylabel(str(matrix.rows), fontsize=8)

    return [_Placed(rows * cell + 0.85, draw)]


def coloured(matrix: Matrix) -> NDArray[np.float64]:
    """The numbers that the colours are of: of a confusion matrix, the errors alone."""
    values = np.array(matrix.values, dtype=np.float64)
    if matrix.kind == "errors":
        np.fill_diagonal(values, 0)
    return values


def scale_of(matrix: Matrix) -> dict[str, Any]:
    """The colours of a matrix for Matplotlib: signed with zero in the middle, shares in grey, errors from white on."""
    if matrix.kind == "signed":
        reach = float(np.nanmax(np.abs(matrix.values), initial=0.0)) or 1.0
        return {"cmap": SIGNED, "vmin": -reach, "vmax": reach}
    if matrix.kind == "share":
        return {"cmap": "gray", "vmin": 0, "vmax": 1}
    return {"cmap": "Oranges", "vmin": 0, "vmax": float(coloured(matrix).max(initial=1.0))}


def _pictures(block: Pictures) -> list[_Placed]:
    side = min(block.size / 72, 1.6)
    across = max(1, int((_WIDTH - 2 * _MARGIN) / (side + 0.35)))
    shots = block.shots[:_MOST_SHOTS]
    captions = [_caption(shot, side) for shot in shots]
    below = 0.14 * max((caption.count("\n") + 1 for caption in captions), default=1) + 0.12

    def draw(figure: Figure, top: float, height: float) -> None:
        for at, (shot, caption) in enumerate(zip(shots, captions, strict=True)):
            x = _MARGIN + (at % across) * (side + 0.35)
            y = top - (at // across + 1) * (side + below) + below
            axes = _axes(figure, x, y, side, side, height)
            _shoot(axes, shot)
            figure.text(x / _WIDTH, (y - 0.05) / height, caption, va="top", fontsize=6.5, parse_math=False)

    return [_Placed(-(-len(shots) // across) * (side + below) + 0.1, draw)]


def _caption(shot: Shot, side: float) -> str:
    return "\n".join(
        part for line in str(shot.caption).splitlines() for part in textwrap.wrap(line, int(17 * side) + 6)
    )


def _shoot(axes: Any, shot: Shot) -> None:
    pixels = shot.pixels
    if pixels.ndim == 2:
        reach = float(np.abs(pixels).max(initial=0.0)) or 1.0
        axes.imshow(pixels, cmap=SIGNED, vmin=-reach, vmax=reach, interpolation="nearest")
    elif len(pixels) == 1:
        axes.imshow(pixels[0], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    else:
        axes.imshow(pixels[:3].transpose(1, 2, 0), interpolation="nearest")
    axes.set_axis_off()
    if shot.box is not None:
        top, left, rows, columns = shot.box
        axes.add_patch(
            Rectangle((left - 0.5, top - 0.5), columns, rows, fill=False, edgecolor="#e66101", linewidth=1.2)
        )


def _axes(figure: Figure, left: float, bottom: float, wide: float, tall: float, height: float) -> Any:
    return figure.add_axes((left / _WIDTH, bottom / height, wide / _WIDTH, tall / height))


def _short(name: str) -> str:
    return name if len(name) <= 12 else f"{name[:11]}…"
