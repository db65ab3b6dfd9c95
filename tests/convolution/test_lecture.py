"""The lecture's own examples, with its exact numbers."""

from __future__ import annotations

import numpy as np
import pytest

import convoscope as cs
from convoscope.convolution import dense_beside_convolution


def rows(text: str) -> np.ndarray:
    return np.array([[int(digit) for digit in row.strip()] for row in text.split("/")])


SMALL = rows("10110 / 01001 / 10110 / 11011 / 10110")
LARGE = rows(
    "1011011010 / 0100110010 / 1011000111 / 1101111010 / 1011010001 /"
    " 1101010100 / 0000110010 / 0011110111 / 0011010111 / 0110111011"
)
CROSS = np.array([[1, -1, 1], [-1, 1, -1], [1, -1, 1]])


def test_the_cross_is_found() -> None:
    trace = cs.convolve(SMALL, CROSS)
    assert trace.output.dtype == np.int64
    np.testing.assert_array_equal(trace.output, [[5, -1, -1], [-3, 3, 1], [4, -2, 0]])
    assert str(trace) == " 5 -1 -1\n-3  3  1\n 4 -2  0"


def test_the_sum_is_written_out() -> None:
    unit = cs.convolve(SMALL, CROSS).at(0, 0)
    assert str(unit) == "1×1 + 0×(-1) + 1×1 + 0×(-1) + 1×1 + 0×(-1) + 1×1 + 0×(-1) + 1×1 = 5"
    np.testing.assert_array_equal(unit.window[0], SMALL[:3, :3])
    np.testing.assert_array_equal(unit.kernel[0], CROSS)
    np.testing.assert_array_equal(unit.products[0], SMALL[:3, :3] * CROSS)
    assert (unit.sum, unit.bias, unit.value) == (5, None, 5)


def test_25_pixels_become_one_that_says_whether_a_cross_is_there() -> None:
    pooled = cs.pool(cs.convolve(SMALL, CROSS).output, "max", 3)
    assert pooled.output.tolist() == [[5]]
    unit = pooled.at(0, 0)
    assert unit.winner == (0, 0)
    assert str(unit).startswith("max(5, -1, -1, -3, 3, 1, 4, -2, 0) = 5")


@pytest.mark.parametrize(("down", "across"), [(0, 1), (1, 0), (1, 1), (2, 0), (2, 2)])
def test_the_cross_is_still_found_when_the_image_is_shifted(down: int, across: int) -> None:
    shifted = np.zeros_like(SMALL)
    shifted[down:, across:] = SMALL[: 5 - down, : 5 - across]
    output = cs.convolve(shifted, CROSS).output
    assert output[down, across] == 5
    assert cs.pool(output, "max", 3).output.tolist() == [[5]]


def test_the_10_by_10_image_begins_with_the_small_one() -> None:
    np.testing.assert_array_equal(LARGE[:5, :5], SMALL)
    output = cs.convolve(LARGE, CROSS).output
    assert output.shape == (8, 8)
    np.testing.assert_array_equal(output[:3, :3], [[5, -1, -1], [-3, 3, 1], [4, -2, 0]])
    by_hand = [[(LARGE[r : r + 3, c : c + 3] * CROSS).sum() for c in range(8)] for r in range(8)]
    np.testing.assert_array_equal(output, by_hand)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("identity", "0 0 0/0 1 0/0 0 0"),
        ("cross", "1 -1 1/-1 1 -1/1 -1 1"),
        ("edges-diagonal", "1 0 -1/0 0 0/-1 0 1"),
        ("edges-4", "0 1 0/1 -4 1/0 1 0"),
        ("edges-8", "-1 -1 -1/-1 8 -1/-1 -1 -1"),
        ("sharpen", "0 -1 0/-1 5 -1/0 -1 0"),
    ],
)
def test_named_kernels(name: str, numbers: str) -> None:
    expected = [[int(number) for number in row.split()] for row in numbers.split("/")]
    kernel = np.asarray(cs.kernels[name])
    assert kernel.dtype == np.int64
    np.testing.assert_array_equal(kernel, expected)


def test_box_blur_is_one_ninth_everywhere() -> None:
    np.testing.assert_array_equal(np.asarray(cs.kernels["box-blur"]), np.full((3, 3), 1 / 9))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (28, 28), (32, 32), (224, 320), (4000, 3000)])
def test_a_dense_layer_beside_a_convolution(n: int, m: int) -> None:
    beside = dense_beside_convolution(n, m)
    assert beside.inputs == n * m * 3
    assert beside.dense_weights == n * m * 3
    assert beside.convolution_weights == 27
    assert beside.ratio == n * m * 3 / 27
    many = dense_beside_convolution(n, m, size=(5, 3), filters=32, units=100)
    assert (many.dense_weights, many.dense_biases) == (n * m * 300, 100)
    assert (many.convolution_weights, many.convolution_biases) == (5 * 3 * 3 * 32, 32)
