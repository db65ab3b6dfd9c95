"""Numbers as every view and the page write them: with the sign of minus, and no line broken before per cent."""

from __future__ import annotations

from typing import Any

import numpy as np


def written(value: float, form: str) -> str:
    """`value` by a format such as ``.3g``."""
    return format(value, form).replace("-", "−")


def number(value: Any) -> str:
    """A number to four digits; what is none, as a dash."""
    value = float(value)
    if not np.isfinite(value):
        return "–"
    return written(value, ".0f" if value == int(value) and abs(value) < 1e6 else ".4g")


def share(value: float, digits: int = 2) -> str:
    """A share as a percentage."""
    return f"{written(100 * value, f'.{digits}f')}\u00a0%" if np.isfinite(value) else "–"


def counted(value: int) -> str:
    """How many there are, its thousands parted by thin spaces."""
    return f"{value:,}".replace(",", "\u2009")
