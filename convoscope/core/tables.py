"""Tables as lines of text."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], words: int = 2) -> list[str]:
    """Columns side by side: the first `words` of them to the left, the others, which are numbers, to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = [*"<" * words, *">" * (len(widths) - words)]
    lines = (zip(row, sides, widths, strict=False) for row in rows)
    return ["  ".join(f"{cell:{side}{width}}" for cell, side, width in line).rstrip() for line in lines]
