"""What an exercise asks once its numbers are drawn: a choice, a number or a piece of code, with what goes with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from convoscope.convolution.arrays import Array
from convoscope.core.messages import Both

Sentence: TypeAlias = Both | str | int | float
"""What may be shown: a sentence in both languages, or what is the same in both."""


class Draw(random.Random):
    """The dice of an exercise: seeded, so that a student always meets the same numbers."""

    def numbers(self, rows: int, columns: int, low: int, high: int) -> Array:
        """Whole numbers from `low` to `high`, (rows, columns)."""
        return np.array([[self.randint(low, high) for _ in range(columns)] for _ in range(rows)])


@dataclass(frozen=True)
class Slip:
    """A wrong answer that people often give, and what it forgets."""

    value: Sentence
    why: Both


@dataclass(frozen=True)
class Choice:
    """One of several answers is right.

    Args:
        right: the right one.
        wrong: the others; each says why it is wrong.
    """

    right: Sentence
    wrong: Sequence[Slip]

    kind = "choice"


@dataclass(frozen=True)
class Number:
    """The answer is a number.

    Args:
        value: the right one; a whole number must be met exactly.
        digits: decimals that are asked for; 0 for a whole number.
        slips: wrong numbers that people often give.
    """

    value: int | float
    digits: int = 0
    slips: Sequence[Slip] = ()

    kind = "number"

    def meets(self, given: float, value: float | None = None) -> bool:
        """Whether `given` is `value` (the right one, if not given), as far as the digits asked for can tell."""
        wanted = self.value if value is None else value
        # Half a unit of the last digit is rounding; a little more, since what is rounded was rounded before.
        return abs(given - wanted) <= 0.51 * 10**-self.digits if self.digits else given == wanted

    def written(self) -> str:
        """The right number with its decimals."""
        return f"{self.value:.{self.digits}f}" if self.digits else str(int(self.value))


@dataclass(frozen=True)
class Code:
    """The answer is a function, run on many cases.

    Args:
        signature: ``name(argument, …)``.
        reference: what it must equal.
        cases: from the dice to the arguments of each case, small ones first.
        solution: a right answer, as it might be written; a contract test runs it.
    """

    signature: str
    reference: Callable[..., Any]
    cases: Callable[[Draw], Sequence[tuple[Any, ...]]]
    solution: str

    kind = "code"

    @property
    def arguments(self) -> int:
        """How many arguments the function takes."""
        return self.signature.count(",") + 1


@dataclass(frozen=True, eq=False)
class Figure:
    """Numbers that belong to the question.

    Args:
        name: what it is called in Python.
        numbers: (rows, columns) of a matrix or table; (H, W) or (C, H, W) uint8 of a picture.
        caption: what it is.
        kind: "matrix" and "table" are read number by number, a "picture" is looked at.
        columns: headings of a table.
        rows: what each row of a table is.
    """

    name: str
    numbers: Array
    caption: Both
    kind: Literal["matrix", "table", "picture"] = "matrix"
    columns: Sequence[Sentence] = ()
    rows: Sequence[Sentence] = ()


@dataclass(frozen=True, eq=False)
class Task:
    """An exercise with its numbers drawn.

    Args:
        answer: what is right.
        values: what the texts of the exercise name.
        figures: numbers and pictures that belong to the question.
    """

    answer: Choice | Number | Code
    values: Mapping[str, Any] = field(default_factory=dict)
    figures: Sequence[Figure] = ()
