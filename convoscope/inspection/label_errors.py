"""Labels that are probably wrong: confident learning.

Northcutt, Jiang, Chuang 2021, "Confident learning: estimating uncertainty in dataset labels".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
_RIDGE = 1e-2


@dataclass(frozen=True)
class Suspect:
    """A picture whose label is probably wrong.

    Args:
        row: its place among the pictures judged.
        guess: the class that it seems to be.
        margin: the probability of its label less that of `guess`; the lower, the more suspect.
    """

    row: int
    guess: int
    margin: float


def suspects(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> list[Suspect]:
    """The pictures that lie off the diagonal of the confident joint, the most suspect first.

    A picture counts as of class j if its probability of j is at least the mean probability of j over the pictures
    labelled j, and no other such class is more probable. Where that class is not its label, the label is suspect.

    Args:
        probabilities: (N, classes), out of sample: of nets that did not learn from the picture.
        labels: (N,).
    """
    count = probabilities.shape[1]
    own = probabilities[np.arange(len(labels)), labels]
    thresholds = np.full(count, np.inf)
    for label in np.unique(labels):
        thresholds[label] = own[labels == label].mean()
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    guess = confident.argmax(axis=1)
    off = np.flatnonzero((confident.max(axis=1) >= 0) & (guess != labels))
    found = [Suspect(int(row), int(guess[row]), float(own[row] - probabilities[row, guess[row]])) for row in off]
    return sorted(found, key=lambda one: one.margin)


def cross_validated(
    features: NDArray[np.float64], labels: NDArray[np.int64], classes: int, seed: int = 0
) -> NDArray[np.float64]:
    """Probabilities (N, classes) of features (N, D) by linear discriminants that did not see the picture.

    Five folds, chosen by `seed`; in each, Gaussians with a common covariance (Fisher 1936) are fitted to the others,
    with a little of the identity added to the covariance of the standardised features.
    """
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    folds = np.random.default_rng(seed).permutation(len(labels)) % FOLDS
    probabilities = np.zeros((len(labels), classes))
    for fold in range(FOLDS):
        seen, judged = folds != fold, folds == fold
        probabilities[judged] = discriminant(scaled[seen], labels[seen], scaled[judged], classes)
    return probabilities


def discriminant(
    x: NDArray[np.float64], y: NDArray[np.int64], judged: NDArray[np.float64], classes: int
) -> NDArray[np.float64]:
    """Probabilities (M, classes) of `judged` (M, D), by a linear discriminant fitted to `x` (N, D), standardised."""
    counts = np.bincount(y, minlength=classes)
    means = np.zeros((classes, x.shape[1]))
    np.add.at(means, y, x)
    means /= np.maximum(counts, 1)[:, None]
    centred = x - means[y]
    covariance = centred.T @ centred / len(x) + _RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(covariance, means.T)  # (D, classes)
    with np.errstate(divide="ignore"):
        priors = np.log(counts / len(y))
    scores = judged @ weights - 0.5 * (means.T * weights).sum(axis=0) + priors
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    shares /= shares.sum(axis=1, keepdims=True)
    probabilities: NDArray[np.float64] = shares
    return probabilities
