from __future__ import annotations

from convoscope.core.tables import aligned


def test_words_stand_to_the_left_and_numbers_to_the_right() -> None:
    rows = [("name", "kind", "count"), ("conv", "Conv2d", "7"), ("a", "b", "")]
    assert aligned(rows) == ["name  kind    count", "conv  Conv2d      7", "a     b"]
    assert aligned(rows, 0)[1] == "conv  Conv2d      7"
    assert aligned(rows, 0)[0] == "name    kind  count"
    assert aligned(rows, 3)[1] == "conv  Conv2d  7"
