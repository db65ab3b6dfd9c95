"""The contract of exercises: a new one is found by itself and held to this."""

from __future__ import annotations

import html
import re
import string
from typing import Any

import numpy as np
import pytest

import convoscope as cs
from convoscope.core.messages import LANGUAGES, using_language
from convoscope.lessons.exercise import Exercise
from convoscope.lessons.registry import Member, in_order, registry
from convoscope.lessons.task import Choice, Code, Draw, Number

NAMES = list(registry)
SEEDS = range(8)


def posed(name: str, seed: int, lang: str = "en") -> Exercise:
    """An exercise whose attempts are not recorded."""
    with using_language(lang):
        return Exercise(registry.get(name), seed, recorded=False)


def right_answer(exercise: Exercise) -> Any:
    answer = exercise._task.answer
    if isinstance(answer, Choice):
        return exercise._right
    if isinstance(answer, Number):
        return answer.written()
    return written(answer)


def written(answer: Code) -> Any:
    """The solution of a code exercise, as a function."""
    names: dict[str, Any] = {}
    exec(compile(answer.solution, "solution", "exec"), names)
    return names[answer.signature.partition("(")[0]]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def texts(member: Member) -> dict[str, Any]:
    first, second = member.hints
    return {
        "title": member.title,
        "question": member.question,
        "hint 1": first,
        "hint 2": second,
        "explanation": member.explanation,
    }


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_the_same(name: str) -> None:
    for what, text in texts(registry.get(name)).items():
        assert text.en.strip(), what
        assert text.en != text.es, what
        assert fields(text.en) == fields(text.es), what


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_right_answer_is_accepted(name: str, lang: str) -> None:
    for seed in SEEDS:
        exercise = posed(name, seed, lang)
        verdict = exercise.check(right_answer(exercise))
        assert verdict.correct, (seed, verdict.message)
        assert exercise.kind == registry.get(name).kind == exercise._task.answer.kind


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_wrong_answer_is_refused_and_counts(name: str, lang: str) -> None:
    for seed in SEEDS:
        exercise = posed(name, seed, lang)
        for wrong in wrong_answers(exercise):
            verdict = exercise.check(wrong)
            assert not verdict.correct, (seed, wrong)
            assert verdict.usable
            assert verdict.message
            assert "{" not in verdict.message.partition("array")[0]


def wrong_answers(exercise: Exercise) -> list[Any]:
    answer = exercise._task.answer
    if isinstance(answer, Choice):
        return [letter for letter in exercise.choices if letter != exercise._right]
    if isinstance(answer, Number):
        return [answer.value + 1, answer.value - 1, -answer.value - 7]
    return [lambda *_: None, lambda *_: 10.0**9, lambda *_: 1 // 0]


@pytest.mark.parametrize("name", NAMES)
def test_rubbish_is_no_attempt(name: str) -> None:
    exercise = posed(name, 1)
    words: list[Any] = ["", "?", "nonsense", b"1", "9" * 5000]
    for rubbish in [*words, None, [], {}, float("nan"), float("inf"), np.zeros(3), len]:
        if rubbish is len and exercise.kind == "code":
            continue  # that is a function, if a wrong one
        verdict = exercise.check(rubbish)
        assert not verdict.correct
        assert not verdict.usable
        assert verdict.message == exercise.form


@pytest.mark.parametrize("name", NAMES)
def test_students_get_different_numbers(name: str) -> None:
    questions = {str(posed(name, seed)) for seed in SEEDS}
    # Of those who only get the order of the choices changed, some meet the same.
    assert len(questions) >= (2 if registry.get(name).kind == "code" else len(SEEDS) // 2) or (
        registry.get(name).kind == "code" and len({cases(name, seed) for seed in SEEDS}) == len(SEEDS)
    )


def cases(name: str, seed: int) -> str:
    exercise = posed(name, seed)
    answer = exercise._task.answer
    assert isinstance(answer, Code)
    return repr(answer.cases(Draw(f"{name} cases {seed}")))


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_is_always_the_same_exercise(name: str) -> None:
    assert str(posed(name, 5)) == str(posed(name, 5))
    shown = [numbers(posed(name, 5, lang).question) for lang in LANGUAGES]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_hints_keep_the_answer_and_the_explanation_gives_it(name: str, lang: str) -> None:
    for seed in SEEDS:
        exercise = posed(name, seed, lang)
        answer = exercise._task.answer
        first, second, again, explanation = exercise.hint(), exercise.hint(), exercise.hint(), exercise.explain()
        assert first != second == again
        if isinstance(answer, Choice):
            right = exercise.choices[exercise._right]
            assert right in explanation
            assert right not in first + second
        elif isinstance(answer, Number):
            assert answer.written() in explanation
            # What stands in the question may stand in the hint, also if it happens to be the answer.
            given = [numbers(str(exercise)), set(map(str, range(5)))]
            assert answer.written() not in (numbers(first) | numbers(second)) - given[0] - given[1]
        else:
            assert answer.solution.strip("\n") in explanation
            assert answer.solution.strip("\n") not in first + second


def numbers(text: str) -> set[str]:
    return set(re.findall(r"-?\d+(?:\.\d+)?", text))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_shows_itself(name: str, lang: str) -> None:
    exercise = posed(name, 2, lang)
    text, shown = str(exercise), exercise._repr_html_()
    assert exercise.title in text
    assert exercise.question in text
    for part in (exercise.title, exercise.question, *exercise.choices.values()):
        assert html.escape(part) in shown
    assert "<script" not in shown
    assert not re.search(r"\{\w*\}", text), "a value was not put in"
    assert (len(exercise.choices) >= 3) == (exercise.kind == "choice")
    for figure, numbers_of_it in exercise.figures.items():
        assert figure.isidentifier()
        assert numbers_of_it.size


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_number_is_asked_for_where_the_answer_is_one(name: str) -> None:
    for seed in SEEDS:
        answer = posed(name, seed)._task.answer
        if isinstance(answer, Number) and not answer.digits:
            assert type(answer.value) is int


def test_they_are_listed_in_the_lectures_order() -> None:
    listed = [entry.name for entry in cs.exercises()]
    assert listed == [member.name for member in in_order()]
    assert set(listed) == set(NAMES)
    orders = [registry.get(name).topic.order for name in listed]
    assert orders == sorted(orders)
