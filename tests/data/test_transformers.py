"""Deskewing, jitter and elastic distortion: scikit-learn's own checks, and formulas against plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.utils.estimator_checks import parametrize_with_checks

import convoscope as cs
from convoscope.data import Deskew, Elastic, Jitter
from convoscope.data.deskew import slant
from convoscope.data.jitter import moved

ALL = [Deskew(), Jitter(1, random_state=0), Elastic(4.0, 2.0, random_state=0)]
each = pytest.mark.parametrize("transformer", ALL, ids=lambda one: type(one).__name__)
shapes = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 6), st.integers(1, 7))
pictures = shapes.flatmap(lambda shape: arrays(np.uint8, shape))


@parametrize_with_checks(ALL)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """(40, 1, 28, 28) uint8."""
    return cs.load("mnist-5k").train.images[:40]


@each
@pytest.mark.parametrize("form", [(1, 28, 28), (28, 28), (784,)], ids=str)
def test_every_form_comes_back_as_it_came(transformer: Any, form: tuple[int, ...], digits: np.ndarray) -> None:
    changed = transformer.transform(digits.reshape(-1, *form))
    assert changed.shape == (40, *form)
    assert changed.dtype == np.uint8
    np.testing.assert_array_equal(changed.reshape(digits.shape), transformer.transform(digits))


@each
def test_floats_are_changed_as_bytes_are(transformer: Any, digits: np.ndarray) -> None:
    changed = transformer.transform(digits / 255)
    assert changed.dtype == np.float64
    np.testing.assert_allclose(np.rint(changed * 255), transformer.transform(digits), atol=1.01)
    assert transformer.transform(digits.astype(np.float32)).dtype == np.float32


@each
def test_what_is_blank_stays_blank(transformer: Any) -> None:
    assert not transformer.transform(np.zeros((2, 5, 5))).any()


def deskewed(picture: np.ndarray) -> list[list[list[float]]]:
    """One picture (C, H, W), by the formula in the docstring."""
    channels, height, width = picture.shape
    p = [[sum(float(v) for v in picture[:, y, x]) / channels for x in range(width)] for y in range(height)]
    cells = [(y, x) for y in range(height) for x in range(width)]
    m = sum(p[y][x] for y, x in cells)
    s = cy = 0.0
    if m > 0:
        cy = sum(y * p[y][x] for y, x in cells) / m
        cx = sum(x * p[y][x] for y, x in cells) / m
        mu11 = sum((y - cy) * (x - cx) * p[y][x] for y, x in cells)
        mu02 = sum((y - cy) ** 2 * p[y][x] for y, x in cells)
        s = mu11 / mu02 if mu02 > 1e-9 * m else 0.0

    def at(channel: int, y: int, x: int) -> float:
        return float(picture[channel, y, x]) if 0 <= x < width else 0.0

    def read(channel: int, y: int, x: float) -> float:
        left = math.floor(x)
        return at(channel, y, left) * (left + 1 - x) + at(channel, y, left + 1) * (x - left)

    return [[[read(c, y, x + s * (y - cy)) for x in range(width)] for y in range(height)] for c in range(channels)]


@given(pictures)
def test_deskewing_is_its_formula(images: np.ndarray) -> None:
    expected = np.array([deskewed(picture) for picture in images])
    np.testing.assert_allclose(Deskew().transform(images.astype(float)), expected, atol=1e-6)


def test_deskewed_digits_stand_upright(digits: np.ndarray) -> None:
    before, after = (np.abs(slant(images)[0]) for images in (digits, Deskew().transform(digits)))
    assert before.mean() > 0.15
    assert after.mean() < 0.02


@given(pictures, st.integers(-7, 7), st.integers(-7, 7))
def test_a_move_is_a_move(images: np.ndarray, down: int, right: int) -> None:
    height, width = images.shape[2:]
    result = moved(images, down, right)
    for y in range(height):
        for x in range(width):
            inside = 0 <= y - down < height and 0 <= x - right < width
            expected = images[:, :, y - down, x - right] if inside else 0
            assert (result[:, :, y, x] == expected).all()


def test_all_moves_of_every_picture(digits: np.ndarray) -> None:
    jitter = Jitter(2)
    expanded = jitter.expand(digits)
    assert expanded.shape == (25 * 40, 1, 28, 28)
    np.testing.assert_array_equal(expanded[:40], digits)
    for number, (down, right) in enumerate(jitter.moves()):
        np.testing.assert_array_equal(expanded[number * 40 : number * 40 + 40], moved(digits, down, right))


def test_a_drawn_move_is_one_of_them_all(digits: np.ndarray) -> None:
    drawn = Jitter(1, random_state=3).transform(digits)
    every = Jitter(1).expand(digits).reshape(9, *digits.shape)
    hits = (drawn[None] == every).all(axis=(2, 3, 4))  # (9, 40)
    assert hits.any(axis=0).all()
    assert len(set(hits.argmax(axis=0).tolist())) > 5


def test_elastic_distortion_keeps_the_ink_and_moves_it(digits: np.ndarray) -> None:
    bent = Elastic(random_state=1).transform(digits).astype(float)
    assert 0.8 < bent.sum() / digits.sum() < 1.2
    assert np.abs(bent - digits).mean() > 3
    np.testing.assert_allclose(Elastic(alpha=0.0, random_state=1).transform(digits), digits, atol=1)


@settings(max_examples=5)
@given(st.integers(0, 2**31 - 1))
def test_the_same_seed_bends_and_moves_alike(seed: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 1, 9, 8)).astype(np.uint8)
    for make in (Elastic, Jitter):
        one, two = (make(2, random_state=seed).transform(images) for _ in range(2))
        np.testing.assert_array_equal(one, two)
