"""An exercise as HTML and its tables as text: no script, everything escaped, for any notebook."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from convoscope.convolution.worked import number
from convoscope.core.messages import say
from convoscope.core.tables import aligned
from convoscope.lessons.task import Figure

if TYPE_CHECKING:
    from convoscope.lessons.exercise import Exercise

_BOX = "border-left: 4px solid #4477aa; padding: 0.2em 1em; max-width: 46em"
_CELL = "text-align: right; padding: 0.1em 0.5em; border: 1px solid #8888"
_SIDE = 168  # pixels at which a picture is shown


def exercise_html(exercise: Exercise) -> str:
    """The question with its figures and choices, and what an answer looks like."""
    parts = [f"<b>{html.escape(exercise.title)}</b> <code>{html.escape(exercise.name)}</code>"]
    parts.append(f'<div style="white-space: pre-wrap; margin: 0.6em 0">{html.escape(exercise.question)}</div>')
    parts += [_figure(figure) for figure in exercise.drawn]
    if exercise.choices:
        rows = (f"<li>{html.escape(words)}</li>" for words in exercise.choices.values())
        parts.append(f'<ol type="a">{"".join(rows)}</ol>')
    call = say("lessons.call", form=exercise.form)
    parts.append(f"<div><small>{html.escape(call)}</small></div>")
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def table_html(head: list[str], rows: list[list[str]]) -> str:
    """A table; the first column is read as words, the others as numbers."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    top = f"<thead><tr>{top}</tr></thead>" if head else ""
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{html.escape(cell)}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f'<table style="border-collapse: collapse">{top}<tbody>{body}</tbody></table>'


def text_table(figure: Figure) -> str:
    """A table with its headings, aligned."""
    head, rows = _cells(figure)
    return "\n".join(aligned([head, *rows] if head else rows, 0))


def _cells(figure: Figure) -> tuple[list[str], list[list[str]]]:
    rows = [[number(value) for value in row] for row in figure.numbers]
    if figure.rows:
        rows = [[str(name), *row] for name, row in zip(figure.rows, rows, strict=True)]
    head = [str(name) for name in figure.columns]
    return (["", *head] if head and figure.rows else head), rows


def _figure(figure: Figure) -> str:
    caption = f"<small><code>{html.escape(figure.name)}</code>: {html.escape(str(figure.caption))}</small>"
    content = _picture(figure.numbers) if figure.kind == "picture" else table_html(*_cells(figure))
    return f'<div style="display: inline-block; vertical-align: top; margin: 0 1em 0.6em 0">{caption}{content}</div>'


def _picture(pixels: Any) -> str:
    from PIL import Image

    shown = pixels if pixels.ndim == 2 else np.moveaxis(pixels, 0, -1)
    if shown.ndim == 3 and shown.shape[-1] == 1:
        shown = shown[..., 0]
    file = io.BytesIO()
    Image.fromarray(shown).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<div><img alt="" width="{_SIDE}" style="image-rendering: pixelated" src="data:image/png;base64,{data}"></div>'
    )
