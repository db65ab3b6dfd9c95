"""Splits: exact, stratified, seeded, the same with every NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convoscope.core.errors import RequestError
from convoscope.data import split_validation
from convoscope.data.splits import stratified

label_lists = st.lists(st.integers(2, 40), min_size=1, max_size=12).flatmap(
    lambda counts: st.permutations([label for label, count in enumerate(counts) for _ in range(count)])
)


@given(labels=label_lists, share=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_a_count_is_exact_and_every_class_is_on_both_sides(labels, share, seed):
    labels = np.array(labels)
    classes = len(set(labels.tolist()))
    count = classes + round(share * (len(labels) - 2 * classes))
    train, validation = split_validation(labels, count, seed)
    assert len(validation) == count
    assert sorted([*train.tolist(), *validation.tolist()]) == list(range(len(labels)))
    assert set(labels[train]) == set(labels[validation]) == set(labels)
    assert train.dtype == validation.dtype == np.int64


@given(labels=label_lists, fraction=st.floats(0.01, 0.5), seed=st.integers(0, 1000))
def test_each_class_gives_its_share(labels, fraction, seed):
    labels = np.array(labels)
    counts = np.bincount(labels)
    _, validation = split_validation(labels, fraction, seed)
    assert len(validation) == max(round(fraction * len(labels)), len(counts))
    taken = np.bincount(labels[validation])
    quota = counts * len(validation) / len(labels)
    within = (quota >= 1) & (quota <= counts - 1)
    if within.all():  # where no class is at its limit, largest remainder never strays by a whole picture
        assert (np.abs(taken - quota) < 1).all()


@given(labels=label_lists, share=st.floats(0, 1), seed=st.integers(0, 1000), least=st.integers(1, 3))
def test_a_stratified_part_has_every_class_and_no_picture_twice(labels, share, seed, least):
    labels = np.array(labels)
    counts = np.bincount(labels)
    lowest = np.minimum(counts, least)
    count = lowest.sum() + round(share * (len(labels) - lowest.sum()))
    rows = stratified(labels, count, seed, least=least)
    assert len(rows) == len(set(rows.tolist())) == count
    assert (np.bincount(labels[rows]) >= lowest).all()
    assert (rows == stratified(labels, count, seed, least=least)).all()
    quota = counts * count / len(labels)
    if (quota >= lowest).all():
        assert (np.abs(np.bincount(labels[rows]) - quota) < 1).all()


def test_all_are_taken_where_one_of_each_class_does_not_fit():
    labels = np.repeat(np.arange(10), 4)
    assert stratified(labels, 9, 0).tolist() == list(range(40))
    assert stratified(labels, 40, 0).tolist() == list(range(40))
    assert len(stratified(labels, 10, 0)) == 10
    assert len(stratified(labels, 19, 0, least=2)) == 40


def test_same_seed_same_split_other_seed_other_split():
    labels = np.repeat(np.arange(10), 30)
    first, again, other = (split_validation(labels, 0.2, seed)[1] for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()


def test_the_split_is_the_one_it_always_was():
    _, validation = split_validation(np.array([0, 1] * 8), 4, 0)
    assert validation.tolist() == SPLIT_OF_SEED_0


SPLIT_OF_SEED_0 = [2, 3, 8, 11]


@pytest.mark.parametrize("amount", [0.0, 1.0, -0.1, 1.5, float("nan"), 0, 1, 9, 10, -3, True])
def test_impossible_amounts_are_refused(amount):
    with pytest.raises(RequestError, match="can't be set aside out of 10 pictures of 2 classes"):
        split_validation(np.array([0, 1] * 5), amount, 0)


def test_a_class_of_one_is_refused():
    with pytest.raises(RequestError, match="Class 3 has a single picture"):
        split_validation(np.array([0, 0, 3, 1, 1]), 0.5, 0)
