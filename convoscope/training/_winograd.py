"""The loops of Winograd's convolution, compiled; `convoscope.training.winograd` says what they compute.

Maps are (B, H, W, C), channels side by side in memory, so that every transform is sums and differences of whole rows.
A tile is 4x4 pixels of the output and the 6x6 pixels of the input that it needs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, float32, int64
from numpy.typing import NDArray

from convoscope.training._lines import compiled, for_team, numbers_at, share

Maps = NDArray[np.float32]

OUTPUT, INPUT, PLACES = 4, 6, 36

_OF_INPUTS, _OF_GRADIENTS, _OF_OUTPUTS = range(3)


@compiled
def _input_rows(a: Maps, b: Maps, c: Maps, d: Maps, e: Maps, f: Maps, out: Any) -> None:
    """B^T times six rows. One loop for each row: few enough pointers for the compiler to use vectors."""
    o0, o1, o2, o3, o4, o5 = out
    for i in range(a.size):
        o0[i] = float32(4) * a[i] - float32(5) * c[i] + e[i]
    for i in range(a.size):
        o1[i] = e[i] - float32(4) * c[i] + (d[i] - float32(4) * b[i])
    for i in range(a.size):
        o2[i] = e[i] - float32(4) * c[i] - (d[i] - float32(4) * b[i])
    for i in range(a.size):
        o3[i] = e[i] - c[i] + float32(2) * (d[i] - b[i])
    for i in range(a.size):
        o4[i] = e[i] - c[i] - float32(2) * (d[i] - b[i])
    for i in range(a.size):
        o5[i] = float32(4) * b[i] - float32(5) * d[i] + f[i]


@compiled
def _output_rows(a: Maps, b: Maps, c: Maps, d: Maps, e: Maps, f: Maps, out: Any) -> None:
    """A^T times six rows."""
    o0, o1, o2, o3 = out
    for i in range(a.size):
        o0[i] = a[i] + b[i] + c[i] + d[i] + e[i]
    for i in range(a.size):
        o1[i] = b[i] - c[i] + float32(2) * (d[i] - e[i])
    for i in range(a.size):
        o2[i] = b[i] + c[i] + float32(4) * (d[i] + e[i])
    for i in range(a.size):
        o3[i] = b[i] - c[i] + float32(8) * (d[i] - e[i]) + f[i]


@compiled
def _gradient_rows(a: Maps, b: Maps, c: Maps, d: Maps, out: Any) -> None:
    """A times four rows."""
    o0, o1, o2, o3, o4, o5 = out
    for i in range(a.size):
        o0[i] = a[i]
    for i in range(a.size):
        o1[i] = a[i] + c[i] + (b[i] + d[i])
    for i in range(a.size):
        o2[i] = a[i] + c[i] - (b[i] + d[i])
    for i in range(a.size):
        o3[i] = a[i] + float32(4) * c[i] + (float32(2) * b[i] + float32(8) * d[i])
    for i in range(a.size):
        o4[i] = a[i] + float32(4) * c[i] - (float32(2) * b[i] + float32(8) * d[i])
    for i in range(a.size):
        o5[i] = d[i]


@compiled
def _take(maps: Maps, image: int, top: int, left: int, out: Maps) -> None:
    """Copy the square at (`top`, `left`) of an image to `out` (rows, columns · C); beyond the image there are zeros."""
    height, width, channels = maps.shape[1:]
    rows = out.shape[0]
    lines = maps.reshape(maps.shape[0], height, width * channels)
    first, last = max(left, 0), min(left + rows, width)
    start, stop = (first - left) * channels, (last - left) * channels
    for row in range(rows):
        at = top + row
        if at < 0 or at >= height:
            out[row, :] = 0
        else:
            out[row, :start] = 0
            out[row, start:stop] = lines[image, at, first * channels : last * channels]
            out[row, stop:] = 0


@compiled
def _spread(rows: int, places: Maps, tile: int, channels: int) -> Any:
    """The vectors of places 6 r to 6 r + 5 of a tile, to write to."""
    at = tile * channels
    end = at + channels
    return (
        places[rows, at:end],
        places[rows + 1, at:end],
        places[rows + 2, at:end],
        places[rows + 3, at:end],
        places[rows + 4, at:end],
        places[rows + 5, at:end],
    )


@compiled
def _transform_input(
    maps: Maps, image: int, row: int, column: int, rows: Maps, mid: Maps, out: Maps, tile: int
) -> None:
    """B^T d B of the 6x6 input of a tile."""
    c = maps.shape[3]
    _take(maps, image, OUTPUT * row - 1, OUTPUT * column - 1, rows)
    _input_rows(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], (mid[0], mid[1], mid[2], mid[3], mid[4], mid[5]))
    for r in range(INPUT):
        m = mid[r]
        a, b, d, e = m[:c], m[c : 2 * c], m[2 * c : 3 * c], m[3 * c : 4 * c]
        _input_rows(a, b, d, e, m[4 * c : 5 * c], m[5 * c : 6 * c], _spread(INPUT * r, out, tile, c))


@compiled
def _transform_gradient(
    maps: Maps, image: int, row: int, column: int, rows: Maps, mid: Maps, out: Maps, tile: int
) -> None:
    """A g A^T of the 4x4 gradient of a tile."""
    c = maps.shape[3]
    _take(maps, image, OUTPUT * row, OUTPUT * column, rows)
    _gradient_rows(rows[0], rows[1], rows[2], rows[3], (mid[0], mid[1], mid[2], mid[3], mid[4], mid[5]))
    for r in range(INPUT):
        m = mid[r]
        _gradient_rows(m[:c], m[c : 2 * c], m[2 * c : 3 * c], m[3 * c :], _spread(INPUT * r, out, tile, c))


@compiled
def _transform_output(
    maps: Maps, image: int, row: int, column: int, rows: Maps, mid: Maps, places: Maps, tile: int
) -> None:
    """A^T m A, written to the 4x4 output of a tile, as far as it lies within the image."""
    height, width, c = maps.shape[1:]
    for r in range(INPUT):
        a, b, d, e, f, g = _spread(INPUT * r, places, tile, c)
        m = mid[r]
        _output_rows(a, b, d, e, f, g, (m[:c], m[c : 2 * c], m[2 * c : 3 * c], m[3 * c :]))
    _output_rows(mid[0], mid[1], mid[2], mid[3], mid[4], mid[5], (rows[0], rows[1], rows[2], rows[3]))
    lines = maps.reshape(maps.shape[0], height, width * c)
    top, left = OUTPUT * row, OUTPUT * column
    count = (min(left + OUTPUT, width) - left) * c
    for r in range(min(OUTPUT, height - top)):
        lines[image, top + r, left * c : left * c + count] = rows[r, :count]


@compiled
def _sizes(table: Any) -> tuple[int, int, int, int, int, int, int]:
    """Images, rows, columns and channels of maps; the first tile, how many, and the numbers from place to place."""
    n = numbers_at(table[0], int64(0))
    return n[0], n[1], n[2], n[3], n[4], n[5], n[6]


@compiled
def _place(tile: int, height: int, width: int) -> tuple[int, int, int]:
    """Image, row and column of a tile of maps of this size."""
    across = (width + OUTPUT - 1) // OUTPUT
    image, place = divmod(tile, (height + OUTPUT - 1) // OUTPUT * across)
    return image, place // across, place % across


@compiled
def _turn(table: Any, kind: int) -> None:
    """This thread's share of the tiles, transformed; `kind` says how."""
    images, height, width, channels, start, count, apart = _sizes(table)
    maps, places = carray(table[1], (images, height, width, channels)), carray(table[2], (PLACES, apart))
    side = INPUT if kind == _OF_INPUTS else OUTPUT
    rows, mid = np.empty((side, side * channels), np.float32), np.empty((INPUT, side * channels), np.float32)
    first, last = share(count)
    for tile in range(first, last):
        image, row, column = _place(start + tile, height, width)
        if kind == _OF_INPUTS:
            _transform_input(maps, image, row, column, rows, mid, places, tile)
        elif kind == _OF_GRADIENTS:
            _transform_gradient(maps, image, row, column, rows, mid, places, tile)
        else:
            _transform_output(maps, image, row, column, rows, mid, places, tile)


# Written out, as `for_team` wants them.
def _inputs(table: Any) -> None:
    _turn(table, _OF_INPUTS)


def _gradients(table: Any) -> None:
    _turn(table, _OF_GRADIENTS)


def _outputs(table: Any) -> None:
    _turn(table, _OF_OUTPUTS)


@cache
def loops() -> tuple[Any, Any, Any]:
    """The transforms of tiles, for `convoscope.training.team.run`: B^T d B, A g A^T, A^T m A.

    The tensors of each are `_sizes`; the maps (B, H, W, C), to read or, by the last, to write; and the transformed
    tiles, 36 places with the vectors of all tiles in each, to write or, by the last, to read.
    """
    inputs, gradients, outputs = for_team(_inputs, _gradients, _outputs)
    return inputs, gradients, outputs
