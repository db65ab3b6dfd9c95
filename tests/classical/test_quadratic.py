"""The quadratic classifier against its formula, and on digits."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.decomposition import PCA

import convoscope as cs
from convoscope.classical.quadratic import QuadraticClassifier, products
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language


@given(st.integers(1, 6).flatmap(lambda d: arrays(float, (3, d), elements=st.floats(-10, 10))))
def test_products_are_of_every_two(components: np.ndarray) -> None:
    d = components.shape[1]
    expected = [[p[i] * p[j] for i in range(d) for j in range(i, d)] for p in components]
    np.testing.assert_array_equal(products(components), expected)


def test_forty_components_make_821_inputs() -> None:
    assert products(np.zeros((1, 40))).shape[1] + 1 == 821


def test_scores_are_their_formula() -> None:
    train = cs.load("digits").train
    X, y = train.images[:400], train.labels[:400]
    learner = QuadraticClassifier(components=7).fit(X, y)
    rows = X.reshape(400, 64) / 255
    apart = rows - rows.mean(axis=0)
    spread, directions = np.linalg.eigh(apart.T @ apart)
    largest = directions[:, ::-1][:, :7]
    np.testing.assert_allclose(abs(learner.pca_.components_ @ largest), np.eye(7), atol=1e-5)
    assert (np.diff(spread) >= 0).all()
    z = products(apart @ learner.pca_.components_.T)
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    expected = z @ learner.classifier_.coef_.T + learner.classifier_.intercept_
    np.testing.assert_allclose(learner.decision_function(X), expected, atol=1e-6)
    # The optimum of the penalized likelihood: with shares p, the sum of (p - t) z is -A / C.
    shares = np.exp(expected - expected.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    slopes = (shares - np.eye(10)[y]).T @ z + learner.classifier_.coef_ / learner.C
    assert abs(slopes).max() < 0.5


def test_it_knows_digits() -> None:
    data = cs.load("mnist-5k")
    learner = QuadraticClassifier().fit(data.train.images, data.train.labels)
    assert 1 - learner.score(data.test.images, data.test.labels) < 0.06


def test_components_of_many_pictures_are_those_of_few_in_less_memory() -> None:
    train = cs.load("mnist-5k").train
    rows = train.images.reshape(len(train), -1) / 255
    tracemalloc.start()
    learner = QuadraticClassifier(components=2).fit(train.images, train.labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 7 * rows.nbytes, "the singular vectors of all pictures are as large as these"
    learner = QuadraticClassifier().fit(train.images, train.labels)
    by_values = PCA(40, svd_solver="full").fit(rows)
    np.testing.assert_allclose(learner.pca_.components_, by_values.components_, atol=1e-6)
    np.testing.assert_allclose(learner.pca_.transform(rows), by_values.transform(rows), atol=1e-6)
    learner = QuadraticClassifier(components=3).fit(train.images[::20], train.labels[::20])  # fewer than pixels
    few = PCA(3, svd_solver="covariance_eigh").fit(rows[::20])
    np.testing.assert_allclose(learner.pca_.components_, few.components_, atol=1e-6)


def test_two_classes_have_one_score() -> None:
    train = cs.load("digits").train
    X, y = train.images[:200], train.labels[:200] % 2
    learner = QuadraticClassifier(components=10).fit(X, y)
    scores = learner.decision_function(X)
    assert scores.shape == (200,)
    np.testing.assert_array_equal(scores > 0, learner.predict(X) == 1)


@pytest.mark.parametrize("parameters", [{"components": 0}, {"C": 0}], ids=str)
def test_parameters_have_limits(parameters: dict[str, float]) -> None:
    with using_language("en"), pytest.raises(RequestError, match=r"must be a number from .* on, but 0 was asked for"):
        QuadraticClassifier(**parameters).fit(np.eye(4), [0, 0, 1, 1])
