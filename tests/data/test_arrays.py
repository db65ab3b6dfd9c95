"""Arrays as a data set: which forms are taken, and how the others are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convoscope.core.errors import RequestError
from convoscope.data.arrays import as_pixels, from_arrays

X = np.random.default_rng(0).integers(0, 256, (20, 1, 4, 5), dtype=np.uint8)
Y = np.arange(20) % 2


def test_arrays_are_split_and_named():
    made = from_arrays(X, Y)
    assert (len(made.train), len(made.test)) == (16, 4)
    assert made.classes == ("0", "1")
    assert made.shape == (1, 4, 5)
    assert made.fingerprint == from_arrays(X, Y).fingerprint != from_arrays(X, Y, seed=1).fingerprint


def test_labels_may_be_words_and_test_arrays_may_be_given():
    words = np.array(["cat", "dog"])[Y]
    made = from_arrays(X, words, X[:6], words[:6])
    assert made.classes == ("cat", "dog")
    assert made.test.labels.tolist() == Y[:6].tolist()
    assert len(made.train) == 20


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((2, 4, 5), (2, 1, 4, 5)),
        ((2, 3, 4, 5), (2, 3, 4, 5)),
        ((2, 4, 5, 3), (2, 3, 4, 5)),
        ((2, 4, 5, 1), (2, 1, 4, 5)),
        ((2, 3, 5, 3), (2, 3, 5, 3)),
    ],
)
def test_the_shapes_that_fit(shape, found):
    assert as_pixels(np.zeros(shape)).shape == found


def test_rows_need_a_shape():
    assert (as_pixels(X.reshape(20, 20), (1, 4, 5)) == X).all()


@pytest.mark.parametrize(
    ("shape", "wanted"), [((20,), None), ((2, 20), None), ((2, 2, 4, 5), None), ((0, 4, 5), None), ((2, 20), (3, 4, 5))]
)
def test_other_shapes_are_refused(shape, wanted):
    with pytest.raises(RequestError, match="The pictures have the shape"):
        as_pixels(np.zeros(shape), wanted)


@given(st.lists(st.integers(0, 255), min_size=4, max_size=4))
def test_every_kind_of_number_gives_the_same_pixels(values):
    pixels = np.array(values, np.uint8).reshape(1, 2, 2)
    for kind in (np.int16, np.uint32, np.int64):
        assert (as_pixels(pixels.astype(kind)) == pixels).all()
    for kind in (np.float32, np.float64):
        assert (as_pixels(pixels.astype(kind) / 255) == pixels).all()
        if pixels.max() > 1:
            assert (as_pixels(pixels.astype(kind)) == pixels).all()


def test_booleans_are_black_and_white():
    assert as_pixels(np.array([[[True, False]]])).tolist() == [[[[255, 0]]]]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "1 values are NaN or infinite, the first in picture 3"),
        (np.inf, "NaN or infinite"),
        (-0.5, "The values go from -0.5"),
        (256.0, r"to 256.0; pictures need 0 to 1"),
    ],
)
def test_impossible_values_are_refused(value, words):
    images = np.zeros((5, 4, 4))
    images[3, 2, 1] = value
    with pytest.raises(RequestError, match=words):
        as_pixels(images)


@pytest.mark.parametrize("kind", [np.complex128, object, "U4"])
def test_other_kinds_are_refused(kind):
    with pytest.raises(RequestError, match="can't be made of values of type"):
        as_pixels(np.zeros((2, 4, 4), dtype=kind))


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        (Y[:-1], None, r"labels have the shape \(19,\); 20 pictures need \(20,\)"),
        (Y[:, None], None, "labels have the shape"),
        (Y + 1, ("a", "b"), "The label 2 of picture 1 is none of the classes, which go from 0 to 1"),
        (Y - 1, ("a", "b"), "The label -1 of picture 0"),
        (Y + 0.5, ("a", "b"), "The label 0.5 of picture 0"),
        (np.where(Y, np.nan, 0), None, "label of picture 1 is NaN"),
        (np.zeros(20), None, "name 1 class"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, classes, words):
    with pytest.raises(RequestError, match=words):
        from_arrays(X, labels, classes=classes)


def test_test_arrays_must_fit_the_training_arrays():
    with pytest.raises(RequestError, match="bring them to one shape"):
        from_arrays(X, Y, X[:, :, :3], Y)
    with pytest.raises(RequestError, match="The label 7 of picture 0"):
        from_arrays(X, Y, X, Y + 7)
    with pytest.raises(RequestError, match="X_test was given without y_test"):
        from_arrays(X, Y, X)
    with pytest.raises(RequestError, match="y_test was given without X_test"):
        from_arrays(X, Y, y_test=Y)
