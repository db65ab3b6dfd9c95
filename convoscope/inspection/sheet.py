"""What a view found, as a sheet of blocks: tables, charts, matrices and pictures, drawn in the same way everywhere.

A view only says what is to be seen. How it is drawn is known to the terminal (`Sheet.__str__`), to `sheet_drawing` and
to the page's ``sheet.js``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convoscope.core import display
from convoscope.core.messages import LANGUAGES, Both, say, using_language
from convoscope.core.tables import aligned
from convoscope.inspection.look import Look
from convoscope.inspection.numbers import number
from convoscope.inspection.saving import write_view
from convoscope.inspection.subject import Subject, told_of
from convoscope.runs.run import Run
from convoscope.runs.views import told

_MOST_ROWS, _MOST_POINTS = 40, 20


@dataclass(frozen=True)
class Words:
    """A sentence of this room's catalogue, in whatever language it is read.

    Args:
        key: its name in ``core/catalogue/inspection.toml``.
        values: what is put in; they may be `Words` themselves.
    """

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return say(f"inspection.{self.key}", **{name: str(value) for name, value in self.values.items()})

    def to_dict(self) -> dict[str, str]:
        """Language -> sentence."""
        said = {}
        for code in LANGUAGES:
            with using_language(code):
                said[code] = str(self)
        return said


Text: TypeAlias = str | Words | Both
"""What is the same in all languages (a class's or a layer's name, a number), or a sentence: one of this room's
catalogue, or one of the view's own file."""


def words(key: str, **values: Any) -> Words:
    """The sentence `key` with `values`."""
    return Words(key, values)


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    text: Text


@dataclass(frozen=True)
class Table:
    """Rows of cells; `numeric` says which columns hold numbers, and stand to the right.

    Args:
        title: what it shows.
        columns: their heads.
        rows: a cell a column.
        numeric: from which column on numbers stand; those before are words.
        note: how it is to be read.
        folded: whether a page shows it only when asked.
    """

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    numeric: int = 1
    note: Text = ""
    folded: bool = False


@dataclass(frozen=True, eq=False)
class Shot:
    """A small picture with a line or two under it.

    Args:
        pixels: (C, H, W) uint8, a picture; or (H, W) float32, signed numbers with zero in the middle of the colours.
        caption: what stands under it.
        box: (top, left, rows, columns) to be outlined, in pixels.
        mark: by what it is named in a file of corrections; None where it can't be corrected.
        label: the index of its class, for a picture that can be corrected.
    """

    pixels: NDArray[np.uint8] | NDArray[np.float32]
    caption: Text
    box: tuple[int, int, int, int] | None = None
    mark: str | None = None
    label: int | None = None


@dataclass(frozen=True, eq=False)
class Pictures:
    """Small pictures side by side."""

    title: Text
    shots: tuple[Shot, ...]
    note: Text = ""
    size: int = 72


@dataclass(frozen=True)
class Series:
    """One curve of a chart: points (x, y), joined by lines or as bars."""

    name: Text
    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: Literal["line", "bars", "guide"] = "line"


@dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes.

    Args:
        title: what it shows.
        x: the name of the horizontal axis.
        y: the name of the vertical axis.
        series: the curves.
        note: how it is to be read.
        ticks: names of the places 0, 1, 2 … of the horizontal axis, instead of its numbers.
        limits: (least, greatest) of the vertical axis; from the numbers if None.
    """

    title: Text
    x: Text
    y: Text
    series: tuple[Series, ...]
    note: Text = ""
    ticks: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Matrix:
    """Numbers in rows and columns, each on its colour.

    Args:
        title: what it shows.
        rows: what a row is, in general.
        columns: what a column is.
        row_names: one a row.
        column_names: one a column.
        values: (rows, columns).
        kind: ``errors``, counts of which the diagonal is right; ``share``, 0 … 1; ``signed``, zero in the middle.
        note: how it is to be read.
        opens: (row, column) -> the pictures behind that number.
    """

    title: Text
    rows: Text
    columns: Text
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    values: NDArray[Any]
    kind: Literal["errors", "share", "signed"]
    note: Text = ""
    opens: Mapping[tuple[int, int], tuple[Shot, ...]] = field(default_factory=dict)


Block: TypeAlias = Note | Table | Pictures | Chart | Matrix


@dataclass(frozen=True, eq=False)
class Sheet:
    """What a view found in a run; it displays itself in a notebook, and ``str`` of it is text.

    Args:
        view: the view as it was asked for, with its parameters.
        run: the run.
        blocks: what is to be seen, in order.
        numbers: all that was found, ready for JSON.
        subject: the picture, for views that look at one.
        look: what the net made of it.
        live: whether it changes by itself, and is to be asked for again.
    """

    view: str
    run: Run
    blocks: tuple[Block, ...]
    numbers: dict[str, Any]
    subject: Subject | None = None
    look: Look | None = None
    live: bool = False

    @property
    def title(self) -> Both:
        """The view's name for people."""
        return told(self.view.partition(":")[0]).title

    @property
    def lead(self) -> Both:
        """What it shows, in a line."""
        return told(self.view.partition(":")[0]).lead

    @property
    def likeliest(self) -> tuple[str, float] | None:
        """The class that the net gives to the picture, and its probability."""
        return None if self.look is None else self.look.likeliest(self.run.classes)

    def to_dict(self) -> dict[str, Any]:
        """All numbers as plain lists, ready for JSON."""
        return {"view": self.view, "chart": "sheet", **told_of(self.subject, self.likeliest), **self.numbers}

    def save(self, path: Path | str) -> Path:
        """Write the view as a page that works from disk (``.html``), or as a picture (``.png``).

        Raises:
            RequestError: another suffix, or the file can't be written.
        """
        from convoscope.inspection.sheet_drawing import picture_of_sheet

        return write_view(self, path, picture_of_sheet)

    def __str__(self) -> str:
        parts = [] if self.subject is None else [self.subject.said(self.likeliest)]
        parts += [text for block in self.blocks if (text := text_of(block))]
        return "\n\n".join(parts)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return display.mime_bundle(self)


def text_of(block: Block) -> str:
    """A block as it stands in a terminal; pictures are only told."""
    if isinstance(block, Note):
        return str(block.text)
    lines = [str(block.title)]
    if isinstance(block, Table):
        lines += _rows_of(block.columns, block.rows, block.numeric)
    elif isinstance(block, Matrix):
        head = [f"{block.rows} \\ {block.columns}", *block.column_names]
        rows = [[name, *map(number, line)] for name, line in zip(block.row_names, block.values, strict=True)]
        lines += _rows_of(head, rows, 1)
    elif isinstance(block, Chart):
        lines += _points_of(block)
    elif isinstance(block, Pictures):
        lines += [f"  {shot.caption}" for shot in block.shots]
    return "\n".join(lines)


def _rows_of(head: Sequence[Text], rows: Sequence[Sequence[Text]], numeric: int) -> list[str]:
    shown = [list(map(str, row)) for row in rows[:_MOST_ROWS]]
    lines = aligned([list(map(str, head)), *shown], numeric)
    return [*lines, say("inspection.more_rows", count=len(rows) - _MOST_ROWS)] if len(rows) > _MOST_ROWS else lines


def _points_of(chart: Chart) -> list[str]:
    lines = []
    for series in chart.series:
        if series.kind == "guide":
            continue
        if len(series.x) > _MOST_POINTS:
            lines.append(f"{series.name}: {number(min(series.y))} … {number(max(series.y))}")
            continue
        places = [chart.ticks[int(x)] if chart.ticks else number(x) for x in series.x]
        rows = [(place, number(y)) for place, y in zip(places, series.y, strict=True)]
        lines += [str(series.name), *_rows_of((chart.x, chart.y), rows, 1)]
    return lines
