"""The questions that a lesson asks itself: what they look like to the reader, and what becomes of an answer."""

from __future__ import annotations

import string
from typing import TypeAlias

from convoscope.core.messages import language, say
from convoscope.lessons.answers import choice_form, choice_told, judge_number, number_form, number_told
from convoscope.lessons.task import Number
from convoscope.lessons.tour import ChoiceQuestion, NumberQuestion, Words
from convoscope.lessons.verdict import Verdict

Asked: TypeAlias = ChoiceQuestion | NumberQuestion


def spoken(words: Words) -> str:
    """A text in the language in use, or in the one that the lesson has."""
    return words.get(language()) or next(iter(words.values()))


def choices(question: Asked) -> dict[str, str]:
    """Letter -> answer, of a multiple choice; else empty."""
    if isinstance(question, NumberQuestion):
        return {}
    return dict(zip(string.ascii_lowercase, map(spoken, question.choices), strict=False))


def form(question: Asked) -> str:
    """What an answer looks like."""
    if isinstance(question, ChoiceQuestion):
        return choice_form(choices(question))
    return number_form(question.digits)


def judge(question: Asked, given: str) -> Verdict:
    """Judge a letter, or a number as it is typed."""
    if isinstance(question, NumberQuestion):
        verdict = judge_number(_task(question), given)
    else:
        letter = given.strip().casefold()
        verdict = Verdict(letter == _letter(question), form(question), usable=letter in choices(question))
    # What exercises say of an answer names their commands in Python, which a lesson's question doesn't have.
    said = say("tours.right" if verdict else "tours.wrong") if verdict.usable else verdict.message
    return Verdict(verdict.correct, said, verdict.usable)


def answer_line(question: Asked) -> str:
    """The right answer in a sentence."""
    if isinstance(question, NumberQuestion):
        return number_told(_task(question))
    return choice_told(_letter(question), choices(question))


def _task(question: NumberQuestion) -> Number:
    return Number(question.answer, question.digits)


def _letter(question: ChoiceQuestion) -> str:
    """The letter of the right answer."""
    return string.ascii_lowercase[question.answer - 1]
