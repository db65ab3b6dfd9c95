"""What a convolution or a pooling leaves behind: its output, and the way from any output back to the image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convoscope.convolution.arrays import Array
from convoscope.convolution.shapes import Axis, Geometry, whole_number
from convoscope.convolution.worked import table
from convoscope.core.display import mime_bundle
from convoscope.core.errors import RequestError
from convoscope.core.messages import say


@dataclass(frozen=True, eq=False)
class Unit(ABC):
    """One output and what it was made of; ``str(unit)`` writes the calculation out.

    Args:
        filter: which map of the output.
        row: the output's row.
        column: the output's column.
        window: the pixels under the window, (C, kH, kW); 0 where `is_padding`.
        rows: the image row of each row of the window, (kH,); negative or beyond the image it is padding.
        columns: the image column of each column of the window, (kW,).
        is_padding: which taps of the window lie on padding, (kH, kW).
        value: the number in the output.
    """

    filter: int
    row: int
    column: int
    window: Array
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    is_padding: npt.NDArray[np.bool_]
    value: int | float

    @abstractmethod
    def __str__(self) -> str: ...

    def to_dict(self) -> dict[str, Any]:
        """The unit as plain lists and numbers, ready for JSON; `text` is the worked calculation."""
        return {
            "filter": self.filter,
            "row": self.row,
            "column": self.column,
            "window": self.window.tolist(),
            "rows": self.rows.tolist(),
            "columns": self.columns.tolist(),
            "is_padding": self.is_padding.tolist(),
            "value": self.value,
            "text": str(self),
        }


@dataclass(frozen=True, eq=False)
class Trace(ABC):
    """The result of `convolve` or `pool`, with the way back to the image.

    Shows its output as text (``str``), and as a drawing in a notebook.

    Args:
        kind: "convolution", "max" or "avg".
        image: the image, (C, H, W).
        geometry: where the windows lie.
        output: the result: (H', W') when image and kernel were flat, else (F, H', W').
    """

    kind: str
    image: Array
    geometry: Geometry
    output: Array

    @abstractmethod
    def at(self, row: int, col: int, filter: int = 0) -> Unit:
        """What made the output at (`row`, `col`) of map `filter`.

        Raises:
            RequestError: there is no such output.
        """

    @property
    def maps(self) -> Array:
        """The output as (F, H', W'), also when it is flat."""
        return self.output if self.output.ndim == 3 else self.output[None]

    @property
    def padded(self) -> Array:
        """The image with its padding as zeros, (C, …): also the strip a last window of `ceil_mode` reaches into."""
        rows, columns = self.geometry.rows, self.geometry.columns
        return pad(self.image, self.geometry, rows.overhang, columns.overhang)

    @property
    def is_padding(self) -> npt.NDArray[np.bool_]:
        """Which pixels of `padded` are padding, (rows, columns)."""
        inside = [_inside(axis) for axis in (self.geometry.rows, self.geometry.columns)]
        return ~(inside[0][:, None] & inside[1][None, :])

    @property
    def is_ignored(self) -> npt.NDArray[np.bool_]:
        """Which image pixels no window reads, (H, W): left over by the stride, or between taps."""
        return ~(self.geometry.rows.read()[:, None] & self.geometry.columns.read()[None, :])

    def to_dict(self) -> dict[str, Any]:
        """The trace as plain lists and numbers, ready for JSON.

        `padded` holds None on padding that takes no part (poolings), and 0 where padding counts as zero.
        """
        padded: list[Any] = self.padded.tolist()
        if not self._padding_counts:
            hidden = self.is_padding.tolist()
            padded = [
                [
                    [None if out else number for number, out in zip(row, row_hidden, strict=True)]
                    for row, row_hidden in zip(channel, hidden, strict=True)
                ]
                for channel in padded
            ]
        return {
            "kind": self.kind,
            "image": self.image.tolist(),
            "padded": padded,
            "output": self.output.tolist(),
            "size": list(self.geometry.size),
            "stride": list(self.geometry.stride),
            "dilation": list(self.geometry.dilation),
            "padding": [list(side) for side in self.geometry.padding],
            "overhang": [self.geometry.rows.overhang, self.geometry.columns.overhang],
            "ignored": self.is_ignored.tolist(),
        }

    def __str__(self) -> str:
        if self.output.ndim == 2:
            return table(self.output)
        titles = (say(f"convolution.map_title_{self._map_noun}", index=index) for index in range(len(self.output)))
        return "\n\n".join(f"{title}\n{table(one)}" for title, one in zip(titles, self.output, strict=True))

    def __repr__(self) -> str:
        shape = " × ".join(str(length) for length in self.output.shape)
        return f"<{type(self).__name__} {self.kind} {shape}>"

    def _repr_mimebundle_(self, **_asked: Any) -> dict[str, Any]:
        return mime_bundle(self)

    @property
    def _padding_counts(self) -> bool:
        return True

    @property
    def _map_noun(self) -> str:
        return "filter"

    def _place(self, row: int, col: int, index: int) -> tuple[int, int, int]:
        """`row`, `col` and `index` of an output, once it is known to exist.

        As Python's numbers: NumPy's small ones overflow when they are multiplied by a stride.
        """
        count, height, width = self.maps.shape
        return _index(row, "row", height), _index(col, "col", width), _index(index, "filter", count)

    def _taps(self, row: int, col: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The image rows and columns under the window of an output."""
        return self.geometry.rows.taps(row), self.geometry.columns.taps(col)


def pad(image: Array, geometry: Geometry, more_rows: int = 0, more_columns: int = 0, fill: int | float = 0) -> Array:
    """`image` (C, H, W) with its padding, and `more_rows` and `more_columns` after it, all of it `fill`."""
    (top, bottom), (left, right) = geometry.padding
    sides = ((0, 0), (top, bottom + more_rows), (left, right + more_columns))
    return np.pad(image, sides, constant_values=fill) if np.any(sides) else image


def window_at(
    image: Array, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The pixels of `image` (C, H, W) at `rows` × `columns`, zeros outside, and which taps are outside.

    Returns:
        (C, kH, kW) and (kH, kW).
    """
    _, height, width = image.shape
    row_in, column_in = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    window = np.zeros((len(image), len(rows), len(columns)), dtype=image.dtype)
    to_rows, to_columns = np.ix_(row_in, column_in)
    window[:, to_rows, to_columns] = image[:, rows[row_in][:, None], columns[column_in]]
    return window, ~(row_in[:, None] & column_in[None, :])


def _index(asked: int, field: str, count: int) -> int:
    try:
        index = whole_number(asked, field, least=0)
    except RequestError:
        index = count
    if index >= count:
        raise RequestError("convolution.no_such_output", field=field, asked=asked, last=count - 1)
    return index


def _inside(axis: Axis) -> npt.NDArray[np.bool_]:
    inside = np.zeros(axis.padded + axis.overhang, dtype=np.bool_)
    inside[axis.before : axis.before + axis.length] = True
    return inside
