"""P2DHMDM distances against plain Python, and the search against all distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convoscope as cs
from convoscope.classical import _p2dhmdm
from convoscope.classical.deformation import DeformationNeighbours, gradients, undeformed_nearest
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language

Row = list[float]


def plain_gradients(picture: np.ndarray, steps: int) -> np.ndarray:
    """(2, H, W) of one picture (H, W), by the definition of the Sobel operator."""
    height, width = picture.shape

    def value(y: int, x: int) -> int:
        return int(picture[min(max(y, 0), height - 1), min(max(x, 0), width - 1)])

    result = np.zeros((2, height, width), int)
    for y in range(height):
        for x in range(width):
            down = sum(f * (value(y + 1, x + s) - value(y - 1, x + s)) for s, f in ((-1, 1), (0, 2), (1, 1)))
            right = sum(f * (value(y + s, x + 1) - value(y + s, x - 1)) for s, f in ((-1, 1), (0, 2), (1, 1)))
            result[:, y, x] = [round(g * steps / 1020) for g in (down, right)]
    return result


def plain_distance(test: np.ndarray, reference: np.ndarray, warp: int) -> int:
    """P2DHMDM between gradients (2, H, W), by the docstring of `DeformationNeighbours`."""
    _, height, width = test.shape
    far = warp + 3
    a = np.pad(test, ((0, 0), (1, 1), (1, 1))).astype(int)
    b = np.pad(reference, ((0, 0), (far, far), (far, far))).astype(int)

    def cost(j: int, i: int, y: int, x: int) -> int:
        own = a[:, j : j + 3, i : i + 3]
        other = b[:, y + far - 1 : y + far + 2, x + far - 1 : x + far + 2]
        return int(((own - other) ** 2).sum())

    moves = range(-warp, warp + 1)

    def column(i: int, dx: int) -> int:
        ends = dict.fromkeys(moves, 0)
        for j in range(height):
            ends = {
                dy: min(cost(j, i, j + dy, i + dx + side) for side in (-1, 0, 1))
                + min(ends[before] for before in (dy - 1, dy, dy + 1) if before in ends)
                for dy in moves
            }
        return min(_p2dhmdm.LARGEST, *ends.values())

    sums = dict.fromkeys(moves, 0)
    for i in range(width):
        sums = {
            dx: column(i, dx) + min(sums[before] for before in (dx - 1, dx, dx + 1) if before in sums) for dx in moves
        }
    return min(sums.values())


@st.composite
def some_pictures(draw: st.DrawFn) -> np.ndarray:
    """(4, 1, H, W) uint8, with more or less ink."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    inked = random.random((4, 1, *shape)) < draw(st.sampled_from([0.2, 0.6, 1.0]))
    return np.where(inked, random.integers(0, 256, inked.shape), 0).astype(np.uint8)


@settings(max_examples=30)
@given(some_pictures(), st.integers(0, 3), st.sampled_from([1, 10, 21]))
def test_distances_are_their_formula(pictures: np.ndarray, warp: int, steps: int) -> None:
    plain = np.array([plain_gradients(picture[0], steps) for picture in pictures])
    np.testing.assert_array_equal(gradients(pictures, steps), plain)
    expected = np.array([[plain_distance(test, reference, warp) for reference in plain] for test in plain])
    learner = DeformationNeighbours(neighbours=4, warp=warp, levels=steps).fit(pictures, [0, 1, 0, 1])
    distances, neighbours = learner.kneighbors(pictures)
    order = np.argsort(expected, axis=1, kind="stable")
    np.testing.assert_array_equal(neighbours, order)
    np.testing.assert_array_equal(distances, np.take_along_axis(expected, order, axis=1))


def test_a_column_counts_up_to_a_limit() -> None:
    stripes = np.zeros((2, 1, 60, 4), np.uint8)
    stripes[0, :, ::4] = stripes[0, :, 1::4] = 255
    slopes = gradients(stripes, 21)
    learner = DeformationNeighbours(neighbours=2, warp=0, levels=21).fit(stripes, [0, 1])
    distances, _ = learner.kneighbors(stripes[:1])
    assert distances.tolist() == [[0, plain_distance(slopes[0], slopes[1], 0)]]
    assert distances[0, 1] >= _p2dhmdm.LARGEST


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """(1000, 1, 8, 8) uint8 and their labels."""
    train = cs.load("digits").train
    return train.images[:1000], train.labels[:1000]


