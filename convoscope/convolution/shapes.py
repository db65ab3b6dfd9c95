"""Where windows lie: padding, stride, dilation and the size of the output, one axis at a time.

The rules are the field's:

* output size and floor / ceil mode: PyTorch, ``torch.nn.Conv2d`` and ``torch.nn.MaxPool2d``; with ``ceil_mode`` a last
  window that would start in the padding after the image is left out;
* "same": TensorFlow's ``SAME`` and ONNX's ``SAME_UPPER``: ``ceil(length / stride)`` outputs, padding shared out evenly,
  the odd pixel after (to the bottom and the right).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Literal, SupportsIndex, TypeAlias

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError

Pair: TypeAlias = int | tuple[int, int]
Sides: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
Padding: TypeAlias = Literal["valid", "same"] | int | tuple[int, int] | Sides

MOST_PIXELS = 100_000_000
"""A padded channel with more pixels than this, and what a last window reaches, is taken for a slip of the hand."""
MOST = 2**31 - 1
"""The largest stride, dilation, side: sums of products of them are still whole numbers of 64 bits."""


@dataclass(frozen=True)
class Axis:
    """The windows along one axis of an image.

    Args:
        length: pixels of the image along the axis.
        size: taps of the window.
        stride: pixels from one window to the next.
        dilation: pixels from one tap to the next.
        before: padding pixels before the image.
        after: padding pixels after the image.
        ceil_mode: round the number of windows up: a last window may reach beyond the padding.
    """

    length: int
    size: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    ceil_mode: bool = False

    @property
    def extent(self) -> int:
        """Pixels from a window's first tap to its last, both counted."""
        return (self.size - 1) * self.dilation + 1

    @property
    def padded(self) -> int:
        """Pixels of the image with its padding."""
        return self.before + self.length + self.after

    @property
    def outputs(self) -> int:
        """How many windows fit; not positive when the window is larger than the padded image."""
        room = self.padded - self.extent
        if not self.ceil_mode:
            return room // self.stride + 1
        count = -(-room // self.stride) + 1
        starts_after_image = (count - 1) * self.stride >= self.before + self.length
        return count - 1 if starts_after_image else count

    @property
    def overhang(self) -> int:
        """Pixels by which the last window reaches beyond the padded image (only with `ceil_mode`)."""
        return max(0, (self.outputs - 1) * self.stride + self.extent - self.padded)

    def taps(self, index: int) -> npt.NDArray[np.int64]:
        """Image coordinates of the taps of window `index`, (size,); below 0 or from `length` on they are padding."""
        first = index * self.stride - self.before
        return first + self.dilation * np.arange(self.size, dtype=np.int64)

    def all_taps(self) -> npt.NDArray[np.int64]:
        """Image coordinates of the taps of every window, (outputs, size)."""
        starts = self.stride * np.arange(self.outputs, dtype=np.int64)[:, None]
        return starts + self.taps(0)

    def read(self) -> npt.NDArray[np.bool_]:
        """Which image pixels are under a tap of some window, (length,)."""
        taps = self.all_taps().ravel()
        read = np.zeros(self.length, dtype=np.bool_)
        read[taps[(taps >= 0) & (taps < self.length)]] = True
        return read

    def counted(self, *, padding: bool) -> npt.NDArray[np.int64]:
        """How many taps of each window lie in the image (or, with `padding`, in the padded image), (outputs,)."""
        taps = self.all_taps()
        first, end = (-self.before, self.length + self.after) if padding else (0, self.length)
        counts: npt.NDArray[np.int64] = ((taps >= first) & (taps < end)).sum(axis=1)
        return counts


@dataclass(frozen=True)
class Geometry:
    """The windows over an image: one `Axis` for the rows and one for the columns."""

    rows: Axis
    columns: Axis

    @property
    def size(self) -> tuple[int, int]:
        """The window, (kH, kW)."""
        return self.rows.size, self.columns.size

    @property
    def stride(self) -> tuple[int, int]:
        """The stride, (rows, columns)."""
        return self.rows.stride, self.columns.stride

    @property
    def dilation(self) -> tuple[int, int]:
        """The dilation, (rows, columns)."""
        return self.rows.dilation, self.columns.dilation

    @property
    def padding(self) -> Sides:
        """The padding, ((top, bottom), (left, right))."""
        return (self.rows.before, self.rows.after), (self.columns.before, self.columns.after)

    @property
    def output_size(self) -> tuple[int, int]:
        """The size of the output, (H', W')."""
        return self.rows.outputs, self.columns.outputs


def output_size(
    input_size: tuple[int, int],
    size: Pair,
    *,
    padding: Padding = "valid",
    stride: Pair = 1,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    """The size of the output of a convolution or pooling.

    Args:
        input_size: (H, W).
        size: the window, one number or (kH, kW).
        padding: as in `convoscope.convolve`.
        stride: one number or (rows, columns).
        dilation: one number or (rows, columns).
        ceil_mode: round up, as poolings may.

    Returns:
        (H', W').

    Raises:
        RequestError: a number is out of its range, or the window is larger than the padded image.
    """
    windows = geometry(input_size, size, padding=padding, stride=stride, dilation=dilation, ceil_mode=ceil_mode)
    return windows.output_size


def geometry(
    input_size: tuple[int, int],
    size: Pair,
    *,
    padding: Padding = "valid",
    stride: Pair = 1,
    dilation: Pair = 1,
    ceil_mode: bool = False,
    field: str = "size",
) -> Geometry:
    """Check the request and lay out the windows; arguments and errors as in `output_size`.

    `field` is what an error calls the window: "size" of a pooling, "kernel" of a convolution.
    """
    lengths = pair(input_size, "input_size", least=1)
    sizes = pair(size, field, least=1)
    strides = pair(stride, "stride", least=1)
    dilations = pair(dilation, "dilation", least=1)
    extents = [(taps - 1) * apart + 1 for taps, apart in zip(sizes, dilations, strict=True)]
    rounds_up = ceil_mode and not (isinstance(padding, str) and padding == "same")
    sides = resolve_padding(padding, lengths, (extents[0], extents[1]), strides)
    rows, columns = (
        Axis(length, taps, step, apart, before, after, rounds_up)
        for length, taps, step, apart, (before, after) in zip(lengths, sizes, strides, dilations, sides, strict=True)
    )
    if rows.padded * columns.padded > MOST_PIXELS:
        raise RequestError(
            "convolution.too_many_pixels", field="padding", rows=rows.padded, columns=columns.padded, most=MOST_PIXELS
        )
    if rows.outputs < 1 or columns.outputs < 1:
        raise RequestError(
            "convolution.window_too_large",
            field=field,
            rows=rows.extent,
            columns=columns.extent,
            padded_rows=rows.padded,
            padded_columns=columns.padded,
        )
    # With a large dilation the last window of `ceil_mode` may reach far beyond an image that is small itself.
    reached = rows.padded + rows.overhang, columns.padded + columns.overhang
    if reached[0] * reached[1] > MOST_PIXELS:
        raise RequestError(
            "convolution.overhang", field="ceil_mode", rows=reached[0], columns=reached[1], most=MOST_PIXELS
        )
    return Geometry(rows, columns)


def resolve_padding(
    padding: Padding, lengths: tuple[int, int], extents: tuple[int, int], strides: tuple[int, int]
) -> Sides:
    """The padding as four numbers, ((top, bottom), (left, right)).

    Args:
        padding: "valid" (none), "same" (as many outputs as ``ceil(length / stride)``), one number for all sides,
            (rows, columns), or ((top, bottom), (left, right)).
        lengths: the image, (H, W).
        extents: what the window spans, dilation counted, (rows, columns).
        strides: (rows, columns).

    Raises:
        RequestError: another form, or a negative number.
    """
    if isinstance(padding, str):
        if padding == "valid":
            return (0, 0), (0, 0)
        if padding == "same":
            rows, columns = (
                _same(length, extent, stride) for length, extent, stride in zip(lengths, extents, strides, strict=True)
            )
            return rows, columns
        raise RequestError("convolution.padding_form", field="padding", asked=padding)
    given: Any = padding.tolist() if isinstance(padding, np.ndarray) else padding
    try:
        if isinstance(given, SupportsIndex):
            sides = [[given, given], [given, given]]
        else:
            top, left = given
            sides = [[side, side] if isinstance(side, SupportsIndex) else list(side) for side in (top, left)]
        ((top, bottom), (left, right)) = ([_whole(number) for number in side] for side in sides)
    except (TypeError, ValueError):
        raise RequestError("convolution.padding_form", field="padding", asked=padding) from None
    if min(top, bottom, left, right) < 0:
        raise RequestError("convolution.padding_negative", field="padding", asked=padding)
    return (top, bottom), (left, right)


def _same(length: int, extent: int, stride: int) -> tuple[int, int]:
    outputs = -(-length // stride)
    total = max(0, (outputs - 1) * stride + extent - length)
    return total // 2, total - total // 2


def pair(value: Pair, field: str, *, least: int) -> tuple[int, int]:
    """One whole number or (rows, columns), as (rows, columns).

    Raises:
        RequestError: another form, a number below `least`, or one beyond `MOST`.
    """
    given: Any = value.tolist() if isinstance(value, np.ndarray) else value
    try:
        rows, columns = (given, given) if isinstance(given, SupportsIndex) else given
        numbers = _whole(rows), _whole(columns)
    except (TypeError, ValueError):
        raise RequestError("convolution.pair_form", field=field, asked=value) from None
    if min(numbers) < least:
        raise RequestError("convolution.pair_small", field=field, asked=value, least=least)
    if max(numbers) > MOST:
        raise RequestError("convolution.pair_large", field=field, asked=value, most=MOST)
    return numbers


def whole_number(value: int, field: str, *, least: int) -> int:
    """One whole number.

    Raises:
        RequestError: another form, or below `least`.
    """
    try:
        number = _whole(value)
    except TypeError:
        raise RequestError("convolution.number_form", field=field, asked=value) from None
    if number < least:
        raise RequestError("convolution.pair_small", field=field, asked=value, least=least)
    return number


def _whole(number: Any) -> int:
    if isinstance(number, bool | np.bool_):
        raise TypeError("a truth value is no number of pixels")
    return operator.index(number)
