"""Haar-like features: differences between the sums of neighbouring rectangles, from integral images.

The families are those of Viola and Jones, "Rapid object detection using a boosted cascade of simple features" (CVPR
2001): two or three rectangles side by side or one above the other, and four in a square. With I(r, c) the sum of all
pixels above row r and left of column c, a rectangle is

    I(bottom, right) - I(top, right) - I(bottom, left) + I(top, left),

so every feature is a sum over at most nine corners of I with whole-number factors, and is exact.
"""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

CORNERS = 9
"""Corners of the four squares; the other features have fewer."""
SMALLEST = 4
"""In pictures with a shorter side there is hardly a pair of rectangles; the sums of single ones count there too."""

Integers: TypeAlias = NDArray[np.int32]

_ONE, _TWO, _THREE = (-1, 1), (-1, 2, -1), (-1, 2, -2, 1)
"""Factors at the borders of one rectangle, of a light and a dark one, of light, dark and light ones."""
_KINDS = ((_ONE, _TWO), (_TWO, _ONE), (_ONE, _THREE), (_THREE, _ONE), (_TWO, _TWO))
"""Factors (down, across) of every kind of feature."""


class HaarFamily:
    """All Haar-like features of pictures of one shape, numbered from 0.

    Args:
        shape: (C, H, W) of a picture. A feature lies in one channel.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        channels, height, width = shape
        kinds = (*_KINDS, (_ONE, _ONE)) if min(height, width) < SMALLEST else _KINDS
        self._blocks = [(down, across, _spans(height, down), _spans(width, across)) for down, across in kinds]
        sizes = [channels * len(rows) * len(columns) for _, _, rows, columns in self._blocks]
        self._ends = np.cumsum(sizes)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def corners(self, indices: NDArray[np.int64]) -> tuple[Integers, Integers]:
        """The sum that each feature is.

        Args:
            indices: (n,) numbers of features.

        Returns:
            places (n, 9), rows of `integral_images`, and factors (n, 9); the unused ones are 0 and come last.
        """
        places = np.zeros((len(indices), CORNERS), np.int32)
        factors = np.zeros((len(indices), CORNERS), np.int32)
        kinds = np.searchsorted(self._ends, indices, side="right")
        for kind in np.unique(kinds):
            chosen = np.flatnonzero(kinds == kind)
            self._fill(kind, indices[chosen] - (self._ends[kind - 1] if kind else 0), chosen, places, factors)
        return places, factors

    def _fill(
        self, kind: int, indices: NDArray[np.int64], chosen: NDArray[np.intp], places: Integers, factors: Integers
    ) -> None:
        down, across, rows, columns = self._blocks[kind]
        channels, height, width = self.shape
        channel, row, column = np.unravel_index(indices, (channels, len(rows), len(columns)))
        corners = itertools.product(enumerate(down), enumerate(across))
        for number, ((below, vertical), (right, horizontal)) in enumerate(corners):
            line = channel * (height + 1) + rows[row, 0] + below * rows[row, 1]
            places[chosen, number] = line * (width + 1) + columns[column, 0] + right * columns[column, 1]
            factors[chosen, number] = vertical * horizontal


def _spans(length: int, factors: tuple[int, ...]) -> Integers:
    """(n, 2): every first pixel and size of a rectangle, of as many equal ones in a row as there are factors less 1."""
    count = len(factors) - 1
    every = [(start, size) for size in range(1, length // count + 1) for start in range(length - count * size + 1)]
    return np.array(every, np.int32).reshape(-1, 2)


def integral_images(images: NDArray[np.uint8]) -> Integers:
    """Sums from the upper left corner of pictures (N, C, H, W) -> (C x (H + 1) x (W + 1), N), one column a picture."""
    count, channels, height, width = images.shape
    sums = np.zeros((channels, height + 1, width + 1, count), np.int32)
    sums[:, 1:, 1:] = images.transpose(1, 2, 3, 0)
    np.cumsum(sums, axis=1, out=sums)
    np.cumsum(sums, axis=2, out=sums)
    return sums.reshape(-1, count)


@numba.njit(cache=True, boundscheck=False, error_model="numpy")
def haar_values(integral: Any, places: Any, factors: Any, first: int, last: int, out: Any) -> None:
    """One feature of the pictures `first` to `last` - 1.

    Args:
        integral: (corners, N) of `integral_images`.
        places: (9,) of `HaarFamily.corners`.
        factors: (9,) likewise.
        first: number of the first picture.
        last: number after that of the last one.
        out: (last - first,) int32, written.
    """
    out[:] = 0
    for corner in range(CORNERS):
        factor = factors[corner]
        if factor == 0:
            break
        line = integral[places[corner], first:last]
        for picture in range(last - first):
            out[picture] += factor * line[picture]
