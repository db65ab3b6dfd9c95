"""Judging a choice or a number: what was meant by what was given, and whether it is right."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from convoscope.core.messages import say
from convoscope.lessons.task import Choice, Number
from convoscope.lessons.verdict import Verdict

_MOST_SIGNS = 60
_LARGEST = 10**_MOST_SIGNS
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,]\d{3})+")
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
_RATIO = re.compile(r"[+-]?\d+/\d*[1-9]\d*")


def choice_form(letters: Iterable[str]) -> str:
    """What an answer to a choice looks like."""
    return say("lessons.form_choice", letters=", ".join(letters))


def number_form(digits: int) -> str:
    """What an answer looks like that is a number with `digits` decimals, or a whole one."""
    return say("lessons.form_decimals" if digits else "lessons.form_whole", digits=digits)


def choice_told(letter: str, choices: Mapping[str, str]) -> str:
    """The right choice in a sentence."""
    return say("lessons.answer_choice", letter=letter, words=choices[letter])


def number_told(task: Number) -> str:
    """The right number in a sentence."""
    return say("lessons.answer_number", number=task.written())


def judge_choice(task: Choice, choices: Mapping[str, str], right: str, given: Any) -> Verdict:
    """Judge the letter or the words of a choice.

    Args:
        task: the exercise.
        choices: letter -> words.
        right: the right letter.
        given: the answer.
    """
    letter = _letter(choices, given)
    if letter is None:
        return Verdict(False, choice_form(choices), usable=False)
    if letter == right:
        return Verdict(True, say("lessons.right"))
    why = next(slip.why for slip in task.wrong if str(slip.value) == choices[letter])
    return Verdict(False, say("lessons.wrong_why", why=why))


def judge_number(task: Number, given: Any) -> Verdict:
    """Judge a number, given as one or as it is typed."""
    number = read_number(given, whole=not task.digits)
    if number is None or (not task.digits and number != int(number)):
        return Verdict(False, number_form(task.digits), usable=False)
    if task.meets(number):
        return Verdict(True, say("lessons.right"))
    for slip in task.slips:
        if task.meets(number, float(str(slip.value))):
            return Verdict(False, say("lessons.wrong_why", why=slip.why))
    return Verdict(False, say("lessons.wrong"))


def read_number(given: Any, *, whole: bool) -> int | float | None:
    """The number that was meant, given as one or as text: ``1234``, ``0.25``, ``1e-3``, ``3/4``; None if none was.

    A comma or a point sets digits apart where a `whole` number is asked for, and is the decimal sign where it is not:
    so both languages are read, and nobody's 0,25 is taken for 25. A space always sets digits apart.
    """
    if isinstance(given, np.ndarray) and given.size == 1:
        given = given.item()
    if isinstance(given, str):
        return _typed(given, whole=whole)
    if isinstance(given, bool | np.bool_) or not isinstance(given, numbers.Real):
        return None
    if isinstance(given, numbers.Integral):
        return int(given) if abs(given) < _LARGEST else None
    return float(given) if math.isfinite(given) else None


def _typed(text: str, *, whole: bool) -> int | float | None:
    text = re.sub(r"(?<=\d)\s(?=\d{3}(?!\d))", "", text.strip()).replace("−", "-")
    if len(text) > _MOST_SIGNS:
        return None
    if whole and _GROUPED.fullmatch(text):
        text = re.sub(r"[.,]", "", text)
    if "," in text and "." in text:
        # 1,234.5 or 1.234,5: the first of the two sets digits apart.
        text = text.replace(min(",.", key=text.index), "")
    text = text.replace(",", ".", 1)
    if not (_PLAIN.fullmatch(text) or _RATIO.fullmatch(text)):
        return None
    number = Fraction(text)
    return int(number) if number.denominator == 1 else float(number)


def _letter(choices: Mapping[str, str], given: Any) -> str | None:
    """The letter that was meant by a letter or by the words themselves."""
    if isinstance(given, int | float | np.number) and not isinstance(given, bool):
        given = str(given)  # a choice may itself be a number
    if not isinstance(given, str):
        return None
    meant = " ".join(given.split()).casefold()
    if (sign := meant.strip("()")) in choices:
        return sign
    return next((letter for letter, words in choices.items() if " ".join(words.split()).casefold() == meant), None)
