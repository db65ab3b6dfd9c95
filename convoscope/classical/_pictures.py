"""What the learners of this room that need to know a picture's sides have in common: shapes, grey levels, labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from convoscope.core.errors import RequestError


class PictureClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of pictures (N, C, H, W), (N, H, W) or, flat, (N, values).

    Flat rows are square grey pictures where the number of values is a square, and strips one pixel high where it is
    not. Pictures of uint8 are taken as they are; other numbers are brought to 0 … 255 by the smallest and largest
    value of the training set.

    A learner keeps `_learn`, from levels and class numbers, and `_scores`, from levels.

    Attributes:
        classes_: (K,) the labels, sorted.
        n_features_in_: values of one row.
        image_shape_: (C, H, W) of a picture.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> PictureClassifier:
        """Learn from pictures.

        Args:
            X: pictures; see the class.
            y: (N,) labels of any kind.

        Raises:
            ValueError: NaN or infinity, shapes that don't fit, fewer than two classes.
        """
        values: NDArray[Any]
        values, y = validate_data(self, X, y, dtype="numeric", allow_nd=True, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise RequestError("classical.one_class", label=self.classes_.tolist()[0])
        self.image_shape_ = image_shape(values)
        whole = values.dtype == np.uint8
        self._low, self._high = (0.0, 255.0) if whole else (float(values.min()), float(values.max()))
        self._learn(self._levels(values), labels.astype(np.int64))
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scores (N, K) of pictures; (N,), positive for the second class, where there are two."""
        check_is_fitted(self)
        values: NDArray[Any] = validate_data(self, X, dtype="numeric", allow_nd=True, reset=False)
        scores = self._scores(self._levels(values))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels (N,) of pictures: those of the largest scores."""
        scores = self.decision_function(X)
        labels: NDArray[Any] = self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]
        return labels

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        raise NotImplementedError

    def _scores(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        raise NotImplementedError

    def _levels(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """(N, C, H, W)."""
        if math.prod(values.shape[1:]) != math.prod(self.image_shape_):
            raise RequestError("classical.other_shape", shape=self.image_shape_, found=values.shape[1:])
        values = values.reshape(len(values), *self.image_shape_)
        if values.dtype == np.uint8:
            return values
        share = (values.astype(np.float64) - self._low) / ((self._high - self._low) or 1.0)
        return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)


def image_shape(values: NDArray[Any]) -> tuple[int, int, int]:
    """(C, H, W) of one of the pictures (N, C, H, W), (N, H, W) or (N, values)."""
    if values.ndim == 4:
        return values.shape[1], values.shape[2], values.shape[3]
    if values.ndim == 3:
        return 1, values.shape[1], values.shape[2]
    side = math.isqrt(values.shape[1])
    return (1, side, side) if side * side == values.shape[1] else (1, 1, values.shape[1])
