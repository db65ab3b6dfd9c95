"""Pairwise linear discriminant analysis against its formula, and on digits."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convoscope as cs
from convoscope.classical.linear_pairwise import PairwiseLDA
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(2, 4), st.integers(2, 5), st.floats(0.01, 1))
def test_votes_are_their_formula(seed: int, classes: int, width: int, shrinkage: float) -> None:
    random = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), random.integers(0, classes, 20)])
    X = random.integers(0, 256, (len(y), width)).astype(np.uint8)
    learner = PairwiseLDA(deskew=False, shrinkage=shrinkage).fit(X, y)
    rows = X / 255
    votes = np.zeros((len(X), classes))
    sums = np.zeros((len(X), classes))
    for a, b in itertools.combinations(range(classes), 2):
        one, other = rows[y == a], rows[y == b]
        scatter = np.zeros((width, width))
        for group in (one, other):
            for row in group:
                scatter += np.outer(row - group.mean(axis=0), row - group.mean(axis=0))
        within = scatter / max(len(one) + len(other) - 2, 1)
        trace = within.trace() or width
        shrunk = (1 - shrinkage) * within + shrinkage * trace / width * np.eye(width)
        weights = np.linalg.inv(shrunk) @ (one.mean(axis=0) - other.mean(axis=0))
        middle = (one.mean(axis=0) + other.mean(axis=0)) / 2
        for number, row in enumerate(rows):
            side = weights @ (row - middle) + math.log(len(one) / len(other))
            votes[number, a if side > 0 else b] += 1
            sums[number, a] += side
            sums[number, b] -= side
    scores = votes + sums / (3 * (abs(sums) + 1))
    expected = scores[:, 1] - scores[:, 0] if classes == 2 else scores
    np.testing.assert_allclose(learner.decision_function(X), expected, rtol=1e-6, atol=1e-8)


def test_it_has_a_discriminant_for_every_two_digits() -> None:
    train = cs.load("digits").train
    learner = PairwiseLDA().fit(train.images, train.labels)
    assert learner.weights_.shape == (45, 64)
    assert learner.biases_.shape == (45,)


def test_it_knows_digits_and_deskewing_helps() -> None:
    data = cs.load("mnist-5k")
    errors = {}
    for deskew in (False, True):
        learner = PairwiseLDA(deskew=deskew).fit(data.train.images, data.train.labels)
        errors[deskew] = 1 - learner.score(data.test.images, data.test.labels)
    assert errors[False] < 0.12
    assert errors[True] < 0.085
    assert errors[True] < errors[False]


def test_classes_without_any_spread_are_told_apart() -> None:
    X = np.repeat([[0, 0, 0, 0], [255, 0, 0, 255]], 3, axis=0).astype(np.uint8)
    y = np.repeat([0, 1], 3)
    assert PairwiseLDA().fit(X, y).predict(X).tolist() == y.tolist()


def test_shrinkage_has_limits() -> None:
    with using_language("en"), pytest.raises(RequestError, match=r"shrinkage must be a number from 1e-06 to 1, but 0"):
        PairwiseLDA(shrinkage=0).fit(np.eye(4), [0, 0, 1, 1])
