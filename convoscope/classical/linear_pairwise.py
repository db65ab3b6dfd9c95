"""Linear discriminant analysis, pairwise: a discriminant for every two classes, and a vote."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from convoscope.classical._limits import within
from convoscope.classical._pictures import ScoringClassifier
from convoscope.classical._registry import classical_learner
from convoscope.data import Deskew


@classical_learner(
    "lda-pairwise",
    en=(
        "linear classifier: linear discriminant analysis, pairwise, deskewed",
        "Draws a straight border between every two classes, and lets all borders vote.",
    ),
    es=(
        "clasificador lineal: análisis discriminante lineal, por pares, enderezado",
        "Traza una frontera recta entre cada dos clases y deja que todas las fronteras voten.",
    ),
    source="LeCun, Bottou, Bengio, Haffner 1998",
)
class PairwiseLDA(ScoringClassifier):
    """K (K - 1) / 2 linear discriminants, 45 for ten classes, on pixels brought to 0 … 1; the class of most votes.

    For classes a and b with n_a and n_b pictures, means m_a and m_b and scatter matrices S_a and S_b (D, D),

        V = (S_a + S_b) / (n_a + n_b - 2)
        w = V'^-1 (m_a - m_b)                        V' = (1 - s) V + s (trace V / D) I,   s the shrinkage
        f(x) = w . (x - (m_a + m_b) / 2) + log(n_a / n_b)

    and the vote goes to a where f(x) > 0, else to b. This is Fisher's discriminant with the border that is best if both
    classes are Gaussian with the same covariance. The score of a class is its number of votes; ties are decided by the
    sum g of its f: g / (3 (|g| + 1)), less than half a vote, is added. Pictures are deskewed first
    (`convoscope.data.Deskew`).

    What differs from the paper: there, 45 units were trained, each to give +1 for its one class and -1 for its other,
    and the score of a class was the sum of its units' outputs. Here the discriminants follow from means and covariances
    without training, and the classes' votes are counted.

    Takes pictures of any form and gives labels (N,).

    Args:
        deskew: whether pictures are deskewed.
        shrinkage: s, more than 0 and at most 1; pixels that never change need some.

    Attributes:
        weights_: (K (K - 1) / 2, D), w of every two classes, in the order 0-1, 0-2, …, 1-2, …
        biases_: (K (K - 1) / 2,), so that f(x) = w . x + bias.

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998), section
    III.C.1, "pairwise linear classifier"; Fisher, "The use of multiple measurements in taxonomic problems" (1936).
    """

    def __init__(self, *, deskew: bool = True, shrinkage: float = 0.05) -> None:
        self.deskew = deskew
        self.shrinkage = shrinkage

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        within("shrinkage", self.shrinkage, 1e-6, 1)
        rows = self._rows(levels)
        classes = [_Moments(rows[labels == label]) for label in range(len(self.classes_))]
        pairs = [discriminant(*pair, self.shrinkage) for pair in itertools.combinations(classes, 2)]
        self.weights_ = np.array([weights for weights, _ in pairs])
        self.biases_ = np.array([bias for _, bias in pairs])

    def _scores(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        sides = self._rows(levels) @ self.weights_.T + self.biases_  # (N, pairs)
        votes = np.zeros((len(levels), len(self.classes_)))
        sums = np.zeros_like(votes)
        for pair, (one, other) in enumerate(itertools.combinations(range(len(self.classes_)), 2)):
            side = sides[:, pair]
            votes[:, one] += side > 0
            votes[:, other] += side <= 0
            sums[:, one] += side
            sums[:, other] -= side
        scores: NDArray[np.float64] = votes + sums / (3 * (np.abs(sums) + 1))
        return scores

    def _rows(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, D), from 0 to 1."""
        pictures = levels / 255
        return (Deskew().transform(pictures) if self.deskew else pictures).reshape(len(levels), -1)


class _Moments:
    """Number, mean (D,) and scatter matrix (D, D) of the pictures of a class, from their rows (n, D)."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        self.count, self.mean = len(rows), rows.mean(axis=0)
        apart = rows - self.mean
        self.scatter = apart.T @ apart


def discriminant(one: _Moments, other: _Moments, shrinkage: float) -> tuple[NDArray[np.float64], float]:
    """Weights (D,) and bias of f, positive on the side of the first class; see `PairwiseLDA`."""
    from scipy.linalg import solve

    spread = (one.scatter + other.scatter) / max(one.count + other.count - 2, 1)
    # Two classes without any spread: all directions are alike.
    mean_spread = np.trace(spread) / len(spread) or 1.0
    spread *= 1 - shrinkage
    spread[np.diag_indices_from(spread)] += shrinkage * mean_spread
    weights: NDArray[np.float64] = solve(spread, one.mean - other.mean, assume_a="pos")
    return weights, float(np.log(one.count / other.count) - weights @ (one.mean + other.mean) / 2)
