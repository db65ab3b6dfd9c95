"""The network as a scikit-learn classifier: scikit-learn's own checks, and what people do with one."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.training import estimator
from tests.training.listeners import StopsAfter

# Few epochs, since there are some fifty checks; enough for those that ask for accuracy.
QUICK = {"epochs": 6, "random_state": 0}


@parametrize_with_checks([cs.ConvNetClassifier(**QUICK)])
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """(300, 8, 8) uint8 and their labels."""
    train = cs.load("digits").train
    return train.images[:300, 0], train.labels[:300]


@pytest.fixture(scope="module")
def fitted(digits: tuple[np.ndarray, np.ndarray]) -> cs.ConvNetClassifier:
    X, y = digits
    return cs.ConvNetClassifier("typical:blocks=2,width=8", **QUICK).fit(X.reshape(300, 64), y)


def test_it_learns(fitted: cs.ConvNetClassifier, digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    assert fitted.score(X.reshape(300, 64), y) > 0.8
    assert fitted.n_iter_ == len(fitted.curves_) == 6
    assert fitted.n_features_in_ == 64
    probabilities = fitted.predict_proba(X[:7].reshape(7, 64))
    assert probabilities.shape == (7, 10)
    assert probabilities.dtype == np.float32  # what the network computes in: more digits would be noise
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("shape", [(64,), (8, 8), (1, 8, 8)], ids=str)
@pytest.mark.parametrize("scale", [1, 1 / 255], ids=["uint8", "floats"])
def test_rows_and_pictures_of_bytes_and_of_floats_are_the_same(
    digits: tuple[np.ndarray, np.ndarray], fitted: cs.ConvNetClassifier, shape: tuple[int, ...], scale: float
) -> None:
    X, y = digits
    X = X.reshape(300, *shape)
    X = X if scale == 1 else X * scale
    other = clone(fitted).fit(X, y)
    np.testing.assert_array_equal(other.predict(X), fitted.predict(digits[0].reshape(300, 64)))


def test_colour(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    X = np.stack([X, 255 - X, X // 2], axis=1)
    classifier = cs.ConvNetClassifier("dense-800", epochs=1, image_shape=(3, 8, 8)).fit(X.reshape(300, 192), y)
    assert classifier.predict(X[:5].reshape(5, 192)).shape == (5,)
    assert cs.ConvNetClassifier("dense-800", epochs=1).fit(X, y).predict(X[:5]).shape == (5,)


def test_labels_of_any_kind(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    words = np.array([("even", "odd")[label % 2] for label in y], dtype=object)
    classifier = cs.ConvNetClassifier("dense-800", epochs=1).fit(X, words)
    assert classifier.classes_.tolist() == ["even", "odd"]
    assert set(classifier.predict(X)) <= {"even", "odd"}


def test_it_survives_pickling_and_cloning(fitted: cs.ConvNetClassifier, digits: tuple[np.ndarray, np.ndarray]) -> None:
    X = digits[0].reshape(300, 64)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X))
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "network_")


def test_the_same_random_state_gives_the_same_network(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    one, two, other = (
        cs.ConvNetClassifier("dense-800", epochs=1, random_state=seed).fit(X, y).predict_proba(X) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_in_a_pipeline_and_a_grid(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    X = X.reshape(300, 64)
    pipeline = make_pipeline(StandardScaler(), cs.ConvNetClassifier("dense-800", epochs=1, random_state=0))
    assert cross_val_score(pipeline, X, y, cv=2).shape == (2,)
    grid = GridSearchCV(pipeline, {"convnetclassifier__epochs": [1, 3]}, cv=2).fit(X, y)
    assert grid.best_params_ == {"convnetclassifier__epochs": 3}
    assert grid.predict(X).shape == (300,)


def test_ctrl_c_ends_a_fit_and_leaves_no_half_trained_network(
    monkeypatch: pytest.MonkeyPatch, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    monkeypatch.setattr(estimator, "train", lambda *asked, **more: cs.train(*asked, **more, listener=StopsAfter(3)))
    classifier = cs.ConvNetClassifier("dense-800", epochs=2)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*digits)
    assert not hasattr(classifier, "network_")
    with pytest.raises(KeyboardInterrupt):  # a search ends, not only the one fit
        cross_val_score(cs.ConvNetClassifier("dense-800", epochs=2), *digits, cv=2)


def test_nothing_is_left_in_the_folder_one_is_in(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    monkeypatch.chdir(tmp_path)
    cs.ConvNetClassifier("dense-800", epochs=1).fit(*digits)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda X, y: (X, np.zeros(len(y), int)), r"one class|two classes"),
        (lambda X, y: (np.where(np.arange(64) == 3, np.nan, X), y), "NaN"),
        (lambda X, y: (np.where(np.arange(64) == 3, np.inf, X), y), "infinity"),
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X[:1], y[:1]), "a minimum of 2 is required|one class"),
        (lambda X, y: (X[:0], y[:0]), "0 sample"),
        (lambda X, y: (X, y + 0.5), "Unknown label type"),
        (lambda X, y: (X, y[:, None] * [1, 1]), "1d array"),
    ],
)
def test_data_that_cannot_be_learned_from(digits: tuple[np.ndarray, np.ndarray], change: Any, sentence: str) -> None:
    X, y = change(digits[0].reshape(300, 64).astype(float), digits[1])
    with using_language("en"), pytest.raises(ValueError, match=sentence):
        cs.ConvNetClassifier("dense-800", epochs=1).fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"image_shape": (1, 5, 5)}, "has 64 values, which is not an image of shape"),
        ({"model": "lenet6"}, "did you mean 'lenet5'"),
        ({"recipe": "defalt"}, "did you mean 'default'"),
        ({"epochs": 0}, "0 epochs were asked for"),
    ],
)
def test_parameters_that_do_not_fit(
    digits: tuple[np.ndarray, np.ndarray], parameters: dict[str, Any], sentence: str
) -> None:
    X, y = digits
    with using_language("en"), pytest.raises(RequestError, match=sentence):
        cs.ConvNetClassifier(**parameters).fit(X.reshape(300, 64), y)


def test_pictures_of_an_unusual_form_count_as_flat(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    unusual = X.reshape(len(X), 1, 1, 8, 8)
    deep, flat = (
        cs.ConvNetClassifier("dense-800", epochs=1, random_state=0).fit(form, y)
        for form in (unusual, X.reshape(len(X), 64))
    )
    assert deep.image_shape_ == flat.image_shape_ == (1, 8, 8)
    np.testing.assert_array_equal(deep.predict_proba(unusual), flat.predict_proba(X.reshape(len(X), 64)))


def test_pictures_of_another_size_are_refused(
    fitted: cs.ConvNetClassifier, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    with pytest.raises(ValueError, match="features"):
        fitted.predict(digits[0].reshape(300, 64)[:, :63])
    classifier = cs.ConvNetClassifier("dense-800", epochs=1).fit(*digits)
    with using_language("en"), pytest.raises(RequestError, match=r"of shape \(1, 8, 8\), but .* the shape \(8, 9\)"):
        classifier.predict(np.zeros((2, 8, 9), np.uint8))
