"""What is said of an answer, and words that show themselves well in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass


class Words(str):
    """A text that a notebook shows as a text, with its lines, and not as a quoted string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f'<div style="white-space: pre-wrap">{html.escape(self)}</div>'


@dataclass(frozen=True, repr=False)
class Verdict:
    """What became of an answer; true if it was right.

    Args:
        correct: whether it was right.
        message: what to think of it, in the exercise's language.
        usable: whether it was an answer at all; one that was not doesn't count as an attempt.
    """

    correct: bool
    message: str
    usable: bool = True

    def __bool__(self) -> bool:
        return self.correct

    def __str__(self) -> str:
        return self.message

    __repr__ = __str__

    def _repr_html_(self) -> str:
        sign = "✓" if self.correct else "✗" if self.usable else "?"
        return f'<div style="white-space: pre-wrap"><b>{sign}</b> {html.escape(self.message)}</div>'
