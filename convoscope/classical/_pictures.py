"""What the learners of this room that give scores or probabilities, or look at single pixels, have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convoscope.data.classifier import PictureClassifier


class ScoringClassifier(PictureClassifier):
    """A classifier of pictures that gives each class a score; it keeps `_learn` and `_scores`."""

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores (N, K) of pictures; (N,), positive for the second class, where there are two."""
        scores = self._scores(self._checked(X))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def _scores(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        raise NotImplementedError

    def _answer(self, levels: NDArray[np.uint8]) -> NDArray[np.int64]:
        best: NDArray[np.int64] = self._scores(levels).argmax(axis=1)
        return best


class PixelClassifier(PictureClassifier):
    """A scikit-learn classifier on pixels, brought to 0 … 1 and (N, values); it keeps `_learner`, which makes one.

    Attributes:
        learner_: the fitted classifier; its classes are class numbers.
    """

    def _learner(self) -> Any:
        raise NotImplementedError

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self.learner_ = self._learner().fit(_rows(levels), labels)

    def _answer(self, levels: NDArray[np.uint8]) -> NDArray[np.int64]:
        numbers: NDArray[np.int64] = self.learner_.predict(_rows(levels))
        return numbers


class ProbabilityClassifier(PixelClassifier):
    """One that tells how sure it is."""

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities (N, K) of pictures."""
        rows = _rows(self._checked(X))
        shares: NDArray[np.float64] = self.learner_.predict_proba(rows)
        return shares


def _rows(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return levels.reshape(len(levels), -1).astype(np.float32) / np.float32(255)
