from __future__ import annotations

import pytest

from convoscope.core.messages import using_language
from convoscope.core.numerals import grouped


@pytest.mark.parametrize(
    ("number", "places", "english", "spanish"),
    [
        (8, 0, "8", "8"),
        (1000, 0, "1,000", "1\u00a0000"),
        (12345, 0, "12,345", "12\u00a0345"),
        (61706000, 0, "61,706,000", "61\u00a0706\u00a0000"),
        (1234.56, 1, "1,234.6", "1\u00a0234.6"),
        (1499.7, 0, "1,500", "1\u00a0500"),
    ],
)
def test_no_reader_takes_a_group_for_a_fraction(number: float, places: int, english: str, spanish: str) -> None:
    with using_language("en"):
        assert grouped(number, places) == english
    with using_language("es"):
        assert grouped(number, places) == spanish
