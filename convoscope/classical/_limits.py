"""What learners refuse, in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convoscope.core.errors import RequestError


def within(name: str, value: float, least: float, greatest: float = math.inf, *, whole: bool = False) -> None:
    """Refuse a parameter that is not a number, or not a `whole` one, from `least` to `greatest`.

    Raises:
        RequestError: it is not.
    """
    if not (isinstance(value, int | float | np.number) and least <= value <= greatest):
        if math.isinf(greatest):
            raise RequestError("classical.too_little", name=name, asked=value, least=least)
        raise RequestError("classical.out_of_limits", name=name, asked=value, least=least, greatest=greatest)
    if whole and (isinstance(value, bool) or not isinstance(value, int | np.integer)):
        raise RequestError("classical.not_whole", name=name, asked=value)


def grey_only(learner: Any, levels: NDArray[np.uint8]) -> None:
    """Refuse pictures (N, C, H, W) of several channels.

    Raises:
        RequestError: C is not 1.
    """
    if levels.shape[1] != 1:
        raise RequestError("classical.grey_only", learner=type(learner).__name__, channels=levels.shape[1])
