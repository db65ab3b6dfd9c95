"""Arrays as a data set, with every way in which arrays don't fit told apart.

Pixels: uint8 is taken as it is; booleans become 0 and 255; other whole numbers must be 0…255. Floating-point values
are taken as 0…1 if none is above 1, else as 0…255 (an array that is all black in 0…255 but for values up to 1 is
therefore read as 0…1: give uint8 where that matters). Everything else is refused, never clipped.

Shapes: (N, H, W) is grey; (N, C, H, W) if the second side is 1 or 3, else (N, H, W, C) if the last is; rows of values
(N, C x H x W) need `shape`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.data.splits import split_validation
from convoscope.data.types import ImageData, Images, Labels, Pixels, fingerprint

_CHANNELS = (1, 3)


def from_arrays(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    X_test: npt.ArrayLike | None = None,
    y_test: npt.ArrayLike | None = None,
    *,
    classes: Sequence[str] | None = None,
    shape: tuple[int, int, int] | None = None,
    mirrored: bool = False,
    name: str = "arrays",
    seed: int = 0,
) -> ImageData:
    """Make a data set of pictures `X` and labels `y`.

    Args:
        X: pictures (see this module for shapes and values).
        y: (N,) their labels.
        X_test: the same to test with; a fifth of every class, chosen by `seed`, if neither is given.
        y_test: their labels.
        classes: class names; `y` are then indices into them. Without them, the classes are the labels found in `y`.
        shape: (C, H, W) of one row of `X`, where `X` is (N, values).
        mirrored: whether a picture may be flipped left-right and keep its class.
        name: what to call it.
        seed: decides the test split.

    Raises:
        RequestError: NaN or infinity, values or labels out of range, shapes that don't fit, fewer than two classes,
            test pictures without labels or labels without pictures.
    """
    images = as_pixels(X, shape)
    labels, names = _labels(y, len(images), classes)
    if len(names) < 2:
        raise RequestError("data.arrays_one_class", count=len(names))
    if (X_test is None) != (y_test is None):
        given, missing = ("X_test", "y_test") if y_test is None else ("y_test", "X_test")
        raise RequestError("data.arrays_test_half", given=given, missing=missing)
    if X_test is None or y_test is None:
        train_rows, test_rows = split_validation(labels, 0.2, seed)
        train = Images(images[train_rows], labels[train_rows])
        test = Images(images[test_rows], labels[test_rows])
    else:
        test_images = as_pixels(X_test, shape)
        if test_images.shape[1:] != images.shape[1:]:
            raise RequestError("data.arrays_differ", train=images.shape[1:], test=test_images.shape[1:])
        known = np.unique(np.asarray(y)) if classes is None else np.arange(len(classes))
        test = Images(test_images, _indices(y_test, len(test_images), known))
        train = Images(images, labels)
    source = say("data.source_arrays")
    unknown = say("data.licence_unknown")
    return ImageData(name, train, test, names, mirrored, source, unknown, fingerprint(train, test, names))


def as_pixels(X: npt.ArrayLike, shape: tuple[int, int, int] | None = None) -> Pixels:
    """Pictures of any of the forms that this module names -> (N, C, H, W) uint8.

    Raises:
        RequestError: another shape, or values that are not finite or out of range.
    """
    values = np.asarray(X)
    return np.ascontiguousarray(_eight_bits(_four_sides(values, shape)))


def _four_sides(values: npt.NDArray[Any], shape: tuple[int, int, int] | None) -> npt.NDArray[Any]:
    """(N, C, H, W), values untouched."""
    if shape is not None and values.ndim == 2 and values.shape[1] == math.prod(shape):
        values = values.reshape(-1, *shape)
    elif values.ndim == 3:
        values = values[:, None]
    elif values.ndim == 4 and values.shape[1] not in _CHANNELS and values.shape[3] in _CHANNELS:
        values = values.transpose(0, 3, 1, 2)
    fits = values.ndim == 4 and values.shape[1] in _CHANNELS and values.size > 0
    if not fits or (shape is not None and values.shape[1:] != shape):
        raise RequestError("data.arrays_shape", found=values.shape, wanted=shape or "-")
    return values


def _eight_bits(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    kind = values.dtype.kind
    if values.dtype == np.uint8:
        return values
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if kind not in "iuf":
        raise RequestError("data.arrays_kind", found=values.dtype)
    if kind == "f" and not np.isfinite(values).all():
        at = np.argwhere(~np.isfinite(values))[0]
        raise RequestError("data.arrays_not_finite", count=int((~np.isfinite(values)).sum()), picture=int(at[0]))
    low, high = values.min(), values.max()
    if low < 0 or high > 255:
        raise RequestError("data.arrays_range", low=low, high=high)
    if kind == "f":
        values = np.rint(values * (255 if high <= 1 else 1))
    pixels: npt.NDArray[np.uint8] = values.astype(np.uint8)
    return pixels


def _labels(y: npt.ArrayLike, count: int, classes: Sequence[str] | None) -> tuple[Labels, tuple[str, ...]]:
    """Label indices (N,) and class names."""
    if classes is not None:
        return _indices(y, count, np.arange(len(classes))), tuple(classes)
    known = np.unique(np.asarray(y))
    return _indices(y, count, known), tuple(str(value) for value in known.tolist())


def _indices(y: npt.ArrayLike, count: int, known: npt.NDArray[Any]) -> Labels:
    """The place of each label in the sorted `known` labels."""
    given = np.asarray(y)
    if given.shape != (count,):
        raise RequestError("data.labels_shape", found=given.shape, count=count)
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        raise RequestError("data.labels_not_finite", picture=int(np.flatnonzero(~np.isfinite(given))[0]))
    strange = np.flatnonzero(~np.isin(given, known))
    if len(strange):
        first, last = known[[0, -1]].tolist() if len(known) else ("-", "-")
        value = given[strange[0]].item()
        raise RequestError("data.labels_range", value=value, picture=int(strange[0]), first=first, last=last)
    places: Labels = np.searchsorted(known, given).astype(np.int64)
    return places
