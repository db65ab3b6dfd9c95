from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from convoscope.league import mcnemar
from convoscope.runs.comparison import mcnemar as p_of_runs


def wrong(only_first: int, only_second: int, both: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    first = [True] * only_first + [False] * only_second + [True] * both + [False] * neither
    second = [False] * only_first + [True] * only_second + [True] * both + [False] * neither
    return np.array(first, bool), np.array(second, bool)


counts = st.integers(0, 200)


@given(counts, counts, counts, counts)
def test_it_is_what_scipy_says(only_first: int, only_second: int, both: int, neither: int) -> None:
    found = mcnemar(*wrong(only_first, only_second, both, neither))
    assert (found.only_first, found.only_second, found.both) == (only_first, only_second, both)
    total = only_first + only_second
    assert found.p == (pytest.approx(binomtest(only_first, total).pvalue, rel=1e-9) if total else 1)
    assert found.p == p_of_runs(only_first, only_second), "the league and two runs say the same"


@given(counts, counts, counts)
def test_the_order_of_the_two_does_not_matter(only_first: int, only_second: int, both: int) -> None:
    first, second = wrong(only_first, only_second, both, 3)
    assert mcnemar(first, second).p == mcnemar(second, first).p


@given(st.integers(0, 25), st.integers(0, 25))
def test_a_more_uneven_division_is_less_probable(least: int, more: int) -> None:
    total = 50
    nearer, further = sorted([least, more], reverse=True)
    even = mcnemar(*wrong(nearer, total - nearer, 0, 0)).p
    assert mcnemar(*wrong(further, total - further, 0, 0)).p <= even


def test_a_textbook_example() -> None:
    # 2 (1 + 65 + … + C(65, 6)) / 2^65
    found = mcnemar(*wrong(59, 6, 16, 80))
    assert found.p == pytest.approx(2 * sum(math.comb(65, few) for few in range(7)) / 2**65, rel=1e-9)
