"""Whether one learner is better than another, or luckier: McNemar's test on what each got wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convoscope.runs.comparison import mcnemar as exact_p

FEW = 25
"""Discordant pictures below which the exact test is used."""


@dataclass(frozen=True)
class McNemar:
    """The result of `mcnemar`.

    Attributes:
        only_first: pictures that the first got wrong and the second right.
        only_second: the reverse.
        both: pictures that both got wrong.
        p: probability of so uneven a division, or a more uneven one, if both were equally good.
        exact: whether p is the binomial one; if not, it is that of chi-squared with continuity correction.
    """

    only_first: int
    only_second: int
    both: int
    p: float
    exact: bool


def mcnemar(first_wrong: NDArray[np.bool_], second_wrong: NDArray[np.bool_]) -> McNemar:
    """McNemar's test, two-sided.

    With b pictures that only the first learner got wrong and c that only the second did, and n = b + c: if both are
    equally good, each of the n is a toss of a coin. For n below 25, p = min(1, 2 sum over i up to min(b, c) of
    C(n, i) / 2^n). Else p is the probability that chi-squared with one degree of freedom exceeds
    (|b - c| - 1)^2 / n, the 1 being Edwards' correction for continuity.

    Args:
        first_wrong: (N,) whether the first got each picture wrong.
        second_wrong: (N,) the same of the second, on the same pictures.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947); Edwards, Psychometrika 13 (1948).
    """
    only_first = int((first_wrong & ~second_wrong).sum())
    only_second = int((second_wrong & ~first_wrong).sum())
    both = int((first_wrong & second_wrong).sum())
    count = only_first + only_second
    if count < FEW:
        return McNemar(only_first, only_second, both, exact_p(only_first, only_second), exact=True)
    statistic = max(abs(only_first - only_second) - 1, 0) ** 2 / count
    return McNemar(only_first, only_second, both, math.erfc(math.sqrt(statistic / 2)), exact=False)
