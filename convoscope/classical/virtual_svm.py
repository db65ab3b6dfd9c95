"""Virtual support vectors: a second machine learns from shifted copies of the first machine's support vectors.

Schölkopf, Burges and Vapnik, "Incorporating invariances in support vector learning machines" (ICANN 1996); DeCoste and
Schölkopf, "Training invariant support vector machines" (Machine Learning 46, 2002).
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from convoscope.classical._limits import within
from convoscope.classical._pictures import ScoringClassifier
from convoscope.classical._registry import classical_learner
from convoscope.classical._smo import polynomial, train
from convoscope.data.deskew import Deskew
from convoscope.data.jitter import moved

BLOCK = 500
"""Pictures that are scored at a time."""
SIDE_SHARE = 8
"""A shift is at most this part of a side: two pixels are as much in a picture of 8 x 8 as seven in one of 28 x 28."""


@classical_learner(
    "virtual-svm",
    en=(
        "virtual SVM, polynomial of degree 9, deskewed, 2-pixel jittered",
        "Learns again from shifted copies of the pictures that decided the first time.",
    ),
    es=(
        "SVM virtual, polinomio de grado 9, enderezado, desplazado hasta 2 píxeles",
        "Aprende de nuevo con copias desplazadas de las imágenes que decidieron la primera vez.",
    ),
    source="DeCoste, Schölkopf 2002",
    exceptions={
        "check_classifiers_train": "brightness is normalized away: what differs in nothing else is one picture",
    },
)
class VirtualSVM(ScoringClassifier):
    """Ten machines (one a class, that class against the rest), twice: the second time on virtual support vectors.

    Pictures are deskewed first. With u and v such pictures as vectors of length 1, the kernel is
    K(u, v) = ((1 + <u, v>) / 2) ** degree, which for degree 9 is the paper's (1 + <u, v>) ** 9 / 512. For each class:

    1. a first machine learns from all pictures;
    2. its support vectors are moved by 0 to `jitter` pixels up or down and left or right, what comes in being black:
       (2 jitter + 1) ** 2 - 1 copies of each, beside itself. No shift is longer than an eighth of its side;
    3. a second machine learns from these.

    The score of a class is its second machine's decision, sum over i of h[i] K(x[i], x) + b; the label is that of the
    largest. DeCoste and Schölkopf use one machine a class, as here. Their words for the best machine are "2-pixel"
    translations; here that is the whole square of 5 x 5.

    Args:
        degree: that of the polynomial.
        C: the bound on every coefficient; the paper's is 2.
        jitter: the largest shift in pixels; 0 for two machines without virtual vectors.
        deskewed: whether pictures are deskewed.
        tolerance: the largest violation of the optimality conditions that is left.

    Attributes:
        support_: (S, C, H, W) uint8, the support vectors of all second machines, each once, deskewed.
        coefficients_: (S, K), h; 0 where a machine goes without the vector.
        biases_: (K,), b.
        n_first_: (K,) support vectors of the first machines.
    """

    def __init__(
        self, *, degree: int = 9, C: float = 2.0, jitter: int = 2, deskewed: bool = True, tolerance: float = 1e-3
    ) -> None:
        self.degree = degree
        self.C = C
        self.jitter = jitter
        self.deskewed = deskewed
        self.tolerance = tolerance

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        within("degree", self.degree, 1, whole=True)
        within("C", self.C, 1e-6)
        within("jitter", self.jitter, 0, whole=True)
        within("tolerance", self.tolerance, 1e-5, 1)
        levels = self._upright(levels)
        height, width = levels.shape[2:]
        moves = _moves(height, width, self.jitter)
        machines = [self._machine(levels, labels == label, moves) for label in range(len(self.classes_))]
        keys = np.unique(np.concatenate([places for places, _, _, _ in machines]))
        self.coefficients_ = np.zeros((len(keys), len(machines)))
        for label, (places, held, _, _) in enumerate(machines):
            self.coefficients_[np.searchsorted(keys, places), label] = held
        self.support_ = np.empty((len(keys), *levels.shape[1:]), np.uint8)
        for number, move in enumerate(moves):
            chosen = keys % len(moves) == number
            self.support_[chosen] = moved(levels[keys[chosen] // len(moves)], *move)
        self.biases_ = np.array([bias for _, _, bias, _ in machines])
        self.n_first_ = np.array([first for _, _, _, first in machines])

    def _upright(self, levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return Deskew().transform(levels) if self.deskewed else levels

    def _machine(
        self, levels: NDArray[np.uint8], own: NDArray[np.bool_], moves: list[tuple[int, int]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], float, int]:
        """One class against the rest.

        Returns:
            where the second machine's support vectors come from (picture x moves + move), their h, the bias, and the
            number of the first machine's support vectors.
        """
        signs = np.where(own, 1.0, -1.0)
        held, _ = train(unit_rows(levels), signs, self.C, self.degree, self.tolerance)
        first = np.flatnonzero(held)
        rows = np.concatenate([unit_rows(moved(levels[first], *move)) for move in moves])
        held, bias = train(rows, np.tile(signs[first], len(moves)), self.C, self.degree, self.tolerance)
        places = np.flatnonzero(held)
        move, picture = np.divmod(places, len(first))
        return first[picture] * len(moves) + move, held[places], bias, len(first)

    def _scores(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        levels = self._upright(levels)
        # Double precision: a picture's score does not depend on what it is scored together with.
        support = unit_rows(self.support_).astype(np.float64)
        scores = np.tile(self.biases_, (len(levels), 1))
        for first in range(0, len(levels), BLOCK):
            rows = unit_rows(levels[first : first + BLOCK]).astype(np.float64)
            scores[first : first + BLOCK] += polynomial(rows, support, self.degree) @ self.coefficients_
        return scores


def _moves(height: int, width: int, jitter: int) -> list[tuple[int, int]]:
    """(down, right) of every shift; (0, 0) is one of them."""
    down, right = min(jitter, height // SIDE_SHARE), min(jitter, width // SIDE_SHARE)
    return list(itertools.product(range(-down, down + 1), range(-right, right + 1)))


def unit_rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures (N, C, H, W) as vectors of length 1, (N, values); a black one stays 0."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.maximum(lengths, 1)[:, None]
    return rows
