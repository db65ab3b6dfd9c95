"""Large numbers as people read them."""

from __future__ import annotations

from convoscope.core.messages import language

_MOST_TOGETHER = 9999  # in Spanish four digits stay together


def grouped(number: float, places: int = 0) -> str:
    """Digits in threes, with `places` decimals.

    Spanish sets groups apart by spaces, of five digits on (Real Academia Española, Ortografía 2010): a reader of it
    takes a comma for the decimal mark.
    """
    words = f"{number:,.{places}f}" if places else f"{round(number):,}"
    if language() != "es":
        return words
    return words.replace(",", "" if abs(number) <= _MOST_TOGETHER else "\u00a0")
