"""The photographs that need no network, and the digits laid over them."""

from __future__ import annotations

import numpy as np
import pytest

from convoscope import data
from convoscope.core.errors import RequestError
from convoscope.data.sets.colour_digits import SIDE


@pytest.mark.parametrize("name", ["flower", "temple"])
def test_a_photograph_is_in_colour_and_of_any_size(name):
    whole = data.photograph(name)
    assert whole.shape == (3, 427, 640)
    assert whole.dtype == np.uint8
    assert (whole[0] != whole[1]).any()
    assert data.photograph(name, (96, 64)).shape == (3, 96, 64)


def test_an_unknown_photograph_is_refused_with_those_that_exist():
    with pytest.raises(RequestError, match=r"'cat'.*flower, temple"):
        data.photograph("cat")


def test_colour_digits_are_the_digits_of_mnist_5k_over_patches():
    grey, colour = data.load("mnist-5k"), data.load("colour-digits")
    assert (colour.train.labels == grey.train.labels).all()
    assert (colour.test.labels == grey.test.labels).all()
    # |patch - ink| leaves the patch as it is where there is no ink, and the inverted colour where there is full ink.
    picture, ink = colour.test.images[0].astype(int), np.pad(grey.test.images[0, 0], 2).astype(int)
    places = [
        (row, column)
        for name in ("flower", "temple")
        for row, column in _places_of(data.photograph(name).astype(int), picture, ink)
    ]
    assert len(places) == 1
    assert places[0][1] >= 480  # test patches come from the right quarter, training patches from the rest


def _places_of(photograph, picture, ink):
    """Where in a photograph the patch under `ink` can have been."""
    corner = photograph[:, : 427 - SIDE + 1, : 640 - SIDE + 1]
    rows, columns = (corner == abs(picture[:, :1, :1])).all(axis=0).nonzero()
    patches = ((row, column, photograph[:, row : row + SIDE, column : column + SIDE])
               for row, column in zip(rows.tolist(), columns.tolist(), strict=True))  # fmt: skip
    return [(row, column) for row, column, patch in patches if (abs(patch - ink) == picture).all()]


def test_the_seed_decides_the_patches():
    first, again, other = (data.load("colour-digits", seed=seed) for seed in (0, 0, 1))
    assert first.fingerprint == again.fingerprint != other.fingerprint
