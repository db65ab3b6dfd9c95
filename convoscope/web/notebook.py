"""How traces and views of runs show themselves in Jupyter, VS Code and Colab: the page's modules as a widget.

Where nothing can run a widget (a notebook read on a web site, or exported), the same output holds a still drawing.
"""

from __future__ import annotations

import base64
import html
import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from convoscope.convolution import Trace
from convoscope.convolution.arrays import Array
from convoscope.convolution.worked import number
from convoscope.core.display import drawer, pager
from convoscope.core.messages import say
from convoscope.inspection.drawing import picture_of
from convoscope.inspection.sheet import Sheet
from convoscope.inspection.sheet_drawing import picture_of_sheet
from convoscope.inspection.shown import Shown
from convoscope.web.assets import assets
from convoscope.web.bundle import bundle
from convoscope.web.document import Traces, trace_document
from convoscope.web.layers_document import layers_document
from convoscope.web.report import page_of
from convoscope.web.sheet_document import sheet_page

_MOST_CELLS = 16
_MOST_PIXELS = 1_000_000
_ABOVE, _BELOW = np.array([212, 90, 34]), np.array([44, 104, 172])


def widget(traces: Traces) -> Any:
    """The bench over a convolution, a pooling, or both, as an anywidget."""
    return _widget(trace_document(traces))


def _widget(document: dict[str, Any]) -> Any:
    return _view_class()(view=document)


@drawer(Trace)
def draw_trace(trace: Trace) -> dict[str, Any]:
    """A trace as a widget, a still drawing and text; one too large for a notebook goes without the widget."""
    still = {"text/html": still_drawing(trace), "text/plain": str(trace)}
    if trace.image.size > _MOST_PIXELS:
        return still
    return {**_mime_bundle(widget(trace)), **still}


@drawer(Shown)
def draw_view(shown: Shown) -> dict[str, Any]:
    """What a view found as a widget, a still drawing and text; a large one goes without the widget."""
    still = _still(shown.view, picture_of(shown), str(shown))
    if sum(panel.values.size for panel in shown.panels) > _MOST_PIXELS:
        return still
    return {**_mime_bundle(_widget(layers_document(shown))), **still}


@drawer(Sheet)
def draw_sheet(sheet: Sheet) -> dict[str, Any]:
    """A sheet as a widget, a still drawing and text."""
    return {**_mime_bundle(_widget(sheet_page(sheet))), **_still(sheet.view, picture_of_sheet(sheet), str(sheet))}


@pager(Sheet)
def page_of_sheet(sheet: Sheet) -> str:
    """A sheet as one HTML file."""
    return page_of(sheet_page(sheet))


def _still(name: str, drawing: bytes, text: str) -> dict[str, Any]:
    style = "max-width:100%;background:#fff"
    data = base64.b64encode(drawing).decode("ascii")
    image = f'<img alt="{html.escape(name)}" src="data:image/png;base64,{data}" style="{style}">'
    return {"text/html": image, "text/plain": text}


@pager(Shown)
def page_of_view(shown: Shown) -> str:
    """What a view found as one HTML file."""
    return page_of(layers_document(shown))


def _mime_bundle(made: Any) -> dict[str, Any]:
    told = made._repr_mimebundle_()
    return (told[0] if isinstance(told, tuple) else told) or {}


def still_drawing(trace: Trace) -> str:
    """The image and the output maps as HTML without scripts: tables of numbers, or pictures of larger ones."""
    signed = bool(trace.image.min() < 0)
    maps = [(say("web.picture"), channel, signed) for channel in trace.image]
    # A pooling keeps what its image is; a convolution's output is signed.
    maps += [(say(f"web.still_{trace.kind}"), one, signed or trace.kind == "convolution") for one in trace.maps]
    figures = "".join(_figure(title, values, signed) for title, values, signed in maps[:12])
    return f'<div style="display:flex;flex-wrap:wrap;gap:1.5em">{figures}</div>'


@cache
def _view_class() -> type[Any]:
    # anywidget takes a while to import, and importing convoscope must not.
    import anywidget
    import traitlets

    class View(anywidget.AnyWidget):
        """The page's modules over one document."""

        _esm = (
            f"{bundle('view.js')}\n"
            "export default { render({ model, el }) { view_js.showView(el, model.get('view')); } };\n"
        )
        _css = assets()["style.css"].text
        view = traitlets.Dict().tag(sync=True)

    return View


def _figure(title: str, values: Array, signed: bool) -> str:
    rows, columns = values.shape
    colours = _colours(values, signed)
    caption = f'<figcaption style="color:#5c5a53">{html.escape(title)}, {rows} × {columns}</figcaption>'
    body = _table(values, colours) if max(rows, columns) <= _MOST_CELLS else _image(title, colours)
    return f'<figure style="margin:0">{caption}{body}</figure>'


def _table(values: Array, colours: Array) -> str:
    cell = '<td style="background:rgb({},{},{});color:{};text-align:center;min-width:2em;padding:.3em">{}</td>'
    lines = [
        "".join(
            cell.format(*colour, "#fff" if colour.mean() < 120 else "#000", number(value))
            for value, colour in zip(row, row_colours, strict=True)
        )
        for row, row_colours in zip(values, colours, strict=True)
    ]
    return f'<table style="border-collapse:collapse">{"".join(f"<tr>{line}</tr>" for line in lines)}</table>'


def _image(title: str, colours: Array) -> str:
    content = io.BytesIO()
    Image.fromarray(colours).save(content, "PNG")
    data = base64.b64encode(content.getvalue()).decode("ascii")
    style = "width:280px;image-rendering:pixelated"
    return f'<img alt="{html.escape(title)}" src="data:image/png;base64,{data}" style="{style}">'


def _colours(values: Array, signed: bool) -> Array:
    """(H, W) numbers to (H, W, 3) uint8: grey, or blue–white–orange with zero in the middle."""
    numbers = values.astype(np.float64)
    if not signed:
        top = 1.0 if numbers.max() <= 1 else max(float(numbers.max()), 255.0 if numbers.max() > 16 else 1.0)
        return np.repeat((255 * numbers / top).astype(np.uint8)[..., None], 3, axis=2)
    part = numbers / (np.abs(numbers).max() or 1.0)
    towards = np.where(part[..., None] < 0, _BELOW, _ABOVE)
    mixed: Array = np.rint(255 + (towards - 255) * np.abs(part)[..., None]).astype(np.uint8)
    return mixed
