"""Haar-like features are the sums that their definition names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convoscope.classical._haar import HaarFamily, haar_values, integral_images

SIDES = st.integers(1, 9)


def naive_features(image):
    """Every feature of one picture (C, H, W), by slices, in no particular order."""
    height, width = image.shape[1:]
    patterns = [[[1, -1]], [[1], [-1]], [[1, -1, 1]], [[1], [-1], [1]], [[1, -1], [-1, 1]]]
    if min(height, width) < 4:
        patterns.append([[1]])
    found = []
    for plane in image.astype(int):
        for pattern in map(np.array, patterns):
            for high in range(1, height // len(pattern) + 1):
                for wide in range(1, width // pattern.shape[1] + 1):
                    weights = np.kron(pattern, np.ones((high, wide), int))
                    for top in range(height - weights.shape[0] + 1):
                        for left in range(width - weights.shape[1] + 1):
                            window = plane[top : top + weights.shape[0], left : left + weights.shape[1]]
                            found.append(int((weights * window).sum()))
    return found


def features(images):
    """(F, N)."""
    family = HaarFamily(images.shape[1:])
    places, factors = family.corners(np.arange(len(family)))
    integral = integral_images(images)
    values = np.empty((len(family), len(images)), np.int32)
    for feature in range(len(family)):
        haar_values(integral, places[feature], factors[feature], 0, len(images), values[feature])
    return values


@settings(max_examples=40, deadline=None)
@given(shape=st.tuples(st.integers(1, 2), SIDES, SIDES), seed=st.integers(0, 1000))
def test_family_is_every_difference_of_rectangles(shape, seed):
    images = np.random.default_rng(seed).integers(0, 256, (2, *shape), dtype=np.uint8)
    values = features(images)
    # A feature's sign is a matter of taste: a stump asks for both sides of its threshold.
    for image, found in zip(images, values.T, strict=True):
        assert sorted(map(abs, found.tolist())) == sorted(map(abs, naive_features(image)))


@settings(max_examples=20, deadline=None)
@given(shape=st.tuples(st.integers(1, 3), SIDES, SIDES), seed=st.integers(0, 1000))
def test_integral_image_sums_what_lies_above_and_left(shape, seed):
    images = np.random.default_rng(seed).integers(0, 256, (3, *shape), dtype=np.uint8)
    channels, height, width = shape
    sums = integral_images(images).reshape(channels, height + 1, width + 1, 3)
    for row in range(height + 1):
        for column in range(width + 1):
            expected = images[:, :, :row, :column].sum(axis=(2, 3), dtype=int).T
            assert np.array_equal(sums[:, row, column], expected)


def test_mnist_shape_has_the_known_number_of_features():
    # By size: two side by side 79,576, three 51,156, both also one above the other, and 38,416 squares.
    assert len(HaarFamily((1, 28, 28))) == 2 * 79_576 + 2 * 51_156 + 38_416


def test_black_white_edge_is_seen_by_the_feature_across_it():
    image = np.zeros((1, 1, 8, 8), np.uint8)
    image[..., 4:] = 255
    assert abs(features(image)).max() == 255 * 8 * 4


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 2), (1, 1, 5), (1, 5, 1)])
def test_smallest_pictures_have_features(shape):
    assert len(HaarFamily(shape)) > 0
