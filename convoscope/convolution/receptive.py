"""Receptive fields: which part of the input a unit of any layer can see.

The arithmetic is that of Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks"
(Distill): along each axis a layer's units are `jump` input pixels apart, each sees `size` pixels, and the first unit's
field starts at `start`, which padding makes negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convoscope.convolution.shapes import Axis, Padding, Pair, geometry, pair

Positions: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """A layer that slides a window: a convolution or a pooling; arguments as in `convolve` and `pool`."""

    size: Pair
    stride: Pair = 1
    padding: Padding = "valid"
    dilation: Pair = 1
    ceil_mode: bool = False


@dataclass(frozen=True)
class Whole:
    """A layer each unit of which sees everything before it: fully connected, or pooling over the whole map."""


Layer: TypeAlias = Window | Whole | None
"""None is a layer that works unit by unit (activation, batch norm, dropout): it leaves fields as they are."""


@dataclass(frozen=True)
class Span:
    """Pixels along one axis, from `first` up to but not including `end`."""

    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first


@dataclass(frozen=True, eq=False)
class AxisField:
    """The fields of a layer's units along one axis.

    Args:
        length: pixels of the input.
        size: input pixels from the first to the last that a unit sees, both counted, padding too.
        jump: input pixels between neighbouring units.
        start: input coordinate of the first pixel that the first unit sees.
        first: for each unit, the first input pixel that it really sees, (units,); `length` if it sees only padding.
        last: for each unit, the last one, (units,); -1 if it sees only padding.
    """

    length: int
    size: int
    jump: int
    start: int
    first: Positions
    last: Positions

    @property
    def units(self) -> int:
        """Units of the layer."""
        return len(self.first)

    def through(self, axis: Axis) -> AxisField:
        """The fields after one more layer whose windows are those of `axis`."""
        taps = axis.all_taps()
        on_map = (taps >= 0) & (taps < self.units)
        taps = np.clip(taps, 0, self.units - 1)
        return AxisField(
            self.length,
            self.size + (axis.extent - 1) * self.jump,
            self.jump * axis.stride,
            self.start - axis.before * self.jump,
            np.where(on_map, self.first[taps], self.length).min(axis=1),
            np.where(on_map, self.last[taps], -1).max(axis=1),
        )

    def whole(self) -> AxisField:
        """The field of one unit that sees all units before it."""
        size = (self.units - 1) * self.jump + self.size
        first, last = self.first.min(keepdims=True), self.last.max(keepdims=True)
        return AxisField(self.length, size, self.length, self.start, first, last)

    def joined(self, other: AxisField) -> AxisField:
        """The fields of units that see what either sees.

        Raises:
            ValueError: the paths' units don't lie over each other.
        """
        if (self.length, self.units, self.jump) != (other.length, other.units, other.jump):
            raise ValueError(f"paths with {self.units} and {other.units} units can't meet")
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        first, last = np.minimum(self.first, other.first), np.maximum(self.last, other.last)
        return AxisField(self.length, end - start, self.jump, start, first, last)

    def span(self, index: int) -> Span:
        """The input pixels from the first to the last that unit `index` really sees; empty if only padding."""
        first, end = int(self.first[index]), int(self.last[index]) + 1
        return Span(first, end) if first < end else Span(0, 0)


@dataclass(frozen=True, eq=False)
class ReceptiveField:
    """The fields of a layer's units, along both axes.

    Args:
        rows: along the rows.
        columns: along the columns.
    """

    rows: AxisField
    columns: AxisField

    @property
    def size(self) -> tuple[int, int]:
        """What a unit sees, padding counted, (rows, columns)."""
        return self.rows.size, self.columns.size

    @property
    def jump(self) -> tuple[int, int]:
        """Input pixels between neighbouring units, (rows, columns)."""
        return self.rows.jump, self.columns.jump

    @property
    def start(self) -> tuple[int, int]:
        """Where the first unit's field starts, (row, column); negative in padding."""
        return self.rows.start, self.columns.start

    @property
    def units(self) -> tuple[int, int]:
        """The layer's map, (H', W')."""
        return self.rows.units, self.columns.units

    def region(self, row: int, column: int) -> tuple[Span, Span]:
        """The (rows, columns) of the input that unit (`row`, `column`) really sees: no padding, no pixel left over."""
        return self.rows.span(row), self.columns.span(column)

    def through(self, layer: Layer) -> ReceptiveField:
        """The fields after one more layer.

        Raises:
            RequestError: the layer's window doesn't fit the map.
        """
        if layer is None:
            return self
        if isinstance(layer, Whole):
            return ReceptiveField(self.rows.whole(), self.columns.whole())
        windows = geometry(
            self.units,
            layer.size,
            padding=layer.padding,
            stride=layer.stride,
            dilation=layer.dilation,
            ceil_mode=layer.ceil_mode,
        )
        return ReceptiveField(self.rows.through(windows.rows), self.columns.through(windows.columns))

    def joined(self, other: ReceptiveField) -> ReceptiveField:
        """The fields after two paths meet (a sum, as in residual networks, or a concatenation): from first to last.

        Raises:
            ValueError: the paths' units don't lie over each other.
        """
        return ReceptiveField(self.rows.joined(other.rows), self.columns.joined(other.columns))


def input_field(input_size: tuple[int, int]) -> ReceptiveField:
    """The fields of the input's own pixels, to start from: each sees itself."""
    rows, columns = (
        AxisField(length, 1, 1, 0, np.arange(length), np.arange(length))
        for length in pair(input_size, "input_size", least=1)
    )
    return ReceptiveField(rows, columns)


def receptive_fields(layers: Sequence[Layer], input_size: tuple[int, int]) -> list[ReceptiveField]:
    """The fields of each layer of a chain, first to last.

    Args:
        layers: a `Window`, `Whole` or None for each layer.
        input_size: (H, W).

    Raises:
        RequestError: a window doesn't fit the map before it.
    """
    field = input_field(input_size)
    fields = []
    for layer in layers:
        field = field.through(layer)
        fields.append(field)
    return fields
