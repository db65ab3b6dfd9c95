"""Jitter: pictures moved by whole pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from convoscope.data.transformer import Array, PictureTransformer, in_planes, like


class Jitter(PictureTransformer):
    """Move each picture by up to `pixels` pixels up or down and left or right; what comes in from outside is 0.

    `transform` draws one of the (2 pixels + 1)^2 moves for each picture; `expand` makes them all, as for virtual
    support vectors.

    Args:
        pixels: the longest move.
        random_state: an int, a `numpy.random.RandomState` or None; draws the moves.

    Source: DeCoste and Schölkopf, "Training invariant support vector machines" (Machine Learning 46, 2002).
    """

    def __init__(self, pixels: int = 1, *, random_state: Any = None) -> None:
        self.pixels = pixels
        self.random_state = random_state

    def moves(self) -> list[tuple[int, int]]:
        """All moves (down, right), the one that leaves everything in its place first."""
        steps = range(-self.pixels, self.pixels + 1)
        return sorted(((down, right) for down in steps for right in steps), key=lambda move: move != (0, 0))

    def expand(self, X: ArrayLike) -> Array:
        """All moves of pictures.

        Returns:
            (M N, …) for M moves: all pictures moved by the first of `moves`, then all by the second, and so on, so that
            ``numpy.tile(y, M)`` are the labels.
        """
        values: Array = validate_data(self, X, dtype="numeric", allow_nd=True, reset=False)
        images = in_planes(values)
        return np.concatenate([like(moved(images, down, right), values) for down, right in self.moves()])

    def _change(self, images: Array) -> Array:
        moves = np.array(self.moves())
        drawn = check_random_state(self.random_state).randint(len(moves), size=len(images))
        changed = np.empty_like(images)
        for number, (down, right) in enumerate(moves):
            rows: NDArray[np.bool_] = drawn == number
            changed[rows] = moved(images[rows], int(down), int(right))
        return changed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


def moved(images: Array, down: int, right: int) -> Array:
    """Pictures (…, H, W) moved by whole pixels; what comes in from outside is 0."""
    height, width = images.shape[-2:]
    result = np.zeros_like(images)
    if abs(down) >= height or abs(right) >= width:
        return result
    to = (..., _part(down, height), _part(right, width))
    result[to] = images[(..., _part(-down, height), _part(-right, width))]
    return result


def _part(move: int, length: int) -> slice:
    """The part of a side that a move fills."""
    return slice(max(move, 0), length + min(move, 0))
