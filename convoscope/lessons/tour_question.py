"""The questions that a lesson asks itself: what they look like to the reader, and what becomes of an answer."""

from __future__ import annotations

import string
from typing import TypeAlias

from convoscope.core.messages import language, say
from convoscope.lessons.answers import judge_number
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
        return say("lessons.form_choice", letters=", ".join(choices(question)))
    return say("lessons.form_decimals" if question.digits else "lessons.form_whole", digits=question.digits)


def judge(question: Asked, given: str) -> Verdict:
    """Judge a letter, or a number as it is typed."""
    if isinstance(question, NumberQuestion):
        verdict = judge_number(Number(question.answer, question.digits), given)
    else:
        letter = given.strip().casefold()
        right = letter == string.ascii_lowercase[question.answer - 1]
        verdict = Verdict(right, form(question), usable=letter in choices(question))
    # What exercises say of an answer names their commands in Python, which a lesson's question doesn't have.
    said = say("tours.right" if verdict else "tours.wrong") if verdict.usable else verdict.message
    return Verdict(verdict.correct, said, verdict.usable)


def answer_line(question: Asked) -> str:
    """The right answer in a sentence."""
    if isinstance(question, NumberQuestion):
        return say("lessons.answer_number", number=Number(question.answer, question.digits).written())
    letter = string.ascii_lowercase[question.answer - 1]
    return say("lessons.answer_choice", letter=letter, words=choices(question)[letter])
