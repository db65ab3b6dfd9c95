"""What classifiers of pictures have in common, as scikit-learn wants them: shapes, levels, labels."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from convoscope.core.errors import RequestError
from convoscope.data.transformer import image_shape


class PictureClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of pictures (N, C, H, W), (N, H, W) or, flat, (N, values).

    Flat rows are square grey pictures where the number of values is a square, and strips one pixel high where it is
    not. Pictures of uint8 are taken as they are; other numbers are brought to 0 … 255 by the smallest and largest
    value of the training set.

    A learner keeps `_learn`, from levels and class numbers, and `_answer`, from levels to class numbers; and `_form`
    where it is told what form flat rows have.

    Attributes:
        classes_: (K,) the labels, sorted.
        n_features_in_: values of one row.
        image_shape_: (C, H, W) of a picture.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
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
            raise RequestError("data.learner_one_class", label=self.classes_.tolist()[0])
        self.image_shape_ = self._form(values)
        whole = values.dtype == np.uint8
        self._low, self._high = (0.0, 255.0) if whole else (float(values.min()), float(values.max()))
        self._learn(self._levels(values), labels.astype(np.int64))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels (N,) of pictures."""
        numbers = self._answer(self._checked(X))
        labels: NDArray[Any] = self.classes_[numbers]
        return labels

    def _form(self, values: NDArray[Any]) -> tuple[int, int, int]:
        """(C, H, W) of one of the pictures to learn from."""
        return image_shape(values)

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        raise NotImplementedError

    def _answer(self, levels: NDArray[np.uint8]) -> NDArray[np.int64]:
        raise NotImplementedError

    def _checked(self, X: ArrayLike) -> NDArray[np.uint8]:
        """Levels (N, C, H, W) of pictures of the kind that was learned from."""
        check_is_fitted(self)
        return self._levels(validate_data(self, X, dtype="numeric", allow_nd=True, reset=False))

    def _levels(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """(N, C, H, W)."""
        if math.prod(values.shape[1:]) != math.prod(self.image_shape_):
            raise RequestError("data.learner_shape", shape=self.image_shape_, found=values.shape[1:])
        values = values.reshape(len(values), *self.image_shape_)
        if values.dtype == np.uint8:
            return values
        share = (values.astype(np.float64) - self._low) / ((self._high - self._low) or 1.0)
        return np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
