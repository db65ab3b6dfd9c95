"""A network of this program as a scikit-learn classifier."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from convoscope.core.errors import RequestError
from convoscope.data import ImageData, Images
from convoscope.runs.evaluation import evaluating, predict_logits
from convoscope.training.launch import train
from convoscope.training.recipe import setting_from

SMALLEST = 8
"""Pictures with a shorter side have nothing to slide a kernel over; they get a dense network."""


class ConvNetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Train a network of this program on arrays.

    A row of a two-dimensional ``X`` is a picture of `image_shape`; if that is not given, a square grey one where the
    number of values is a square, and a strip one pixel high where it is not. ``X`` of uint8 is taken as it is; other
    numbers are brought to 0 … 255 by the smallest and largest value of the training set.

    Args:
        model: a network's specification such as ``typical:blocks=3``; the recipe's own if None, or ``dense-800`` where
            a side is shorter than 8 pixels.
        recipe: a recipe's name, with changes if wished.
        epochs: how many; the recipe's own number if None.
        image_shape: (C, H, W) of a row of ``X``.
        mirrored: whether a mirrored picture keeps its class.
        random_state: an int, a `numpy.random.RandomState` or None.

    Attributes:
        classes_: (n_classes,) the labels, sorted.
        n_features_in_: values of one picture.
        n_iter_: epochs trained.
        curves_: one dict an epoch.
        network_: the trained `torch.nn.Module`, (B, C, H, W) to logits (B, n_classes).
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        recipe: str = "default",
        epochs: int | None = None,
        image_shape: tuple[int, int, int] | None = None,
        mirrored: bool = False,
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.recipe = recipe
        self.epochs = epochs
        self.image_shape = image_shape
        self.mirrored = mirrored
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> ConvNetClassifier:
        """Train.

        Args:
            X: (n, values) or (n, C, H, W).
            y: (n,) labels of any kind.

        Raises:
            ValueError: NaN or infinity, shapes that don't fit, fewer than two classes.
        """
        values: NDArray[Any]
        values, y = validate_data(self, X, y, dtype="numeric", allow_nd=True, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise RequestError("training.one_class", label=self.classes_.tolist()[0])
        self._shape = self._image_shape(values)
        whole = values.dtype == np.uint8
        self._low, self._high = (0.0, 255.0) if whole else (float(values.min()), float(values.max()))
        images = Images(self._pixels(values), labels.astype(np.int64))
        names = tuple(str(label) for label in self.classes_)
        none = Images(np.zeros((0, *self._shape), np.uint8), np.zeros(0, np.int64))
        loaded = ImageData("arrays", images, none, names, self.mirrored, "memory", "", "")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with tempfile.TemporaryDirectory() as folder:
            run = train(
                loaded, self._model(), self._recipe(labels), epochs=self.epochs, seed=seed, out=Path(folder) / "run"
            )
            self.network_, self.curves_, self._scaling = run.model, run.curves, run.preprocessing.scaling
        self.n_iter_ = len(self.curves_)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Probabilities (n, n_classes) of pictures ``X``."""
        check_is_fitted(self)
        values: NDArray[Any] = validate_data(self, X, dtype="numeric", allow_nd=True, reset=False)
        with evaluating(self.network_):
            logits = predict_logits(
                self.network_, self._pixels(values), self._scaling, self._shape[1:], torch.device("cpu")
            )
        return logits.float().softmax(dim=1).numpy()

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels (n,) of pictures ``X``."""
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def _image_shape(self, X: NDArray[Any]) -> tuple[int, int, int]:
        if X.ndim == 4:
            return X.shape[1], X.shape[2], X.shape[3]
        values = math.prod(X.shape[1:])
        if self.image_shape is None:
            side = math.isqrt(values)
            if X.ndim == 3:
                return 1, X.shape[1], X.shape[2]
            return (1, side, side) if side * side == values else (1, 1, values)
        if math.prod(self.image_shape) != values:
            raise RequestError("training.array_shape", shape=self.image_shape, values=values)
        channels, height, width = self.image_shape
        return channels, height, width

    def _pixels(self, X: NDArray[Any]) -> NDArray[np.uint8]:
        """(n, C, H, W) uint8."""
        if math.prod(X.shape[1:]) != math.prod(self._shape):
            raise RequestError("training.array_shape", shape=self._shape, values=math.prod(X.shape[1:]))
        X = X.reshape(len(X), *self._shape)
        if X.dtype == np.uint8:
            return X
        span = (self._high - self._low) or 1.0
        levels = np.clip((X.astype(np.float64) - self._low) / span, 0, 1) * 255
        return np.rint(levels).astype(np.uint8)

    def _model(self) -> str | None:
        return self.model or ("dense-800" if min(self._shape[1:]) < SMALLEST else None)

    def _recipe(self, labels: NDArray[np.int64]) -> str:
        """Keep no validation set where the rarest class is too small to spare pictures."""
        spec, setting = setting_from(self.recipe, self._shape[0])
        if setting.validation == 0 or np.bincount(labels).min() * setting.validation >= 1:
            return self.recipe
        spec.parameters["validation"] = 0
        return str(spec)
