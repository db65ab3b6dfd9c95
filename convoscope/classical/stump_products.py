"""Products of decision stumps on Haar-like features, boosted by AdaBoost.MH.

Kégl and Busa-Fekete, "Boosting products of base classifiers" (ICML 2009); AdaBoost.MH is that of Schapire and Singer,
"Improved boosting algorithms using confidence-rated predictions" (Machine Learning 37, 1999).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from convoscope.classical import _stumps
from convoscope.classical._haar import HaarFamily, integral_images
from convoscope.classical._limits import within
from convoscope.classical._pictures import ScoringClassifier
from convoscope.classical._registry import classical_learner

REFRESH = 25
"""Rounds between two choices of the pictures that the search looks at, and of the pool of features it draws from."""
POOL = 10
"""Features in the pool, for each one that a search looks at."""
POOL_BYTES = 1 << 28
"""The pool is smaller where its bins would need more than this."""
PERFECT = 1 - 1e-9
"""The largest edge that a coefficient is made of: one of 1 would be an infinite one."""
ENOUGH = 10.0
"""A product with a larger coefficient is right about everything."""


@dataclass
class _Product:
    """Stumps of a product, at most `terms`: numbers of their features, and thresholds."""

    features: list[int]
    thresholds: list[int]


class _Pool:
    """Some features of the pictures that the search looks at, sorted into bins.

    Args:
        family: all features.
        features: (P,) numbers of those in the pool.
        integral: (corners, A) of the pictures.
    """

    def __init__(self, family: HaarFamily, features: NDArray[np.int64], integral: NDArray[np.int32]) -> None:
        self._features = features
        self.bins = np.empty((len(features), integral.shape[1]), np.uint8)
        self._lows, self._shifts, self.tops = (np.empty(len(features), np.int32) for _ in range(3))
        _stumps.fill_bins(integral, *family.corners(features), self.bins, self._lows, self._shifts, self.tops)

    def __len__(self) -> int:
        return len(self._features)

    def product(self, stumps: list[tuple[int, int]]) -> _Product:
        """The product of stumps that are given by their row in the pool and their last bin below the threshold."""
        features = [int(self._features[row]) for row, _ in stumps]
        thresholds = [int(self._lows[row]) + ((cut + 1) << int(self._shifts[row])) - 1 for row, cut in stumps]
        return _Product(features, thresholds)


class _Boosting:
    """The state of AdaBoost.MH between rounds.

    Args:
        images: (N, C, H, W) uint8.
        labels: (N,) class numbers.
        classes: K.
        terms: stumps of a product.
        subset: features that a search looks at.
        trim: share of all weight whose pictures, those of the least weight, the search leaves out.
        random: draws the features.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        classes: int,
        terms: int,
        subset: int,
        trim: float,
        random: np.random.RandomState,
    ) -> None:
        channels, height, width = images.shape[1:]
        self.family = HaarFamily((channels, height, width))
        self.integral = integral_images(images)
        self.pulls = first_pulls(labels, classes)
        self.terms, self.subset, self.trim, self.random = terms, min(subset, len(self.family)), trim, random

    def refresh(self) -> None:
        """Choose pictures and features for the searches of the next rounds.

        Weight trimming (Friedman, Hastie, Tibshirani 2000): only the search leaves pictures out, nothing else.
        """
        weights = np.abs(self.pulls).sum(axis=1)
        order = np.argsort(weights, kind="stable")
        light = np.searchsorted(np.cumsum(weights[order]), self.trim * weights.sum(), side="right")
        self.chosen = np.sort(order[min(light, len(order) - 1) :])
        lanes = -self.pulls.shape[1] // _stumps.LANES * -_stumps.LANES
        self.signed = np.zeros((len(self.chosen), lanes), np.float32)
        size = min(POOL * self.subset, max(self.subset, POOL_BYTES // len(self.chosen)))
        features = self.random.randint(len(self.family), size=size, dtype=np.int64)
        self.pool = _Pool(self.family, features, _stumps.columns(self.integral, self.chosen))

    def product(self) -> _Product:
        """Learn a product: each stump in turn beside the others, round and round, until one doesn't raise the edge."""
        _stumps.gather(self.pulls, self.chosen, self.signed)
        stumps: list[tuple[int, int]] = []
        edge, turn = 0.0, 0
        while True:
            place, again = turn % self.terms, turn >= self.terms
            if again:
                self._multiply(stumps[place])
            new_edge, stump = self._best_stump()
            if new_edge <= edge * (1 + 1e-6):
                return self.pool.product(stumps)
            stumps[place : place + 1] = [stump]
            self._multiply(stump)
            edge, turn = new_edge, turn + 1

    def _best_stump(self) -> tuple[float, tuple[int, int]]:
        """Edge of the best stump beside the others, among features drawn anew from the pool, and the stump."""
        rows = self.random.randint(len(self.pool), size=self.subset, dtype=np.int64)
        edges, cuts = np.empty(len(rows), np.float32), np.empty(len(rows), np.int32)
        _stumps.search(self.pool.bins, rows, self.pool.tops, self.signed, edges, cuts)
        best = int(edges.argmax())
        return float(edges[best]), (int(rows[best]), int(cuts[best]))

    def _multiply(self, stump: tuple[int, int]) -> None:
        """Multiply the pulls by a stump's answers: puts it beside the others, or takes it away again."""
        row, cut = stump
        _stumps.multiply(self.pool.bins[row], cut, self.signed)

    def weigh(self, product: _Product) -> tuple[NDArray[np.float64], float, float]:
        """Give a product its votes and coefficient, by its edge over all pictures, and bring the weights up to date.

        Returns:
            votes v (K,), coefficient alpha and the factor Z of the bound on the training error.
        """
        answers = np.ones(len(self.pulls), np.float32)
        places, factors = self.family.corners(np.array(product.features, np.int64))
        for stump, threshold in enumerate(product.thresholds):
            _stumps.answer(self.integral, places[stump], factors[stump], threshold, answers)
        edges, total = _stumps.class_edges(self.pulls, answers)
        votes = np.where(edges < 0, -1.0, 1.0)
        edge = float(np.abs(edges).sum() / total)
        kept = min(edge, PERFECT)
        alpha = 0.5 * math.log((1 + kept) / (1 - kept))
        right, wrong = math.exp(-alpha), math.exp(alpha)
        z = ((1 + edge) * right + (1 - edge) * wrong) / 2
        _stumps.reweight(self.pulls, answers, votes, right / (z * total), wrong / (z * total))
        return votes, alpha, z


def first_pulls(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """The first weights, with the signs of the labels (N, K): half of all weight lies on the pictures' own classes."""
    count = len(labels)
    pulls = np.full((count, classes), -1 / (2 * count * (classes - 1)))
    pulls[np.arange(count), labels] = 1 / (2 * count)
    return pulls


@classical_learner(
    "stump-products",
    en=(
        "boosted stumps: products of stumps on Haar features (AdaBoost.MH)",
        "Multiplies yes-or-no questions about differences between neighbouring areas, and boosts the products.",
    ),
    es=(
        "tocones potenciados: productos de tocones sobre características de Haar (AdaBoost.MH)",
        "Multiplica preguntas de sí o no sobre diferencias entre zonas vecinas y potencia los productos (*boosting*).",
    ),
    source="Kégl, Busa-Fekete, ICML 2009",
    small={"rounds": 60, "features": 40},
)
class StumpProducts(ScoringClassifier):
    """AdaBoost.MH over products of decision stumps on Haar-like features.

    The classifier is f(x) = sum over t of alpha v psi(x), a score (K,); the label is that of the largest. Here v in
    {-1, +1}^K votes for or against each class, and psi(x) = phi_1(x) … phi_m(x) is a product of stumps, each
    phi(x) = +1 if a feature of x is above a threshold, else -1. The weights w (N, K) begin with half of all weight on
    the pictures' own classes. In each round, with y[i, k] = +1 where i is of class k, else -1:

    1. each stump in turn is replaced by the best one beside the others, by the edge
       gamma = sum over k of |sum over i of w[i, k] y[i, k] psi(x[i])|, until one doesn't raise it. Each search looks at
       `features` features, drawn from a pool of ten times as many that is drawn anew from the whole family every 25
       rounds, and at the pictures that carry all but `trim` of the weight (Friedman, Hastie and Tibshirani, 2000);
    2. over all pictures, v[k] is the sign of the inner sum, and alpha = 1/2 ln((1 + gamma) / (1 - gamma));
    3. w[i, k] is multiplied by exp(-alpha v[k] psi(x[i]) y[i, k]) / Z, with Z so that the weights sum to 1.

    The weighted share of wrong votes on the training set is at most the product of all Z.

    Args:
        terms: m, stumps of a product.
        rounds: products.
        features: features that a search looks at.
        trim: share of weight that a search leaves out.
        random_state: an int, a `numpy.random.RandomState` or None.

    Attributes:
        features_: (rounds, terms) numbers in the `HaarFamily` of the pictures' shape; -1 where a product has fewer.
        thresholds_: (rounds, terms) of levels 0 … 255, summed up.
        votes_: (rounds, K) alpha v.
        factors_: (rounds,) Z.
        n_iter_: rounds learned; fewer than asked for where one product was right about everything.

    Source: Kégl and Busa-Fekete, "Boosting products of base classifiers", ICML 2009.
    """

    def __init__(
        self,
        *,
        terms: int = 3,
        rounds: int = 100_000,
        features: int = 100,
        trim: float = 0.01,
        random_state: Any = None,
    ) -> None:
        self.terms = terms
        self.rounds = rounds
        self.features = features
        self.trim = trim
        self.random_state = random_state

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        for name in ("terms", "rounds", "features"):
            within(name, getattr(self, name), 1, whole=True)
        within("trim", self.trim, 0, 0.5)
        random = check_random_state(self.random_state)
        state = _Boosting(levels, labels, len(self.classes_), self.terms, self.features, self.trim, random)
        self.features_ = np.full((self.rounds, self.terms), -1, np.int64)
        self.thresholds_ = np.zeros((self.rounds, self.terms), np.int32)
        self.votes_ = np.zeros((self.rounds, len(self.classes_)), np.float64)
        self.factors_ = np.ones(self.rounds)
        self.n_iter_ = self.rounds
        for turn in range(self.rounds):
            if turn % REFRESH == 0:
                state.refresh()
            product = state.product()
            count = len(product.features)
            self.features_[turn, :count], self.thresholds_[turn, :count] = product.features, product.thresholds
            votes, alpha, self.factors_[turn] = state.weigh(product)
            self.votes_[turn] = alpha * votes
            if not 0 < alpha < ENOUGH:
                self.n_iter_ = turn + 1
                break
        for name in ("features_", "thresholds_", "votes_", "factors_"):
            setattr(self, name, getattr(self, name)[: self.n_iter_])

    def _scores(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        *_, scores = self._staged_scores(levels, max(1, self.n_iter_))
        return scores

    def staged_decision_function(self, X: ArrayLike, every: int) -> Iterator[NDArray[np.float64]]:
        """The scores (N, K) of pictures after each `every` rounds, the last ones after all of them."""
        return self._staged_scores(self._checked(X), every)

    def _staged_scores(self, levels: NDArray[np.uint8], every: int) -> Iterator[NDArray[np.float64]]:
        used, rows = np.unique(self.features_, return_inverse=True)
        used, rows = (used[1:], rows - 1) if used[0] < 0 else (used, rows)
        places, factors = HaarFamily(self.image_shape_).corners(used)
        integral = integral_images(levels)
        scores = np.zeros((len(levels), len(self.classes_)))
        for first in range(0, self.n_iter_, every):
            rounds = slice(first, first + every)
            corners = rows.reshape(self.features_.shape)[rounds]
            _stumps.vote(integral, places, factors, corners, self.thresholds_[rounds], self.votes_[rounds], scores)
            yield scores.copy()
