from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convoscope.training.clock import LEAST_SIDE, Clock, Side


def area(side: Side) -> float:
    return side[0] * side[1]


STAGES = st.lists(
    st.tuples(st.integers(0, 100).map(lambda hundredth: hundredth / 100), st.floats(0.1, 1)),
    max_size=5,
    unique_by=lambda one: one[0],
)


def test_the_rates_course_is_counted_in_computing_or_in_steps() -> None:
    clock = Clock(100, [(0, 0.5), (0.5, 1.0)], (40, 40), area)  # a small picture costs a quarter
    assert clock.course(80, "computing") == pytest.approx(0.5)
    assert clock.course(80, "steps") == pytest.approx(0.8)


@given(stages=STAGES, steps=st.integers(1, 500))
def test_progress_rises_from_zero_and_sides_are_as_the_recipe_says(
    stages: list[tuple[float, float]], steps: int
) -> None:
    clock = Clock(steps, stages, (40, 64), area)
    progress = [clock.progress(step) for step in range(steps + 1)]
    assert progress[0] == 0
    assert progress[-1] == pytest.approx(1)
    assert all(after >= before - 1e-12 for before, after in pairwise(progress))
    for step in range(steps):
        started = [share for start, share in sorted(stages) if start <= progress[step] + 1e-9]
        height, width = clock.side(step)
        if started and all(abs(start - progress[step]) > 1e-6 for start, _ in stages):
            assert height == max(round(40 * started[-1]), LEAST_SIDE)
            assert width == max(round(64 * started[-1]), LEAST_SIDE)


def test_each_resolution_gets_its_share_of_the_computing() -> None:
    steps = 10_000
    clock = Clock(steps, [(0.0, 0.5), (0.375, 0.75), (0.75, 1.0)], (32, 32), area)
    spent = dict.fromkeys([16, 24, 32], 0.0)
    for step in range(steps):
        spent[clock.side(step)[0]] += area(clock.side(step))
    total = sum(spent.values())
    assert [spent[side] / total for side in (16, 24, 32)] == pytest.approx([0.375, 0.375, 0.25], abs=1e-3)


def test_without_resolutions_progress_is_the_share_of_the_steps() -> None:
    clock = Clock(8, (), (28, 28), area)
    assert [clock.progress(step) for step in range(9)] == [step / 8 for step in range(9)]
    assert {clock.side(step) for step in range(8)} == {(28, 28)}


def test_small_pictures_are_not_made_too_small() -> None:
    assert Clock(4, [(0.0, 0.5)], (20, 12), area).side(0) == (LEAST_SIDE, 12)
