"""Whether one learner is better than another, or luckier: McNemar's test on what each got wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convoscope.runs.comparison import mcnemar as p_value


@dataclass(frozen=True)
class McNemar:
    """The result of `mcnemar`.

    Attributes:
        only_first: pictures that the first got wrong and the second right.
        only_second: the reverse.
        both: pictures that both got wrong.
        p: probability of so uneven a division, or a more uneven one, if both were equally good.
    """

    only_first: int
    only_second: int
    both: int
    p: float


def mcnemar(first_wrong: NDArray[np.bool_], second_wrong: NDArray[np.bool_]) -> McNemar:
    """McNemar's test, two-sided and exact.

    With b pictures that only the first learner got wrong and c that only the second did, and n = b + c: if both are
    equally good, each of the n is a toss of a coin, and p = min(1, 2 sum over i up to min(b, c) of C(n, i) / 2^n).

    Args:
        first_wrong: (N,) whether the first got each picture wrong.
        second_wrong: (N,) the same of the second, on the same pictures.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947).
    """
    only_first = int((first_wrong & ~second_wrong).sum())
    only_second = int((second_wrong & ~first_wrong).sum())
    both = int((first_wrong & second_wrong).sum())
    return McNemar(only_first, only_second, both, p_value(only_first, only_second))
