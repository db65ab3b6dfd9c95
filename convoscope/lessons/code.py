"""Judging a function: it is run on seeded cases, small ones first, beside the one it must equal."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from convoscope.core.messages import say
from convoscope.lessons.task import Code, Draw
from convoscope.lessons.verdict import Verdict

_MOST_SHOWN = 1500  # signs of an argument or a result; more help nobody


def judge_code(task: Code, draw: Draw, given: Any) -> Verdict:
    """Run `given` on the cases of the exercise.

    Args:
        task: the exercise.
        draw: the dice for the cases.
        given: the student's function.
    """
    if not callable(given) or not _takes(given, task.arguments):
        return Verdict(False, say("lessons.form_code", signature=task.signature), usable=False)
    cases = task.cases(draw)
    for number, arguments in enumerate(cases, start=1):
        wanted = task.reference(*copy.deepcopy(arguments))
        call = _call(task, arguments)
        try:
            handed = copy.deepcopy(arguments)
            got = given(*handed)
        except (Exception, SystemExit) as error:  # whatever a student's code may raise
            problem = f"{type(error).__name__}: {error}".rstrip(": ")
            return Verdict(False, say("lessons.code_raised", number=number, call=call, problem=_short(problem)))
        if (difference := _difference(wanted, got)) is not None:
            return Verdict(False, say("lessons.code_differs", number=number, call=call, difference=difference))
        if not all(np.array_equal(before, after) for before, after in zip(arguments, handed, strict=True)):
            return Verdict(False, say("lessons.code_changed", number=number, call=call))
    return Verdict(True, say("lessons.code_right", count=len(cases)))


def _takes(given: Any, arguments: int) -> bool:
    """Whether it can be called with so many arguments; what can't be told is tried."""
    try:
        inspect.signature(given).bind(*[None] * arguments)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _difference(wanted: Any, got: Any) -> str | None:
    """How `got` differs from `wanted`; None if it doesn't."""
    if got is None:
        return say("lessons.code_nothing")
    try:
        # A tensor that still knows how it was made has its numbers all the same.
        numbers = np.asarray(got.detach() if hasattr(got, "detach") else got, dtype=np.float64)
    except Exception:  # an object of another library may raise anything
        return say("lessons.code_no_numbers", got=_short(repr(got)))
    right = np.asarray(wanted, dtype=np.float64)
    if numbers.shape != right.shape:
        return say("lessons.code_shape", wanted=right.shape, got=numbers.shape)
    # float32 has about seven digits, and the order of a sum may be another.
    if np.allclose(numbers, right, rtol=1e-5, atol=1e-6):
        return None
    return say("lessons.code_values", wanted=_shown(wanted), got=_shown(got))


def _call(task: Code, arguments: Sequence[Any]) -> str:
    names = task.signature.partition("(")[2].rstrip(")").split(", ")
    return "\n".join(f"{name} = {_shown(value)}" for name, value in zip(names, arguments, strict=True))


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        with np.printoptions(precision=4, suppress=True, threshold=200):
            return _short(repr(value))
    return _short(repr(value))


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + " …"