@pytest.mark.parametrize("parameters", [{}, {"levels": 21}, {"warp": 1, "neighbours": 7}], ids=str)
def test_pruning_leaves_out_nothing_that_is_near(
    digits: tuple[np.ndarray, np.ndarray], parameters: dict[str, Any]
) -> None:
    X, y = digits
    learner = DeformationNeighbours(**parameters).fit(X[:400], y[:400])
    distances, neighbours = learner.kneighbors(X[400:430])
    layout = _p2dhmdm.Layout(8, 8, learner.warp)
    slopes = gradients(X[:430], learner.levels)
    everything = np.empty((30, 400), np.int64)
    for reference in range(400):  # alone, each is as near as anything: nothing is pruned
        own = slopes[reference : reference + 1]
        _p2dhmdm.search(
            layout.tests(slopes[400:]),
            _p2dhmdm.first_inked_rows(slopes[400:]),
            layout.references(own),
            _p2dhmdm.first_inked_rows(own),
            layout.envelope(own),
            layout.contexts(),
            np.zeros((30, 1), np.int64),
            True,
            8,
            everything[:, reference : reference + 1],
            np.empty((30, 1), np.int64),
        )
    order = np.argsort(everything, axis=1, kind="stable")[:, : learner.neighbours]
    np.testing.assert_array_equal(neighbours, order)
    np.testing.assert_array_equal(distances, np.take_along_axis(everything, order, axis=1))


def test_of_two_at_the_same_distance_the_first_comes_first(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X = np.concatenate([digits[0][:60]] * 3)
    learner = DeformationNeighbours().fit(X, np.tile(digits[1][:60], 3))
    distances, neighbours = learner.kneighbors(X[:60])
    assert not distances.any()
    np.testing.assert_array_equal(neighbours, np.arange(60)[:, None] + [0, 60, 120])


def test_threads_change_nothing(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    one, two = (DeformationNeighbours(n_jobs=jobs).fit(X[:300], y[:300]).kneighbors(X[300:340]) for jobs in (None, 2))
    np.testing.assert_array_equal(one, two)


def test_a_tie_is_decided_by_the_nearest(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    learner = DeformationNeighbours(neighbours=4).fit(X[:500], y[:500])
    _, neighbours = learner.kneighbors(X[500:])
    for predicted, labels in zip(learner.predict(X[500:]), y[neighbours].tolist(), strict=True):
        most = max(labels.count(label) for label in labels)
        assert predicted == next(label for label in labels if labels.count(label) == most)


def test_preselection_looks_at_the_nearest_without_deformation(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    slopes = gradients(X, 10).astype(int)
    apart = ((slopes[500:520, None] - slopes[None, :500]) ** 2).sum(axis=(2, 3, 4))
    near = undeformed_nearest(gradients(X[500:520], 10), gradients(X[:500], 10), 20)
    np.testing.assert_array_equal(near, np.argsort(apart, axis=1, kind="stable")[:, :20])
    _, neighbours = DeformationNeighbours(preselect=20).fit(X[:500], y[:500]).kneighbors(X[500:520])
    assert all(set(found) <= set(rows) for found, rows in zip(neighbours.tolist(), near.tolist(), strict=True))


def test_it_knows_digits(digits: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = digits
    assert DeformationNeighbours().fit(X[:800], y[:800]).score(X[800:], y[800:]) > 0.97


def test_it_knows_handwritten_digits_better_than_plain_neighbours() -> None:
    from convoscope.classical import build

    data = cs.load("mnist-5k")
    X, y = data.train.images[::4], data.train.labels[::4]
    test, labels = data.test.images[::5], data.test.labels[::5]
    bent, plain = (1 - build(name).fit(X, y).score(test, labels) for name in ("p2dhmdm", "knn"))
    assert bent < 0.035
    assert bent < plain / 2


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"neighbours": 0}, "neighbours must be a number from 1 on, but 0 was asked for"),
        ({"warp": 9}, "warp must be a number from 0 to 8, but 9"),
        ({"levels": 22}, "levels must be a number from 1 to 21, but 22"),
        ({"preselect": 2}, "preselect must be a number from 3 on, but 2"),
    ],
)
def test_parameters_out_of_their_limits(
    digits: tuple[np.ndarray, np.ndarray], parameters: dict[str, Any], sentence: str
) -> None:
    with using_language("en"), pytest.raises(RequestError, match=sentence):
        DeformationNeighbours(**parameters).fit(*digits)
