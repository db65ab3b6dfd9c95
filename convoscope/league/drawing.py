"""The league as a picture: error against the time to learn, the time to predict, and the size."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from convoscope.core.files import write_atomically
from convoscope.core.messages import say
from convoscope.data.listing import as_text

_INK, _OURS, _PUBLISHED = "#1b1b19", "#1f5591", "#cd521b"
_COSTS = ("seconds", "predict_seconds", "size_bytes")
_LEAST = {"seconds": 0.01, "predict_seconds": 0.01, "size_bytes": 1}


def draw_league(path: Path, table: dict[str, Any]) -> None:
    """Write the measured rows of a table (see `League.table`) to `path`, as PNG; both axes are logarithmic.

    A dot is what was measured, a dash above or below it what was published on the same data.

    Raises:
        RequestError: the file can't be written.
    """
    rows = [entry for entry in table["rows"] if entry["error"] is not None]
    figure = Figure(figsize=(13, 5.4), dpi=110, layout="constrained")
    title = say("league.drawing_title", data=as_text(table.get("data", {}).get("name", "")))
    figure.suptitle(title, fontsize=12, color=_INK, parse_math=False)
    for axes, cost in zip(figure.subplots(1, 3, sharey=True), _COSTS, strict=True):
        _draw(axes, rows, cost, 0.5 / max(table.get("data", {}).get("test", 1), 1))
    figure.axes[0].set_ylabel(say("league.drawing_error"))
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class name may hold signs that the font lacks
        figure.savefig(content, format="png")
    write_atomically(path, content.getvalue())


def _draw(axes: Any, rows: list[dict[str, Any]], cost: str, least: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for at, entry in enumerate(sorted(rows, key=lambda one: one["error"])):
        x, y = max(entry[cost], _LEAST[cost]), 100 * max(entry["error"], least)
        if entry["published_here"]:
            published = 100 * entry["published_error"]
            axes.plot([x, x], [y, published], color=_PUBLISHED, linewidth=0.8, zorder=1)
            axes.plot([x], [published], marker="_", color=_PUBLISHED, markersize=11, markeredgewidth=1.8, zorder=2)
        axes.plot([x], [y], marker="o", color=_OURS, markersize=5, zorder=3)
        side = {"ha": "left", "xytext": (6, -3)} if at % 2 == 0 else {"ha": "right", "xytext": (-6, -3)}
        axes.annotate(entry["id"], (x, y), textcoords="offset points", fontsize=7.5, color=_INK, **side)
    axes.set_xlabel(say(f"league.drawing_{cost}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.22)
    axes.grid(which="major", color="#e4e1d8", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
