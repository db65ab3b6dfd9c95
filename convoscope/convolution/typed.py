"""What is typed on the command line or on the page: kernels, padding, numbers for rows and columns."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from convoscope.convolution.arrays import Array
from convoscope.convolution.kernel import kernels
from convoscope.convolution.shapes import Padding, Pair
from convoscope.core.errors import RequestError

_NUMBER = r"[+-]?(?:\d{1,18}(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?"
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_CELL = re.compile(rf"(?P<over>{_NUMBER})(?:/(?P<under>{_NUMBER}))?", re.IGNORECASE)
_MOST_CELLS = 250_000


def read_kernel(text: str) -> Array:
    """A kernel as it is typed: the name of one, or its numbers, (kH, kW).

    Raises:
        RequestError: neither.
    """
    return np.asarray(kernels[text.strip()]) if text.strip()[:1].isalpha() else parse_kernel(text)


def parse_kernel(text: str) -> Array:
    """Numbers in rows: ``1,-1,1; -1,1,-1; 1,-1,1``.

    Rows end with a semicolon or a new line; numbers are parted by commas or blanks; fractions such as 1/9 are numbers.

    Returns:
        (kH, kW): int64 when all are whole numbers, else float64.

    Raises:
        RequestError: empty, ragged, or something in it is no number.
    """
    return parse_numbers(text, "kernel")


def parse_numbers(text: str, field: str) -> Array:
    """Numbers in rows, as in `parse_kernel`; `field` is what an error calls them."""
    lines = [line for line in re.split(r"[;\n]", text.replace("−", "-")) if line.strip()]
    rows = [re.split(r"\s*,\s*|\s+", line.strip()) for line in lines]
    if not rows:
        raise RequestError("convolution.typed_empty", field=field)
    if sum(len(row) for row in rows) > _MOST_CELLS:
        raise RequestError("convolution.typed_many", field=field, most=_MOST_CELLS)
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise RequestError(
                "convolution.typed_ragged", field=field, row=index + 1, count=len(row), first=len(rows[0])
            )
    numbers = [[_cell(cell, field, index + 1) for cell in row] for index, row in enumerate(rows)]
    return np.array(numbers)


def parse_padding(text: str) -> Padding:
    """``valid``, ``same``, ``1``, ``1,2`` (rows, columns) or ``1,1,2,2`` (top, bottom, left, right).

    Raises:
        RequestError: another form.
    """
    words = text.strip().lower()
    if words == "valid":
        return "valid"
    if words == "same":
        return "same"
    numbers = _wholes(text)
    if numbers and len(numbers) == 1:
        return numbers[0]
    if numbers and len(numbers) == 2:
        return numbers[0], numbers[1]
    if numbers and len(numbers) == 4:
        return (numbers[0], numbers[1]), (numbers[2], numbers[3])
    raise RequestError("convolution.padding_form", field="padding", asked=text)


def parse_pair(text: str, field: str) -> Pair:
    """``2`` or ``2,1`` (rows, columns).

    Raises:
        RequestError: another form.
    """
    numbers = _wholes(text)
    if numbers and len(numbers) == 1:
        return numbers[0]
    if numbers and len(numbers) == 2:
        return numbers[0], numbers[1]
    raise RequestError("convolution.pair_form", field=field, asked=text)


def _wholes(text: str) -> list[int] | None:
    parts = [part.strip() for part in text.split(",")]
    return [int(part) for part in parts] if all(_WHOLE.fullmatch(part) for part in parts) else None


def _cell(text: str, field: str, row: int) -> int | float:
    match = _CELL.fullmatch(text)
    value: Any = None
    if match:
        over, under = match["over"], match["under"]
        if under is None:
            value = int(over) if _WHOLE.fullmatch(over) else float(over)
        elif float(under) != 0:
            value = float(over) / float(under)
    if value is None or not np.isfinite(value):
        raise RequestError("convolution.typed_number", field=field, asked=text, row=row)
    return int(value) if isinstance(value, int) else float(value)
