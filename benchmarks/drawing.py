"""Error against time, for us and the peers, as a picture for each data set and language, from the records.

python -m benchmarks.drawing
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from benchmarks.records import read
from benchmarks.words import in_language
from convoscope.league import Row

ROOT = Path(__file__).parents[1]
FOLDERS = {"en": ROOT / "docs", "es": ROOT / "docs" / "es"}

Record = dict[str, Any]

# M. Okabe, K. Ito (2008): told apart by all eyes; markers differ too.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v")
_INK, _GREY = "#222222", "#888888"
_WORDS = {
    "en": {
        "time": "training time, {hardware}",
        "time_alone": "training time",
        "error": "test error (%)",
        "tta": "hollow: several views in the test",
        "league": "test error on MNIST (%); dash: published, dot: measured, with its 95% interval",
        "not_yet": "not reproduced yet",
    },
    "es": {
        "time": "tiempo de entrenamiento, {hardware}",
        "time_alone": "tiempo de entrenamiento",
        "error": "error de prueba (%)",
        "tta": "huecos: varias vistas en la prueba",
        "league": "error de prueba en MNIST (%); raya: publicado, punto: medido, con su intervalo del 95 %",
        "not_yet": "aún no reproducido",
    },
}
_SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)


def draw_all() -> None:
    """Draw every data set that was compared, in both languages."""
    records = [record for record in read("compare") if "error" in record]
    for data in sorted({record["data"] for record in records}):
        for language in FOLDERS:
            draw([record for record in records if record["data"] == data], picture(data, language), language)


def picture(data: str, language: str) -> Path:
    """Where the picture of a data set lies."""
    return FOLDERS[language] / f"error-against-time-{data}.png"


def draw(records: list[Record], path: Path, language: str) -> None:
    """Write the picture of the trainings of one data set to `path`; a line joins the budgets of one method."""
    words = _WORDS[language]
    figure = Figure(figsize=(6.4, 4.2), dpi=150, layout="constrained")
    axes = figure.subplots()
    methods: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda one: (not one["peer"], one["seconds"])):
        methods.setdefault(method(record), []).append(record)
    for number, (name, budgets) in enumerate(methods.items()):
        colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
        seconds = [record["seconds"] for record in budgets]
        for key, face, line in (("error", colour, "-"), ("error_tta", "white", ":")):
            shown = [record for record in budgets if key in record]
            if not shown:
                continue
            axes.errorbar(
                [record["seconds"] for record in shown],
                [100 * record[key] for record in shown],
                yerr=[100 * record.get(f"{key}_std", 0.0) for record in shown],
                color=colour,
                marker=marker,
                markerfacecolor=face,
                linestyle=line,
                linewidth=1,
                markersize=6,
                capsize=2,
                label=in_language(name, language) if key == "error" else None,
            )
        for record, at in zip(budgets, seconds, strict=True):
            axes.annotate(
                label(record, language),
                (at, 100 * record["error"]),
                xytext=(6, 6),
                textcoords="offset points",
                fontsize=7,
                color=_INK,
            )
    _scale(axes, records, len(label(max(records, key=lambda one: one["seconds"]), language)))
    axes.set_xlabel(words["time"].format(hardware=_hardware(records[-1], language)))
    axes.set_ylabel(words["error"])
    axes.legend(frameon=False, fontsize=8, title=records[0]["data"], title_fontsize=8)
    if any("error_tta" in record for record in records):
        axes.text(0.0, 1.02, words["tta"], transform=axes.transAxes, fontsize=7, color=_GREY)
    figure.savefig(path, format="png", metadata={"Software": None})


def draw_recipes(records: list[Record], language: str) -> Figure:
    """Our recipes by themselves, each with its own network: a panel a data set, a line a machine and precision."""
    words = _WORDS[language]
    records = [record for record in records if "model" not in record]
    panels = [name for name in ("mnist", "cifar10") if any(record["data"] == name for record in records)]
    figure = Figure(figsize=(8.4, 3.4), dpi=120, layout="constrained")
    for axes, data in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        plain = sorted(
            (one for one in records if one["data"] == data and "--tta" not in one["name"]),
            key=lambda one: one["seconds"],
        )
        spread = [100 * one.get("error_std", 0.0) for one in plain]
        lines: dict[str, list[Record]] = {}
        for one in plain:
            lines.setdefault(f"{_hardware(one, language)}, {one.get('precision', 'float32')}", []).append(one)
        for colour, (machine, points) in zip(_COLOURS, sorted(lines.items()), strict=False):
            axes.errorbar(
                [one["seconds"] for one in points],
                [100 * one["error"] for one in points],
                yerr=[100 * one.get("error_std", 0.0) for one in points],
                color=colour, marker="o", linewidth=1, capsize=3, label=machine,
            )  # fmt: skip
            for one in points:
                recipe = str(one["name"]).partition("recipe ")[2].partition(",")[0]
                place = (one["seconds"], 100 * one["error"])
                axes.annotate(recipe, place, (7, 6), textcoords="offset points", fontsize=9)
        axes.legend(fontsize=7, frameon=False, loc="lower right")
        axes.set_xlim(0, max(one["seconds"] for one in plain) * 1.25)
        axes.set_ylim(0, (max(100 * one["error"] for one in plain) + max(spread)) * 1.3)
        axes.set_title(data, fontsize=10, color=_INK)
        axes.set_xlabel(words["time_alone"], fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} s"))
        axes.grid(visible=True, color="#EEEEEE", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel(words["error"])
    return figure


def draw_rows(rows: list[tuple[Row, Record | None]], language: str) -> Figure:
    """The league's rows from the worst to the best: a dash is published, a dot with its 95% interval is ours."""
    words = _WORDS[language]
    errors = [(record or {}).get("error", row.published_error) for row, record in rows]
    shown = sorted(
        ((error, row, record) for error, (row, record) in zip(errors, rows, strict=True) if error is not None),
        key=lambda one: -one[0],
    )
    figure = Figure(figsize=(8.4, 0.9 + 0.26 * len(shown)), dpi=110, layout="constrained")
    axes = figure.subplots()
    for at, (_, row, record) in enumerate(shown):
        if row.published_error is not None:
            axes.plot(
                [100 * row.published_error], [at], marker="|", color=_COLOURS[1], markersize=13, markeredgewidth=2
            )
        if record:
            low, high = (100 * bound for bound in record["interval"])
            axes.plot([low, high], [at, at], color=_COLOURS[0], linewidth=1)
            axes.plot([100 * record["error"]], [at], marker="o", color=_COLOURS[0], markersize=5)
    labels = [row.names[language] + ("" if record else f" ({words['not_yet']})") for _, row, record in shown]
    axes.set_yticks(range(len(shown)), labels, fontsize=7.5, color=_INK)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    figure.supxlabel(words["league"], fontsize=8)
    axes.grid(visible=True, axis="x", color="#EEEEEE", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def method(record: Record) -> str:
    """What a point belongs to: a peer at any number of epochs, or our recipes."""
    return str(record["name"]).partition(",")[0]


def label(record: Record, language: str) -> str:
    """What stands at a point: the recipe, or the number of epochs of a peer."""
    if not record["peer"]:
        return str(record["contender"]).partition("@")[0]
    return f"{record['epochs']:g} " + {"en": "epochs", "es": "épocas"}[language]


def _scale(axes: Any, records: list[Record], letters: int) -> None:
    """Logarithmic both ways, with ticks that a person reads: 30 s, 10 min; 0.4, 1, 5 %.

    To the right there is room for the `letters` of the last point's label.
    """
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = min(one["seconds"] for one in records) / 1.6, max(one["seconds"] for one in records)
    room = min(0.4, 0.013 * letters)  # a letter's share of the width
    high *= max(2.2, (high / low) ** (room / (1 - room)))
    axes.set_xlim(low, high)
    axes.set_xticks([tick for tick in _SECONDS if low <= tick <= high])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _time(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_tick_params(which="minor", length=0)
    errors = [100 * one[key] for one in records for key in ("error", "error_tta") if one.get(key)]
    axes.set_ylim(min(errors) / 1.3, max(errors) * 1.4)
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1, 2, 3, 4, 5, 6, 8)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="major", color="#EEEEEE", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"


def _hardware(record: Record, language: str) -> str:
    return in_language(str(record["hardware"]), language)


if __name__ == "__main__":
    draw_all()
