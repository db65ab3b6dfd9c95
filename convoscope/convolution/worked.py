"""Numbers, sums and maps as text: short to read, and honest about rounding."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from convoscope.convolution.arrays import Array

WIDTH = 100
"""Columns of a worked sum before it is wrapped."""

SUM_DIGITS = 7
"""Significant digits of a sum; what goes into it has four."""

_FACTOR_DIGITS = 4
_MOST_SHOWN = 20


def number(value: Any, digits: int = _FACTOR_DIGITS) -> str:
    """`value` as it is written: integers in full, others to `digits` significant digits."""
    if isinstance(value, int | np.integer) or (float(value).is_integer() and abs(float(value)) < 1e15):
        return str(int(value))
    return format(float(value), f".{digits}g")


def is_exact(value: Any, digits: int = _FACTOR_DIGITS) -> bool:
    """Whether `number` shows the whole of `value` (judged in its own precision)."""
    as_own_kind = value.dtype.type if isinstance(value, np.generic) else type(value)
    return bool(as_own_kind(number(value, digits)) == value)


def signed(value: Any, digits: int = _FACTOR_DIGITS) -> str:
    """`value` as a term or factor: negative ones in brackets, as in ``0×(-1)``."""
    text = number(value, digits)
    return f"({text})" if text.startswith("-") else text


def product_sum(window: Array, kernel: Array) -> list[str]:
    """The terms ``pixel×weight``, in reading order."""
    return [f"{signed(a)}×{signed(b)}" for a, b in zip(window.ravel(), kernel.ravel(), strict=True)]


def equals(numbers: Sequence[Any], result: Any, digits: int = _FACTOR_DIGITS) -> str:
    """``= result``, or ``≈ result`` when the result or any of `numbers` (shown to `digits`) was rounded to be shown."""
    exact = all(is_exact(value, digits) for value in numbers) and is_exact(result, SUM_DIGITS)
    return f"{'=' if exact else '≈'} {number(result, SUM_DIGITS)}"


def wrapped(terms: Sequence[str], ending: str, opening: str = "", joint: str = " + ") -> str:
    """`opening`, the `terms` joined, and `ending`, in lines of at most `WIDTH` columns that never split a term."""
    # Spaces inside a term become a mark that the wrapper doesn't see, so that only joints are places to break.
    line = joint.join(term.replace(" ", "\0") for term in terms) + " " + ending.replace(" ", "\0")
    lines = textwrap.wrap(
        line,
        WIDTH,
        initial_indent=opening,
        subsequent_indent=" " * (len(opening) or 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\0", " ")


def table(numbers: Array) -> str:
    """`numbers` (rows, columns), aligned; of large ones the first and last rows and columns."""
    height, width = numbers.shape
    rows, columns = _shown(height), _shown(width)
    cells = [["…" if at is None or to is None else number(numbers[at, to]) for to in columns] for at in rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    return "\n".join(" ".join(cell.rjust(wide) for cell, wide in zip(row, widths, strict=True)) for row in cells)


def _shown(count: int) -> list[int | None]:
    if count <= _MOST_SHOWN:
        return list(range(count))
    half = _MOST_SHOWN // 2
    return [*range(half), None, *range(count - half, count)]
