"""What is read as a number, and what is said of a student's code."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convoscope.core.messages import using_language
from convoscope.lessons.answers import read_number
from convoscope.lessons.exercise import Exercise
from convoscope.lessons.registry import registry


@given(st.integers(-(10**12), 10**12))
def test_whole_numbers_are_read_however_they_are_grouped(number: int) -> None:
    for text in (str(number), f"{number:,}", f"{number:,}".replace(",", "."), f" {number:,} ".replace(",", " ")):
        assert read_number(text, whole=True) == number
    assert read_number(np.int64(number), whole=True) == number


@given(st.integers(-(10**6), 10**6))
def test_decimals_are_read_with_either_sign(thousandths: int) -> None:
    text = f"{thousandths / 1000:.3f}"
    for typed in (text, text.replace(".", ","), f"{thousandths}/1000"):
        assert read_number(typed, whole=False) == pytest.approx(thousandths / 1000)


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_none(text: str) -> None:
    for whole in (True, False):
        number = read_number(text, whole=whole)
        # NumPy has no isfinite for whole numbers beyond 64 bits.
        assert number is None or math.isfinite(number)


class _Odd:
    """Of a library that refuses to be made into an array in its own way."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("not this way")


def _in_place(x: Any) -> Any:
    x[x < 0] = 0
    return x


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (_in_place, "changed what it was given"),
        (lambda x: sys.exit(3), "stopped with SystemExit"),
        (lambda x: x[99], "stopped with IndexError"),
        (lambda x: None, "gave None"),
        (lambda x: "zero", "no numbers"),
        (lambda x: [torch.ones(2, requires_grad=True)], "Not yet"),
        (lambda x: _Odd(), "no numbers"),
        (lambda x: x[:0], "The shape should be"),
        (lambda x: x - 1, "It should give"),
    ],
)
def test_what_goes_wrong_in_code_is_told_with_its_case(code: Any, words: str) -> None:
    with using_language("en"):
        verdict = Exercise(registry.get("code-relu"), 1, recorded=False).check(code)
    assert (verdict.correct, verdict.usable) == (False, True)
    assert words in verdict.message
    assert "x = array(" in verdict.message


def test_a_tensor_with_a_gradient_is_judged_by_its_numbers() -> None:
    exercise = Exercise(registry.get("code-relu"), 1, recorded=False)
    assert exercise.check(lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True).relu()).correct
