"""What every classical learner keeps; a new one is picked up unaided."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import convoscope as cs
from convoscope.classical import build, registry
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language

LEARNERS = list(registry)
learners = pytest.mark.parametrize("name", LEARNERS)


def small(name: str, **parameters: Any) -> Any:
    """The learner with its small parameters, and a fixed random state where it has one."""
    learner = registry.get(name)
    fixed = {"random_state": 0} if "random_state" in learner.parameters else {}
    return build(name, **{**fixed, **learner.small, **parameters})


def reasons(estimator: Any) -> dict[str, str]:
    """The exceptions in the file of the learner that builds such an estimator."""
    return next(dict(registry.get(name).exceptions) for name in LEARNERS if small(name).get_params() ==
                estimator.get_params() and type(small(name)) is type(estimator))  # fmt: skip


@parametrize_with_checks([small(name) for name in LEARNERS], expected_failed_checks=reasons)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """(300, 1, 8, 8) uint8 and their labels."""
    train = cs.load("digits").train
    return train.images[:300], train.labels[:300]


@learners
def test_it_learns_digits(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    classifier = small(name).fit(X[:200], y[:200])
    predicted = classifier.predict(X[200:])
    assert predicted.shape == (100,)
    # Guessing gives 0.1; a single tree on 200 digits about 0.6, the best of these more than 0.9.
    assert (predicted == y[200:]).mean() > 0.5


@learners
def test_every_form_of_pictures_is_the_same(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    expected = small(name).fit(X[:100], y[:100]).predict(X[100:150])
    for form in ((8, 8), (64,)):
        reshaped = X.reshape(-1, *form)
        np.testing.assert_array_equal(small(name).fit(reshaped[:100], y[:100]).predict(reshaped[100:150]), expected)


@learners
def test_labels_may_be_words(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    words = np.array(["even", "odd"])[y % 2]
    classifier = small(name).fit(X[:100], words[:100])
    assert classifier.classes_.tolist() == ["even", "odd"]
    assert set(classifier.predict(X[100:130])) <= {"even", "odd"}


@learners
def test_colour_is_learned_or_refused_in_words(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    X = np.concatenate([X, 255 - X, X // 2], axis=1)[:100]
    if registry.get(name).colour:
        assert small(name).fit(X, y[:100]).predict(X[:5]).shape == (5,)
    else:
        with using_language("en"), pytest.raises(RequestError, match="takes grey pictures only, but these have 3"):
            small(name).fit(X, y[:100])


@pytest.mark.parametrize(
    "spec",
    [
        *("p2dhmdm:neighbours=1.5", "p2dhmdm:warp=1.5", "p2dhmdm:levels=2.5", "p2dhmdm:preselect=9.5"),
        *("stump-products:terms=1.5", "stump-products:rounds=9.5", "stump-products:features=9.5"),
        *(
            "pca-quadratic:components=9.5",
            "virtual-svm:degree=2.5",
            "virtual-svm:jitter=1.5",
            "virtual-svm:jitter=true",
        ),
    ],
)
def test_a_fraction_is_refused_where_a_whole_number_is_needed(spec: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    with using_language("en"), pytest.raises(RequestError, match=r"must be a whole number, but \S+ was asked for"):
        build(spec).fit(X[:50], y[:50])


@learners
def test_it_survives_pickling_and_cloning(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    classifier = small(name).fit(X[:100], y[:100])
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict(X[100:150]), classifier.predict(X[100:150]))
    assert clone(classifier).get_params() == classifier.get_params()


@learners
def test_one_class_is_refused_in_words(name: str, digits: tuple[np.ndarray, np.ndarray]) -> None:
    with using_language("en"), pytest.raises(ValueError, match=r"one class|two classes|class"):
        small(name).fit(digits[0][:20], np.zeros(20, int))


@learners
def test_it_is_described_in_both_languages(name: str) -> None:
    learner = registry.get(name)
    for language in ("en", "es"):
        with using_language(language):
            assert learner.name
            assert learner.meaning.endswith(".")
    assert learner.source
    assert set(learner.small) <= set(learner.parameters)
    assert all(learner.exceptions.values())


def test_a_specification_builds_a_learner() -> None:
    assert build("lda-pairwise:shrinkage=0.5").shrinkage == 0.5
    assert build("lda-pairwise", deskew=False).deskew is False
    with using_language("en"):
        with pytest.raises(RequestError, match="no learner 'lda-pairwice'; did you mean 'lda-pairwise'"):
            build("lda-pairwice")
        with pytest.raises(RequestError, match="no parameter of the learner 'skrinkage'; did you mean 'shrinkage'"):
            build("lda-pairwise:skrinkage=1")
