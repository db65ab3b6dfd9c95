"""Virtual support vectors: a second machine learns from shifted copies of the first machine's support vectors.

Schölkopf, Burges and Vapnik, "Incorporating invariances in support vector learning machines" (ICANN 1996); DeCoste and
Schölkopf, "Training invariant support vector machines" (Machine Learning 46, 2002).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convoscope.classical._pictures import PictureClassifier
from convoscope.classical._smo import polynomial, train

BLOCK = 1000
"""Pictures that are scored at a time."""


class VirtualSVM(PictureClassifier):
    """Ten machines (one a class, that class against the rest), twice: the second time on virtual support vectors.

    With u and v pictures as vectors of length 1, the kernel is K(u, v) = ((1 + <u, v>) / 2) ** degree, which for degree
    9 is the paper's (1 + <u, v>) ** 9 / 512. For each class:

    1. a first machine learns from all pictures;
    2. its support vectors are moved by 0 to `jitter` pixels up or down and left or right, what comes in being black:
       (2 jitter + 1) ** 2 - 1 copies of each, beside itself;
    3. a second machine learns from these.

    The score of a class is its second machine's decision, sum over i of h[i] K(x[i], x) + b; the label is that of the
    largest. DeCoste and Schölkopf use one machine a class, as here. Their words for the best machine are "2-pixel"
    translations; here that is the whole square of 5 x 5.

    Args:
        degree: that of the polynomial.
        C: the bound on every coefficient; the paper's is 2.
        jitter: the largest shift in pixels.
        tolerance: the largest violation of the optimality conditions that is left.

    Attributes:
        support_: (S, C, H, W) uint8, the support vectors of all second machines, each once.
        coefficients_: (S, K), h; 0 where a machine goes without the vector.
        biases_: (K,), b.
        n_first_: (K,) support vectors of the first machines.
    """

    def __init__(self, *, degree: int = 9, C: float = 2.0, jitter: int = 2, tolerance: float = 1e-3) -> None:
        self.degree = degree
        self.C = C
        self.jitter = jitter
        self.tolerance = tolerance

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        shifts = (2 * self.jitter + 1) ** 2
        machines = [self._machine(levels, labels == label) for label in range(len(self.classes_))]
        keys = np.unique(np.concatenate([places for places, _, _, _ in machines]))
        self.coefficients_ = np.zeros((len(keys), len(machines)))
        for label, (places, held, _, _) in enumerate(machines):
            self.coefficients_[np.searchsorted(keys, places), label] = held
        self.support_ = np.empty((len(keys), *levels.shape[1:]), np.uint8)
        for shift, moved in enumerate(_moves(self.jitter)):
            of_shift = keys % shifts == shift
            self.support_[of_shift] = shifted(levels[keys[of_shift] // shifts], *moved)
        self.biases_ = np.array([bias for _, _, bias, _ in machines])
        self.n_first_ = np.array([first for _, _, _, first in machines])

    def _machine(
        self, levels: NDArray[np.uint8], own: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], float, int]:
        """One class against the rest.

        Returns:
            where the second machine's support vectors come from (picture x shifts + shift), their h, the bias, and the
            number of the first machine's support vectors.
        """
        signs = np.where(own, 1.0, -1.0)
        held, _ = train(unit_rows(levels), signs, self.C, self.degree, self.tolerance)
        first = np.flatnonzero(held)
        moves = _moves(self.jitter)
        rows = np.concatenate([unit_rows(shifted(levels[first], *moved)) for moved in moves])
        held, bias = train(rows, np.tile(signs[first], len(moves)), self.C, self.degree, self.tolerance)
        places = np.flatnonzero(held)
        shift, picture = np.divmod(places, len(first))
        return first[picture] * len(moves) + shift, held[places], bias, len(first)

    def _scores(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        support = unit_rows(self.support_)
        coefficients = self.coefficients_.astype(np.float32)
        scores = np.tile(self.biases_, (len(levels), 1))
        for first in range(0, len(levels), BLOCK):
            block = slice(first, first + BLOCK)
            scores[block] += polynomial(unit_rows(levels[block]), support, self.degree) @ coefficients
        return scores


def _moves(jitter: int) -> list[tuple[int, int]]:
    """(down, right) of every shift; (0, 0) is one of them."""
    steps = range(-jitter, jitter + 1)
    return [(down, right) for down in steps for right in steps]


def shifted(images: NDArray[np.uint8], down: int, right: int) -> NDArray[np.uint8]:
    """Pictures (N, C, H, W) moved by whole pixels; what comes in is 0."""
    height, width = images.shape[2:]
    moved = np.zeros_like(images)
    to_rows, from_rows = _overlap(height, down)
    to_columns, from_columns = _overlap(width, right)
    moved[:, :, to_rows, to_columns] = images[:, :, from_rows, from_columns]
    return moved


def _overlap(length: int, move: int) -> tuple[slice, slice]:
    """Where the pixels that stay in the picture go, and where they come from."""
    move = max(-length, min(length, move))
    return slice(max(move, 0), length + min(move, 0)), slice(max(-move, 0), length - max(move, 0))


def unit_rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures (N, C, H, W) as vectors of length 1, (N, values); a black one stays 0."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.maximum(lengths, 1)[:, None]
    return rows
