"""What the transformers of pictures have in common: they take them in any of the usual forms and give back the same."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import validate_data

Array = NDArray[Any]


class PictureTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn transformer of pictures (N, C, H, W), (N, H, W) or, flat, (N, values).

    Flat rows are square grey pictures where the number of values is a square, and strips one pixel high where it is
    not. The result has the form that came, and its type if that is uint8, float32 or float64; else it is float64.

    A transformer keeps `_change`, from pictures (N, C, H, W) to pictures. None learns anything, so none needs `fit`.
    """

    def fit(self, X: ArrayLike, y: Any = None) -> PictureTransformer:  # noqa: ARG002 (a pipeline gives it)
        """Look at the form of pictures ``X``, and nothing else.

        Raises:
            ValueError: NaN or infinity, or no pictures.
        """
        validate_data(self, X, dtype="numeric", allow_nd=True)
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Change pictures.

        Args:
            X: pictures; see the class.

        Returns:
            As many pictures, in the form of ``X``.

        Raises:
            ValueError: NaN or infinity, or another number of values than `fit` saw.
        """
        values: Array = validate_data(self, X, dtype="numeric", allow_nd=True, reset=False)
        changed = self._change(in_planes(values))
        return like(changed, values)

    def _change(self, images: Array) -> Array:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def image_shape(values: Array) -> tuple[int, int, int]:
    """(C, H, W) of one of the pictures (N, C, H, W), (N, H, W) or (N, values); those of other forms count as flat."""
    if values.ndim == 4:
        return values.shape[1], values.shape[2], values.shape[3]
    if values.ndim == 3:
        return 1, values.shape[1], values.shape[2]
    count = math.prod(values.shape[1:])
    side = math.isqrt(count)
    return (1, side, side) if side * side == count else (1, 1, count)


def in_planes(values: Array) -> Array:
    """Pictures in any of the forms as (N, C, H, W)."""
    return values.reshape(len(values), *image_shape(values))


def like(images: Array, values: Array) -> Array:
    """Pictures (N, C, H, W) in the form and the type of `values`; bytes are rounded, not cut off."""
    if values.dtype == np.uint8:
        images = np.rint(np.clip(images, 0, 255))
    kept = values.dtype in (np.uint8, np.float32)
    return images.reshape(values.shape).astype(values.dtype if kept else np.float64, copy=False)
