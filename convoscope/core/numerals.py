"""Large numbers as people read them."""

from __future__ import annotations

from convoscope.core.messages import language


def grouped(number: float, places: int = 0) -> str:
    """Digits in threes, with `places` decimals.

    Spanish sets them apart by spaces (Real Academia Española, Ortografía 2010): a reader of it takes a comma for the
    decimal mark.
    """
    words = f"{number:,.{places}f}" if places else f"{round(number):,}"
    return words.replace(",", "\u00a0") if language() == "es" else words
