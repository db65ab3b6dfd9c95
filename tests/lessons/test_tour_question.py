"""The questions that a lesson asks itself."""

from __future__ import annotations

import pytest

from convoscope.core.messages import using_language
from convoscope.lessons.tour import ChoiceQuestion, NumberQuestion
from convoscope.lessons.tour_question import answer_line, choices, form, judge

_BOTH = {"languages": ["en", "es"]}


def both(text: str) -> dict[str, str]:
    return {"en": text, "es": f"{text} (es)"}


CHOICE = ChoiceQuestion.model_validate(
    {"ask": both("Which?"), "choices": [both("this"), both("that")], "answer": 2, "explanation": both("So.")},
    context=_BOTH,
)
WHOLE = NumberQuestion.model_validate(
    {"ask": both("How many?"), "answer": 896, "explanation": both("So.")}, context=_BOTH
)
SHARE = NumberQuestion.model_validate(
    {"ask": both("How much?"), "answer": 0.25, "digits": 2, "explanation": both("So.")}, context=_BOTH
)


@pytest.mark.parametrize(
    ("given", "correct", "usable"),
    [("b", True, True), ("B ", True, True), ("a", False, True), ("c", False, False), ("", False, False)],
)
def test_choices(given: str, correct: bool, usable: bool) -> None:
    verdict = judge(CHOICE, given)
    assert (verdict.correct, verdict.usable) == (correct, usable)


@pytest.mark.parametrize(
    ("given", "correct", "usable"),
    [
        ("896", True, True),
        (" 896 ", True, True),
        ("864", False, True),
        ("896.5", False, False),
        ("many", False, False),
        ("", False, False),
    ],
)
def test_whole_numbers(given: str, correct: bool, usable: bool) -> None:
    verdict = judge(WHOLE, given)
    assert (verdict.correct, verdict.usable) == (correct, usable)


def test_decimals_as_each_language_writes_them() -> None:
    with using_language("es"):
        assert judge(SHARE, "0,25").correct
    with using_language("en"):
        assert judge(SHARE, "1/4").correct
        assert not judge(SHARE, "0.26").correct


def test_what_is_said() -> None:
    with using_language("es"):
        assert choices(CHOICE) == {"a": "this (es)", "b": "that (es)"}
        assert judge(CHOICE, "b").message == "Correcto."
        assert answer_line(CHOICE).startswith("La respuesta es b) that (es)")
    with using_language("en"):
        assert answer_line(SHARE) == "The answer is 0.25."
        assert "exercise." not in judge(WHOLE, "1").message
        assert judge(WHOLE, "x").message == form(WHOLE)
