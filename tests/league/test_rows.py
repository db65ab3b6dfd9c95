"""The contract of every row of the league, and the published table that the rows must hold."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import convoscope as cs
from convoscope import classical
from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, using_language
from convoscope.data import from_arrays
from convoscope.league import estimators, find_row, networks, ordered, registry
from convoscope.league.cell import key
from convoscope.league.estimators import Estimator
from convoscope.league.identity import file_of
from convoscope.league.row import Row

# First column and published error of the table that a course shows.
PUBLISHED = {
    "linear classifier: linear discriminant analysis, pairwise, deskewed": 0.076,
    "k-nearest neighbours, non-linear deformation (P2DHMDM), shiftable edges": 0.0052,
    "boosted stumps: products of stumps on Haar features (AdaBoost.MH)": 0.0087,
    "40 PCA components + quadratic classifier": 0.033,
    "virtual SVM, polynomial of degree 9, deskewed, 2-pixel jittered": 0.0056,
    "dense net 784-800-10": 0.016,
    "dense net 784-800-10, elastic distortions": 0.007,
    "dense net 784-2500-2000-1500-1000-500-10, elastic and affine distortions": 0.0035,
    "LeNet-5": 0.0095,
    "LeNet-5, with distortions": 0.008,
    "the typical CNN of the course": None,
    "the best single CNN": 0.0017,
    "committee of CNNs": 0.0013,
}
COURSE = {
    "decision-tree", "bagging", "pasting", "random-forest", "extra-trees", "gradient-boosting", "linear-svm", "rbf-svm",
    "knn", "logistic-regression",
}  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> cs.ImageData:
    return cs.load("digits")


@pytest.fixture(scope="module")
def mnist_5k() -> cs.ImageData:
    return cs.load("mnist-5k")


def test_the_published_table_is_held() -> None:
    rows = [registry.get(name) for name in ordered()]
    assert {row.names["en"]: row.published_error for row in rows if row.place < 200}.items() >= PUBLISHED.items()
    assert {name for name in ordered() if registry.get(name).place >= 200} >= COURSE


def test_a_published_error_is_one_on_its_data_set_alone() -> None:
    row = registry.get("lenet5")
    assert row.published_for("mnist") == 0.0095
    assert [row.published_for(other) for other in ("mnist-5k", "fashion-mnist", None)] == [None] * 3


def test_places_are_told_apart() -> None:
    places = [registry.get(name).place for name in registry]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("name", ordered())
def test_a_row_says_what_it_is(name: str) -> None:
    row = registry.get(name)
    assert set(row.names) == set(LANGUAGES)
    assert all(row.names.values())
    assert row.source, "a figure or a method without a source"
    assert not row.notes or set(row.notes) == set(LANGUAGES)
    assert all(seconds > 0 for seconds in row.seconds)
    assert row.published_error is None or 0 < row.published_error < 0.2


@pytest.mark.parametrize("name", ordered())
def test_a_row_takes_real_digits_and_knows_what_its_result_depends_on(name: str, mnist_5k: cs.ImageData) -> None:
    row = registry.get(name)
    row.learner.check(mnist_5k)
    settings = row.learner.settings(mnist_5k, quick=False)
    assert settings
    code = row.learner.code(mnist_5k)
    assert any(module.startswith(("convoscope.classical.", "convoscope.models.")) for module in code)
    keys = {
        key(row, mnist_5k, quick=False, seed=0),
        key(row, mnist_5k, quick=False, seed=1),
        key(row, dataclasses.replace(mnist_5k, fingerprint="0" * 64), quick=False, seed=0),
    }
    assert len(keys) == 3
    assert key(row, mnist_5k, quick=False, seed=0) in keys, "the same again is the same"


@pytest.mark.parametrize("name", ordered())
def test_chance_is_declared(name: str, digits: cs.ImageData) -> None:
    row = registry.get(name)
    if not isinstance(row.learner, Estimator):
        assert row.stochastic
    else:
        assert row.stochastic == (_predicted(row, digits, 0) != _predicted(row, digits, 1))
    assert list(row.seeds(None)) == ([0, 1, 2] if row.stochastic else [0])
    assert list(row.seeds(5)) == (list(range(5)) if row.stochastic else [0])


def _predicted(row: Row, data: cs.ImageData, seed: int) -> list[list[float]]:
    """What a small copy of a row's learner says of digits, with some seed if it takes any."""
    assert isinstance(row.learner, Estimator)
    known = classical.registry.get(row.learner.name)
    seeded = {"random_state": seed} if "random_state" in known.parameters else {}
    learner = classical.build(row.learner.name, **known.small, **seeded)
    learner.fit(data.train.images[:300], data.train.labels[:300])
    scores = next(getattr(learner, name) for name in ("predict_proba", "predict") if hasattr(learner, name))
    told: list[list[float]] = np.asarray(scores(data.test.images[:50])).tolist()
    return told


