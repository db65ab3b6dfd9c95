"""The pictures of a run: learning curves and confusion matrix, as PNG in its folder."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from convoscope.core.files import write_atomically
from convoscope.core.messages import say

_LONGEST = 24
_INK = "#222222"
_BLUE, _ORANGE = "#0072B2", "#D55E00"  # M. Okabe, K. Ito (2008): told apart by all eyes


def draw_curves(path: Path, curves: Sequence[dict[str, Any]]) -> None:
    """Write the losses and the validation error by epoch to `path`."""
    figure = _figure(7.0, 3.0)
    losses, errors = figure.subplots(1, 2)
    epochs = [line["epoch"] for line in curves]
    _line(losses, epochs, [line["train_loss"] for line in curves], _BLUE, say("runs.train_loss"))
    if all("validation_error" in line for line in curves):
        _line(losses, epochs, [line["validation_loss"] for line in curves], _ORANGE, say("runs.validation_loss"))
        percent = [100 * line["validation_error"] for line in curves]
        _line(errors, epochs, percent, _ORANGE, say("runs.validation_error"))
    else:
        errors.set_visible(False)
    for axes in (losses, errors):
        axes.set_xlabel(say("runs.epoch"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_visible():
            axes.legend(frameon=False)
    _save(figure, path)


def draw_confusion(path: Path, confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    """Write the confusion matrix to `path`: rows are true classes, columns predicted; errors are shaded."""
    count = len(classes)
    side = min(max(3.2, 0.42 * count + 1.2), 14.0)
    figure = _figure(side, side)
    axes = figure.subplots()
    errors = [
        [0 if row == column else value for column, value in enumerate(line)] for row, line in enumerate(confusion)
    ]
    axes.imshow(errors, cmap="Oranges", vmin=0, vmax=max(1, *(max(line) for line in errors)))
    if count <= 30:
        for row, line in enumerate(confusion):
            for column, value in enumerate(line):
                if value:
                    weight = "bold" if row == column else "normal"
                    axes.text(column, row, f"{value}", ha="center", va="center", fontsize=8, weight=weight, color=_INK)
        names = [_short(name) for name in classes]
        tilted = 45 if max(map(len, names)) > 2 else 0
        axes.set_xticks(range(count), names, rotation=tilted, ha="center", parse_math=False)
        axes.set_yticks(range(count), names, parse_math=False)
    axes.set_xlabel(say("runs.predicted"))
    axes.set_ylabel(say("runs.true"))
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def _line(axes: Any, x: Sequence[float], y: Sequence[float], colour: str, label: str) -> None:
    axes.plot(x, y, color=colour, label=label, linewidth=1.5, marker="o" if len(x) < 30 else None, markersize=3)


def _short(name: str) -> str:
    """A class name that leaves room for the picture, in characters that can be written."""
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _save(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    with warnings.catch_warnings():
        # A class may be named in a script that the font lacks; the picture then shows boxes, and the JSON the name.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(content, format="png")
    write_atomically(path, content.getvalue())
