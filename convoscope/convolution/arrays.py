"""Images, kernels and biases as they arrive: turned into arrays, or refused with a sentence that says why."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError

Array: TypeAlias = npt.NDArray[Any]


def read_image(image: npt.ArrayLike) -> tuple[Array, bool]:
    """The image as (C, H, W), a copy, and whether it came as (H, W).

    Raises:
        RequestError: not numbers, not finite, empty, ragged, or of other dimensions.
    """
    array = read_numbers(image, "image")
    if array.ndim not in (2, 3):
        raise RequestError("convolution.image_dimensions", field="image", shape=_shape(array))
    flat = array.ndim == 2
    return np.array(array[None] if flat else array, order="C"), flat


def read_kernel_array(kernel: npt.ArrayLike) -> Array:
    """The kernel as an array of two, three or four dimensions.

    Raises:
        RequestError: not numbers, not finite, empty, ragged, or of other dimensions.
    """
    array = read_numbers(kernel, "kernel")
    if array.ndim not in (2, 3, 4):
        raise RequestError("convolution.kernel_dimensions", field="kernel", shape=_shape(array))
    return array


def read_bias(bias: npt.ArrayLike | None, filters: int) -> Array | None:
    """The bias as (F,); one number stands for all filters.

    Raises:
        RequestError: not numbers, not finite, or not one for each filter.
    """
    if bias is None:
        return None
    array = read_numbers(bias, "bias")
    if array.ndim == 0 or array.shape == (1,):
        return np.full(filters, array.reshape(()))
    if array.shape != (filters,):
        raise RequestError("convolution.bias_shape", field="bias", shape=_shape(array), filters=filters)
    return np.array(array)


def read_numbers(value: npt.ArrayLike, field: str) -> Array:
    """An array of booleans, integers or floats from what was given for `field`.

    Raises:
        RequestError: not numbers, not finite, empty or ragged.
    """
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        # NumPy says "inhomogeneous shape" for rows of unequal length; anything else is no array at all.
        key = "convolution.ragged" if "inhomogeneous" in str(error) else "convolution.not_numbers"
        raise RequestError(key, field=field) from None
    if array.size == 0:
        raise RequestError("convolution.empty", field=field, shape=_shape(array))
    if array.dtype.kind not in "biuf":
        raise RequestError("convolution.not_numbers", field=field)
    if array.dtype.itemsize > 8:
        # Extended precision: taken as float64, where what is too large for it becomes infinite.
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise RequestError("convolution.not_finite", field=field)
    return array


def largest(array: Array) -> int | float:
    """The largest absolute value, as a Python number: that of the smallest int64 doesn't fit an int64."""
    ends: tuple[int | float, int | float] = (array.min().item(), array.max().item())
    return max(abs(end) for end in ends)


def _shape(array: Array) -> str:
    return " × ".join(str(length) for length in array.shape) or "()"