@pytest.mark.parametrize("name", ordered())
def test_a_single_class_is_refused_with_the_reason(name: str, digits: cs.ImageData) -> None:
    ones = digits.train.labels == 1
    train = dataclasses.replace(digits.train, images=digits.train.images[ones], labels=digits.train.labels[ones])
    with using_language("en"), pytest.raises(RequestError, match="one class"):
        registry.get(name).learner.check(dataclasses.replace(digits, train=train))


def test_colour_is_refused_by_the_method_that_needs_grey(digits: cs.ImageData) -> None:
    images = digits.train.images.repeat(3, axis=1)
    colour = from_arrays(images, digits.train.labels)
    for name in ordered():
        if name != "p2dhmdm":
            registry.get(name).learner.check(colour)
    with using_language("en"), pytest.raises(RequestError, match="grey pictures only"):
        registry.get("p2dhmdm").learner.check(colour)


def test_pictures_too_large_for_the_memory_are_refused_with_the_reason() -> None:
    images = np.zeros((40, 3, 256, 256), np.uint8)  # ten matrices of 196608 x 196608
    large = from_arrays(images, np.arange(40) % 10)
    with (
        using_language("en"),
        pytest.raises(RequestError, match=r"256 x 256 .* needs about 3711 GB .*; there are \d+ GB"),
    ):
        registry.get("lda-pairwise").learner.check(large)
    registry.get("lda-pairwise").learner.check(from_arrays(images[:, :, :32, :32], np.arange(40) % 10))


def test_a_row_is_found_by_its_short_name_and_by_the_words_of_the_table() -> None:
    assert find_row("knn") == "knn"
    assert find_row("LeNet-5") == "lenet5"
    assert find_row("  comité de CNN ") == "committee"
    with using_language("en"), pytest.raises(RequestError, match="did you mean 'lenet5'"):
        find_row("lenet-5000")


def test_the_code_of_a_row_is_its_own_and_what_it_uses(mnist_5k: cs.ImageData) -> None:
    code = registry.get("virtual-svm").learner.code(mnist_5k)
    names = {"virtual_svm", "_smo", "_pictures"}
    assert {f"convoscope.classical.{name}" for name in names} <= code
    assert "convoscope.data.deskew" in code
    assert "convoscope.classical.trees" not in code
    net = registry.get("lenet5").learner.code(mnist_5k)
    assert {"convoscope.models.lenet5", "convoscope.training.loop", "convoscope.data.augment"} <= net
    assert {f"convoscope.training.{name}" for name in ("worker", "state", "recipe", "launch", "processes")} <= net
    assert {"convoscope.league.networks", "convoscope.data.splits", "convoscope.runs.run"} <= net
    assert {f"convoscope.models.{name}" for name in ("build", "layers", "summary")} <= net, "handed through by the room"
    assert "convoscope.convolution.counts" in net
    other = {
        "convoscope.models.dense",
        "convoscope.training.progress",
        "convoscope.data.loading",
        "convoscope.data.jitter",
    }
    assert not other & net


def test_what_is_said_to_change_no_result_is_there() -> None:
    assert all(file_of(module).is_file() for module in networks._WITHOUT | estimators._WITHOUT)
