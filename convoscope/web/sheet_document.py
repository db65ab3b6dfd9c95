"""A sheet as one JSON-ready document for ``sheet.js``: its blocks, their texts in both languages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convoscope.data.listing import as_text
from convoscope.web.api_bench import encoded
from convoscope.web.document import sentences
from convoscope.web.network_forms import encoded_floats, likely

if TYPE_CHECKING:
    from convoscope.inspection.sheet import Block, Sheet, Shot, Text


def sheet_page(sheet: Sheet) -> dict[str, Any]:
    """All that a page without a server needs."""
    return {"level": "sheet", **sentences(), **sheet_document(sheet)}


def sheet_document(sheet: Sheet) -> dict[str, Any]:
    """The sheet itself."""
    run, subject = sheet.run, sheet.subject
    picture = None
    if subject is not None:
        picture = encoded(subject.pixels).model_dump() | {"label": subject.label, "index": subject.index}
    return {
        "view": sheet.view,
        "title": text_document(sheet.title),
        "lead": text_document(sheet.lead),
        "model": str(run.config["model"]),
        "data": as_text(str(run.config["data"]["name"])),
        "classes": list(run.classes),
        "live": sheet.live,
        "picture": picture,
        "probabilities": sheet.look and [one.model_dump() for one in likely(run, sheet.look.probabilities)],
        "blocks": [_block(block) for block in sheet.blocks],
    }


def text_document(text: Text) -> str | dict[str, str]:
    """A text in both languages, or the one that is the same in all."""
    return text if isinstance(text, str) else text.to_dict()


def _block(block: Block) -> dict[str, Any]:
    # Imported here, so that a page without a run opens without PyTorch.
    from convoscope.inspection.sheet import Chart, Matrix, Note, Pictures, Table

    if isinstance(block, Note):
        return {"kind": "note", "text": text_document(block.text)}
    told: dict[str, Any] = {"title": text_document(block.title), "note": text_document(block.note)}
    if isinstance(block, Table):
        rows = [[text_document(cell) for cell in row] for row in block.rows]
        heads = [text_document(column) for column in block.columns]
        return {
            "kind": "table",
            **told,
            "columns": heads,
            "rows": rows,
            "numeric": block.numeric,
            "folded": block.folded,
        }
    if isinstance(block, Pictures):
        return {"kind": "pictures", **told, "size": block.size, "shots": [_shot(shot) for shot in block.shots]}
    if isinstance(block, Chart):
        series = [
            {"name": text_document(one.name), "kind": one.kind, "x": _numbers(one.x), "y": _numbers(one.y)}
            for one in block.series
        ]
        axes = {
            "x": text_document(block.x),
            "y": text_document(block.y),
            "ticks": list(block.ticks),
            "limits": block.limits,
        }
        return {"kind": "chart", **told, **axes, "series": series}
    if not isinstance(block, Matrix):
        raise TypeError(f"no document is known for a {type(block).__name__}")
    opens = [
        {"row": row, "column": column, "shots": list(map(_shot, shots))} for (row, column), shots in block.opens.items()
    ]
    return {
        "kind": "matrix", **told, "rows": text_document(block.rows), "columns": text_document(block.columns),
        "row_names": list(block.row_names), "column_names": list(block.column_names),
        "values": [_numbers(line) for line in block.values.tolist()], "colours": block.kind, "opens": opens,
    }  # fmt: skip


def _shot(shot: Shot) -> dict[str, Any]:
    about = {"caption": text_document(shot.caption), "box": shot.box, "mark": shot.mark, "label": shot.label}
    return {**_picture(shot.pixels), **about}


def _picture(pixels: NDArray[Any]) -> dict[str, Any]:
    if pixels.ndim == 2:
        return encoded_floats(pixels[None].astype(np.float32)).model_dump()
    return encoded(np.ascontiguousarray(pixels, dtype=np.uint8)).model_dump()


def _numbers(values: Any) -> list[float | None]:
    """JSON knows no NaN."""
    return [float(value) if math.isfinite(value) else None for value in values]
