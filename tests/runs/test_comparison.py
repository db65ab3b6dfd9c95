"""McNemar's test against SciPy's binomial test, and two runs against each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from convoscope.runs.comparison import Comparison, mcnemar


@given(mended=st.integers(0, 300), broken=st.integers(0, 300))
def test_mcnemar_is_the_binomial_test(mended: int, broken: int) -> None:
    if mended + broken == 0:
        assert mcnemar(mended, broken) == 1
    else:
        assert mcnemar(mended, broken) == pytest.approx(binomtest(mended, mended + broken).pvalue, rel=1e-9)


def test_a_comparison_tells_both_errors() -> None:
    told = Comparison(1000, 20, 12, 10, 2).to_dict()
    assert (told["error_before"], told["error_after"]) == (0.02, 0.012)
    assert told["p_value"] == pytest.approx(0.0386, abs=1e-4)
    assert told["interval_before"][0] < 0.02 < told["interval_before"][1]
