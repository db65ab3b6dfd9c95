"""A network of this program as a scikit-learn classifier."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from torch import Tensor

from convoscope.core.errors import RequestError
from convoscope.data import ImageData, Images
from convoscope.data.classifier import PictureClassifier
from convoscope.data.transformer import image_shape
from convoscope.runs.evaluation import evaluating, predict_logits
from convoscope.training.launch import train
from convoscope.training.recipe import setting_from

SMALLEST = 8
"""Pictures with a shorter side have nothing to slide a kernel over; they get a dense network."""


class ConvNetClassifier(PictureClassifier):
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
        image_shape_: (C, H, W) of a picture.
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

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Probabilities (n, n_classes) of pictures ``X``."""
        return self._logits(self._checked(X)).float().softmax(dim=1).numpy()

    def _form(self, values: NDArray[Any]) -> tuple[int, int, int]:
        if self.image_shape is None or values.ndim == 4:
            return image_shape(values)
        count = math.prod(values.shape[1:])
        if math.prod(self.image_shape) != count:
            raise RequestError("training.array_shape", shape=self.image_shape, values=count)
        channels, height, width = self.image_shape
        return channels, height, width

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        names = tuple(str(label) for label in self.classes_)
        none = Images(np.zeros((0, *self.image_shape_), np.uint8), np.zeros(0, np.int64))
        loaded = ImageData("arrays", Images(levels, labels), none, names, self.mirrored, "memory", "", "")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with tempfile.TemporaryDirectory() as folder:
            run = train(
                loaded, self._model(), self._recipe(labels), epochs=self.epochs, seed=seed, out=Path(folder) / "run"
            )
            if run.metrics is None or run.metrics["interrupted"]:
                raise KeyboardInterrupt  # a network half trained is none, and a search over many would go on
            self.network_, self.curves_, self._scaling = run.model, run.curves, run.preprocessing.scaling
        self.n_iter_ = len(self.curves_)

    def _answer(self, levels: NDArray[np.uint8]) -> NDArray[np.int64]:
        numbers: NDArray[np.int64] = self._logits(levels).argmax(dim=1).numpy()
        return numbers

    def _logits(self, levels: NDArray[np.uint8]) -> Tensor:
        with evaluating(self.network_):
            return predict_logits(self.network_, levels, self._scaling, self.image_shape_[1:], torch.device("cpu"))

    def _model(self) -> str | None:
        return self.model or ("dense-800" if min(self.image_shape_[1:]) < SMALLEST else None)

    def _recipe(self, labels: NDArray[np.int64]) -> str:
        """Keep no validation set where the rarest class is too small to spare pictures."""
        spec, setting = setting_from(self.recipe, self.image_shape_[0])
        if setting.validation == 0 or np.bincount(labels).min() * setting.validation >= 1:
            return self.recipe
        spec.parameters["validation"] = 0
        return str(spec)
