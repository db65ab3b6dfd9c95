"""Max and average pooling, traceable; the rules are PyTorch's (``torch.nn.functional.max_pool2d``, ``avg_pool2d``)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from convoscope.convolution.arrays import Array, largest, read_image
from convoscope.convolution.shapes import Geometry, Padding, Pair, geometry
from convoscope.convolution.trace import Trace, Unit, pad, window_at
from convoscope.convolution.worked import equals, number, signed, wrapped
from convoscope.core.errors import RequestError
from convoscope.core.messages import say

KINDS = ("max", "avg")


def pool(
    image: npt.ArrayLike,
    kind: Literal["max", "avg"],
    size: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = "valid",
    dilation: Pair = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> PoolTrace:
    """Slide a window over each channel; keep the largest pixel of each window, or their mean.

    Padding never wins a maximum. In a mean it is left out, or with `count_include_pad` counted as zeros (which is
    PyTorch's default, not TensorFlow's); what a last window of `ceil_mode` covers beyond the padding never counts.

    Integers stay integers in a maximum (int64); the mean of integers is float64. float32 stays float32.

    Args:
        image: (H, W) or (C, H, W).
        kind: "max" or "avg".
        size: the window, one number or (rows, columns).
        stride: from one window to the next; as large as the window when None.
        padding: "valid", "same", one number, (rows, columns) or ((top, bottom), (left, right)), as in `convolve`.
        dilation: pixels from one tap of the window to the next.
        ceil_mode: round the output's size up, unless the last window would start beyond the image.
        count_include_pad: let padding count in means.

    Returns:
        The trace; its `output` has the image's dimensions, (H', W') or (C, H', W').

    Raises:
        RequestError: something doesn't fit, or a window would hold nothing but padding; ``error.values["field"]``
            names the argument.
    """
    if kind not in KINDS:
        raise RequestError("convolution.pool_kind", field="kind", asked=kind)
    pixels, flat = read_image(image)
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize == 8 and pixels.max() > np.iinfo(np.int64).max:
        raise RequestError("convolution.overflow_integers", field="image")
    windows = geometry(
        (pixels.shape[1], pixels.shape[2]),
        size,
        padding=padding,
        stride=size if stride is None else stride,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    counts = [axis.counted(padding=False) for axis in (windows.rows, windows.columns)]
    if not (kind == "avg" and count_include_pad) and min(count.min() for count in counts) == 0:
        raise RequestError("convolution.only_padding", field="padding")
    if kind == "avg":
        _check_reach(pixels, windows)
    if count_include_pad:
        counts = [axis.counted(padding=True) for axis in (windows.rows, windows.columns)]
    maps = _largest(pixels, windows) if kind == "max" else _mean(pixels, windows, counts[0][:, None] * counts[1])
    return PoolTrace(kind, pixels, windows, maps[0] if flat else maps, count_include_pad)


@dataclass(frozen=True, eq=False)
class PoolUnit(Unit):
    """One output of a pooling; ``str(unit)`` is ``max(5, -1, -3, 3) = 5`` or ``(5 + (-1) + (-3) + 3) / 4 = 1``.

    Args:
        kind: "max" or "avg".
        takes_part: which taps take part, (kH, kW): all but padding, unless that counts.
        winner: (row, column) in the image of the pixel that won a maximum (the first in reading order); None in a mean.
        sum: the sum of the pixels of a mean; None in a maximum.
        divisor: what the sum of a mean was divided by; None in a maximum.
    """

    kind: str
    takes_part: npt.NDArray[np.bool_]
    winner: tuple[int, int] | None
    sum: int | float | None
    divisor: int | None

    def __str__(self) -> str:
        numbers = self.window[0][self.takes_part]
        # Whether a number was rounded to be shown is judged in the precision that it was calculated in.
        own = np.promote_types(numbers.dtype, np.float32) if numbers.dtype.kind == "f" else np.dtype(np.float64)
        ending = equals(list(numbers), own.type(self.value) if isinstance(self.value, float) else self.value)
        if self.winner is not None:
            terms = [number(value) for value in numbers]
            place = say("convolution.winner", row=self.winner[0], column=self.winner[1])
            return wrapped([*terms[:-1], terms[-1] + ")"], f"{ending} {place}", opening="max(", joint=", ")
        terms = [signed(value) for value in numbers]
        return wrapped([*terms[:-1], terms[-1] + ")"], f"/ {self.divisor} {ending}", opening="(")

    def to_dict(self) -> dict[str, Any]:
        """The unit as plain lists and numbers, ready for JSON; `text` is the worked calculation."""
        return super().to_dict() | {
            "kind": self.kind,
            "takes_part": self.takes_part.tolist(),
            "winner": None if self.winner is None else list(self.winner),
            "sum": self.sum,
            "divisor": self.divisor,
        }


@dataclass(frozen=True, eq=False, repr=False)
class PoolTrace(Trace):
    """The result of `pool`.

    Args:
        count_include_pad: whether padding counted as zeros in means.
    """

    count_include_pad: bool

    def at(self, row: int, col: int, filter: int = 0) -> PoolUnit:
        """The window that made the output at (`row`, `col`) of channel `filter`, (1, kH, kW), and what became of it.

        Raises:
            RequestError: there is no such output.
        """
        row, col, filter = self._place(row, col, filter)
        rows, columns = self._taps(row, col)
        window, is_padding = window_at(self.image[filter : filter + 1], rows, columns)
        if window.dtype.kind != "f":
            window = window.astype(np.int64)
        takes_part = self._within_padding(rows, columns) if self._padding_counts else ~is_padding
        value = self.maps[filter, row, col].item()
        common = (filter, row, col, window, rows, columns, is_padding, value, self.kind, takes_part)
        if self.kind == "avg":
            # The sum of float32 pixels is taken in float64, as the mean was.
            numbers = window[0].astype(np.float64) if window.dtype.kind == "f" else window[0]
            return PoolUnit(*common, None, numbers[takes_part].sum().item(), int(takes_part.sum()))
        best = takes_part & (window[0].astype(self.output.dtype) == value)
        at_row, at_column = divmod(int(best.argmax()), len(columns))
        return PoolUnit(*common, (int(rows[at_row]), int(columns[at_column])), None, None)

    def to_dict(self) -> dict[str, Any]:
        """The trace as plain lists and numbers, ready for JSON."""
        return super().to_dict() | {"count_include_pad": self.count_include_pad}

    @property
    def _padding_counts(self) -> bool:
        return self.kind == "avg" and self.count_include_pad

    @property
    def _map_noun(self) -> str:
        return "channel"

    def _within_padding(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        down, across = self.geometry.rows, self.geometry.columns
        row_in, column_in = rows < down.length + down.after, columns < across.length + across.after
        return row_in[:, None] & column_in[None, :]


def _check_reach(pixels: Array, windows: Geometry) -> None:
    if float(largest(pixels)) > np.finfo(np.float64).max / math.prod(windows.size):
        raise RequestError("convolution.overflow_floats", field="image", type="float64")


def _largest(pixels: Array, windows: Geometry) -> Array:
    """The largest pixel of each window, (C, H, W) to (C, H', W')."""
    kind = np.dtype(np.int64) if pixels.dtype.kind != "f" else np.dtype(_float(pixels))
    padded = pad(pixels.astype(kind), windows, windows.rows.overhang, windows.columns.overhang, _least(kind))
    slices = _tap_slices(padded, windows)
    best = slices[0].copy()
    for pixels_of_tap in slices[1:]:
        np.maximum(best, pixels_of_tap, out=best)
    return best


def _mean(pixels: Array, windows: Geometry, divisors: npt.NDArray[np.int64]) -> Array:
    """The sum of each window over its divisor, (C, H, W) to (C, H', W'), added up in float64."""
    padded = pad(pixels.astype(np.float64), windows, windows.rows.overhang, windows.columns.overhang)
    slices = _tap_slices(padded, windows)
    total = slices[0].copy()
    for pixels_of_tap in slices[1:]:
        total += pixels_of_tap
    return (total / divisors).astype(_float(pixels))


def _tap_slices(padded: Array, windows: Geometry) -> list[Array]:
    """For each tap of the window, the pixels it meets, (C, H', W') each; views, nothing is copied."""
    (height, width), (down, across), (apart_down, apart_across) = windows.output_size, windows.stride, windows.dilation
    kernel_height, kernel_width = windows.size
    return [
        padded[
            :,
            row * apart_down : row * apart_down + (height - 1) * down + 1 : down,
            column * apart_across : column * apart_across + (width - 1) * across + 1 : across,
        ]
        for row in range(kernel_height)
        for column in range(kernel_width)
    ]


def _float(pixels: Array) -> type[np.float32] | type[np.float64]:
    return np.float32 if pixels.dtype.kind == "f" and pixels.dtype.itemsize <= 4 else np.float64


def _least(kind: np.dtype[Any]) -> int | float:
    return -np.inf if kind.kind == "f" else int(np.iinfo(kind).min)
