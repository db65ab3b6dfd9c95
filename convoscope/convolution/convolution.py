"""The convolution of CNNs (cross-correlation: the kernel is not flipped), exact and traceable.

The products are summed by one matrix product for a block of output rows (im2col, Chellapilla et al. 2006, "High
performance convolutional neural networks for document processing"), small enough for the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from convoscope.convolution.arrays import Array, largest, read_bias, read_image, read_kernel_array
from convoscope.convolution.shapes import Geometry, Padding, Pair, geometry, whole_number
from convoscope.convolution.trace import Trace, Unit, pad, window_at
from convoscope.convolution.worked import SUM_DIGITS, equals, product_sum, signed, wrapped
from convoscope.core.errors import RequestError
from convoscope.core.messages import say

_BLOCK_BYTES = 1 << 20
_EXACT_FLOAT32 = 1 << 24
_EXACT_FLOAT64 = 1 << 53
_MOST_INT64 = np.iinfo(np.int64).max


def convolve(
    image: npt.ArrayLike,
    kernel: npt.ArrayLike,
    *,
    bias: npt.ArrayLike | None = None,
    padding: Padding = "valid",
    stride: Pair = 1,
    dilation: Pair = 1,
    groups: int = 1,
) -> ConvolutionTrace:
    """Slide a kernel over an image; at each place, the sum of pixel × weight, plus the bias.

    This is cross-correlation, as every CNN library computes it: no flip. The same numbers as
    ``torch.nn.functional.conv2d``.

    What the kernel's dimensions mean:

    * ``(F, C, kH, kW)``: F filters, each over all C channels (over ``C / groups`` of them with `groups`); F maps.
    * ``(C, kH, kW)``: one filter over all channels; one map.
    * ``(kH, kW)``: an image filter: the same kernel on every channel by itself, so C maps (one for a flat image). The
      trace holds it as what it is, a convolution of C groups with the kernel C times, (C, 1, kH, kW).

    What the numbers become:

    * integers everywhere: the result is int64 and exact;
    * a float image rules: float32 stays float32 (float16 becomes it), float64 stays; kernel and bias follow;
    * an integer image with a float kernel: NumPy's common type of the two, at least float32.

    Args:
        image: (H, W) or (C, H, W).
        kernel: (kH, kW), (C, kH, kW) or (F, C, kH, kW); also one of `convoscope.kernels`.
        bias: one number, or one for each filter, (F,).
        padding: pixels of 0 around the image: "valid" (none); "same" (enough for ``ceil(H / stride)`` rows of output,
            the odd pixel after, as TensorFlow and ONNX SAME_UPPER do); one number; (rows, columns); or
            ((top, bottom), (left, right)).
        stride: pixels from one window to the next, one number or (rows, columns).
        dilation: pixels from one tap of the kernel to the next, one number or (rows, columns).
        groups: cut channels and filters into this many groups that don't see each other.

    Returns:
        The trace; its `output` is (H', W') for a flat image and a flat kernel, else (F, H', W').

    Raises:
        RequestError: something doesn't fit; ``error.values["field"]`` names the argument.
    """
    pixels, flat_image = read_image(image)
    weights = read_kernel_array(kernel)
    flat = flat_image and weights.ndim == 2
    weights, groups = _as_filters(weights, len(pixels), groups)
    filters = len(weights)
    offsets = read_bias(bias, filters)
    windows = geometry(
        (pixels.shape[1], pixels.shape[2]),
        (weights.shape[2], weights.shape[3]),
        padding=padding,
        stride=stride,
        dilation=dilation,
        field="kernel",
    )
    result, working = _number_types(pixels, weights, offsets)
    weights = weights.astype(result)
    offsets = None if offsets is None else offsets.astype(result)
    maps = _correlate(
        pad(pixels.astype(working, copy=False), windows), weights.astype(working), windows, groups, result
    )
    if offsets is not None:
        maps += offsets[:, None, None]
    output = maps[0] if flat else maps
    return ConvolutionTrace("convolution", pixels, windows, output, weights, offsets, groups)


@dataclass(frozen=True, eq=False)
class ConvolutionUnit(Unit):
    """One output of a convolution; ``str(unit)`` is the worked sum, ``1×1 + 0×(-1) + … = 5``.

    Args:
        kernel: the filter's weights, (C, kH, kW).
        products: pixel × weight, (C, kH, kW), float64 or int64.
        sum: the sum of the products (float64 or exact), without the bias.
        bias: the filter's bias, or None.
        first_channel: the image channel of the window's first channel (not 0 in later groups).
    """

    kernel: Array
    products: Array
    sum: int | float
    bias: int | float | None
    first_channel: int = 0

    def __str__(self) -> str:
        # Whether a number was rounded to be shown is judged in the precision that it was calculated in.
        own = self.kernel.dtype.type
        value, bias_number = own(self.value), [] if self.bias is None else [own(self.bias)]
        bias = [f"{signed(number)} ({say('convolution.bias')})" for number in bias_number]
        if len(self.window) == 1:
            ending = equals([*self.window.flat, *self.kernel.flat, *bias_number], value)
            return wrapped([*product_sum(self.window, self.kernel), *bias], ending)
        sums = self.products.sum(axis=(1, 2)).tolist()
        lines = [
            wrapped(
                product_sum(pixels, weights),
                equals([*pixels.flat, *weights.flat], subtotal),
                opening=say("convolution.channel_opening", index=self.first_channel + index),
            )
            for index, (pixels, weights, subtotal) in enumerate(zip(self.window, self.kernel, sums, strict=True))
        ]
        total = wrapped(
            [*(signed(subtotal, SUM_DIGITS) for subtotal in sums), *bias],
            equals([*sums, *bias_number], value, SUM_DIGITS),
            opening=say("convolution.total_opening"),
        )
        return "\n".join([*lines, total])

    def to_dict(self) -> dict[str, Any]:
        """The unit as plain lists and numbers, ready for JSON; `text` is the worked sum."""
        return super().to_dict() | {
            "kernel": self.kernel.tolist(),
            "products": self.products.tolist(),
            "sum": self.sum,
            "bias": self.bias,
            "first_channel": self.first_channel,
        }


@dataclass(frozen=True, eq=False, repr=False)
class ConvolutionTrace(Trace):
    """The result of `convolve`.

    Args:
        kernel: the weights as used, (F, C / groups, kH, kW), in the result's number type.
        bias: (F,), or None.
        groups: how many groups the channels were cut into.
    """

    kernel: Array
    bias: Array | None
    groups: int

    def at(self, row: int, col: int, filter: int = 0) -> ConvolutionUnit:
        """The window, kernel, products, sum and bias that made the output at (`row`, `col`) of map `filter`.

        Raises:
            RequestError: there is no such output.
        """
        row, col, filter = self._place(row, col, filter)
        rows, columns = self._taps(row, col)
        channels = self.kernel.shape[1]
        first = filter // (len(self.kernel) // self.groups) * channels
        window, is_padding = window_at(self.image[first : first + channels], rows, columns)
        wide = np.int64 if self.output.dtype.kind == "i" else np.float64
        if window.dtype.kind != "f":
            window = window.astype(np.int64)
        products = window.astype(wide) * self.kernel[filter].astype(wide)
        return ConvolutionUnit(
            filter,
            row,
            col,
            window,
            rows,
            columns,
            is_padding,
            self.maps[filter, row, col].item(),
            self.kernel[filter],
            products,
            products.sum().item(),
            None if self.bias is None else self.bias[filter].item(),
            first,
        )

    def to_dict(self) -> dict[str, Any]:
        """The trace as plain lists and numbers, ready for JSON."""
        return super().to_dict() | {
            "kernel": self.kernel.tolist(),
            "bias": None if self.bias is None else self.bias.tolist(),
            "groups": self.groups,
        }


def _as_filters(kernel: Array, channels: int, groups: int) -> tuple[Array, int]:
    """The kernel as (F, C / groups, kH, kW), with the groups it is to be used in."""
    groups = whole_number(groups, "groups", least=1)
    if kernel.ndim == 2:
        if groups not in (1, channels):
            raise RequestError("convolution.groups_flat_kernel", field="groups", asked=groups, channels=channels)
        return np.broadcast_to(kernel, (channels, 1, *kernel.shape)), channels
    filters = kernel if kernel.ndim == 4 else kernel[None]
    if channels % groups or len(filters) % groups:
        raise RequestError("convolution.groups", field="groups", asked=groups, channels=channels, filters=len(filters))
    if filters.shape[1] * groups != channels:
        raise RequestError(
            "convolution.channels",
            field="kernel",
            channels=channels,
            groups=groups,
            expected=channels // groups,
            arrived=filters.shape[1],
        )
    return filters, groups


def _number_types(image: Array, kernel: Array, bias: Array | None) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The result's number type, and the one to calculate in.

    Integers are calculated in floats wherever no partial sum can leave the range in which floats are exact, since only
    floats have a fast matrix product.

    Raises:
        RequestError: the result could leave the range of its number type.
    """
    weights = kernel.reshape(len(kernel), -1)
    whole = image.dtype.kind in "biu" and kernel.dtype.kind in "biu"
    if whole and (bias is None or bias.dtype.kind in "biu"):
        # Python integers, so that the bound itself can't overflow.
        bound = largest(image) * weights.shape[1] * largest(weights)
        if bound > _EXACT_FLOAT64:
            bound = largest(image) * max(sum(abs(int(weight)) for weight in row) for row in weights)
        bound += 0 if bias is None else largest(bias)
        if max(bound, largest(image), largest(weights)) > _MOST_INT64:
            raise RequestError("convolution.overflow_integers", field="kernel")
        exact = np.float32 if bound <= _EXACT_FLOAT32 else np.float64 if bound <= _EXACT_FLOAT64 else np.int64
        return np.dtype(np.int64), np.dtype(exact)
    result = _float_type(image, kernel, bias, whole=whole)
    with np.errstate(over="ignore"):
        reach = float(largest(image)) * np.abs(weights.astype(np.float64)).sum(axis=1).max()
    reach += 0 if bias is None else float(largest(bias))
    if max(reach, float(largest(weights)), float(largest(image))) > np.finfo(result).max:
        raise RequestError("convolution.overflow_floats", field="kernel", type=result.name)
    return result, result


def _float_type(image: Array, kernel: Array, bias: Array | None, *, whole: bool) -> np.dtype[Any]:
    if image.dtype.kind == "f":
        common = image.dtype
    elif whole and bias is not None:
        common = np.result_type(image, bias)
    else:
        common = np.result_type(image, kernel)
    return np.dtype(np.float32 if common.itemsize <= 4 else np.float64)


def _correlate(padded: Array, kernel: Array, windows: Geometry, groups: int, result: np.dtype[Any]) -> Array:
    """The sums of products, (C, H, W) and (F, C / groups, kH, kW) to (F, H', W') of type `result`."""
    filters, channels, kernel_height, kernel_width = kernel.shape
    (height, width), (down, across), (apart_down, apart_across) = windows.output_size, windows.stride, windows.dilation
    extents = (windows.rows.extent, windows.columns.extent)
    # (C, rows, columns, extent, extent) -> (C, H', W', kH, kW) -> (C, kH, kW, H', W'); no pixel is copied yet.
    under = sliding_window_view(padded, extents, axis=(1, 2))
    under = under[:, ::down, ::across, ::apart_down, ::apart_across].transpose(0, 3, 4, 1, 2)
    taps = channels * kernel_height * kernel_width
    block_rows = max(1, min(height, _BLOCK_BYTES // (taps * width * padded.itemsize)))
    weights = kernel.reshape(groups, filters // groups, taps)
    maps = np.empty((filters, height * width), dtype=result)
    columns = np.empty(taps * block_rows * width, dtype=padded.dtype)
    for group in range(groups):
        channel, first = group * channels, group * (filters // groups)
        for top in range(0, height, block_rows):
            rows = min(block_rows, height - top)
            block = columns[: taps * rows * width].reshape(channels, kernel_height, kernel_width, rows, width)
            np.copyto(block, under[channel : channel + channels, :, :, top : top + rows])
            target = maps[first : first + filters // groups, top * width : (top + rows) * width]
            matrix = block.reshape(taps, rows * width)
            if padded.dtype == result:
                np.matmul(weights[group], matrix, out=target)
            else:
                target[...] = weights[group] @ matrix
    return maps.reshape(filters, height, width)
