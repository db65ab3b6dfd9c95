"""The loops of Winograd's convolution, compiled; `convoscope.training.winograd` says what they compute.

Maps are (B, H, W, C), channels side by side in memory, so that every transform is sums of whole rows, each times a
number. A tile is a square of m by m pixels of the output, with the square of the input that it needs; transformed it
has n by n places.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, int64
from numpy.typing import NDArray

from convoscope.training._lines import compiled, for_team, numbers_at, share

Numbers = NDArray[np.float32]

TERMS = 9
"""The most numbers other than zero in a row of a transform."""
_FEW, _SOME = 5, 8


@compiled
def _terms(matrix: Numbers) -> tuple[NDArray[np.int64], Numbers]:
    """Which columns of each row of `matrix` are not zero, and their numbers; filled up with zeros times a column."""
    rows, columns = matrix.shape
    places, factors = np.zeros((rows, TERMS), np.int64), np.zeros((rows, TERMS), np.float32)
    for row in range(rows):
        count = 0
        for column in range(columns):
            if matrix[row, column] != 0:
                places[row, count], factors[row, count] = column, matrix[row, column]
                count += 1
        places[row, count:] = places[row, 0]
    return places, factors


@compiled
def _sum(at: Any, by: Any, which: int, rows: Numbers, first: int, out: Numbers, line: int) -> None:
    """Write to a line of `out`: rows `first` + `at[which]`, each times its number of `by[which]`, summed up.

    No loop reads more than eight rows: few enough for the compiler to see that none of them overlaps with the line. And
    none is cut out as an array of its own: to count who uses it would take longer than the sum.
    """
    width = out.shape[1]
    a, b, c, d = first + at[which, 0], first + at[which, 1], first + at[which, 2], first + at[which, 3]
    by_a, by_b, by_c, by_d = by[which, 0], by[which, 1], by[which, 2], by[which, 3]
    e, by_e = first + at[which, 4], by[which, 4]
    if by[which, _FEW] == 0:
        for i in range(width):
            some = by_a * rows[a, i] + by_b * rows[b, i] + by_c * rows[c, i] + by_d * rows[d, i]
            out[line, i] = some + by_e * rows[e, i]
        return
    f, g, h = first + at[which, 5], first + at[which, 6], first + at[which, 7]
    by_f, by_g, by_h = by[which, 5], by[which, 6], by[which, 7]
    for i in range(width):
        some = by_a * rows[a, i] + by_b * rows[b, i] + by_c * rows[c, i] + by_d * rows[d, i]
        out[line, i] = some + (by_e * rows[e, i] + by_f * rows[f, i] + by_g * rows[g, i] + by_h * rows[h, i])
    if by[which, _SOME] != 0:
        last, by_last = first + at[which, _SOME], by[which, _SOME]
        for i in range(width):
            out[line, i] += by_last * rows[last, i]


@compiled
def _take(maps: Numbers, image: int, top: int, left: int, out: Numbers) -> None:
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
def _add(maps: Numbers, image: int, top: int, left: int, square: Numbers) -> None:
    """Add `square` (rows, columns · C) to an image at (`top`, `left`), as far as it lies within it."""
    height, width, channels = maps.shape[1:]
    rows = square.shape[0]
    lines = maps.reshape(maps.shape[0], height, width * channels)
    first, last = max(left, 0), min(left + rows, width)
    for row in range(max(-top, 0), min(rows, height - top)):
        target = lines[image, top + row, first * channels : last * channels]
        source = square[row, (first - left) * channels : (last - left) * channels]
        for i in range(target.size):
            target[i] += source[i]


@compiled
def _into(terms: Any, square: Numbers, mid: Numbers, places: Numbers, tile: int) -> None:
    """M d M^T of a square d of pixels (rows, columns · C), to the places of a tile."""
    at, by = terms
    many, side = at.shape[0], square.shape[0]
    lines = mid.reshape(many, square.shape[1])
    for row in range(many):
        _sum(at, by, row, square, 0, lines, row)
    for row in range(many):
        for column in range(many):
            _sum(at, by, column, mid, row * side, places, (tile * many + row) * many + column)


@compiled
def _out_of(terms: Any, places: Numbers, mid: Numbers, square: Numbers, tile: int) -> None:
    """M t M^T of the places t of a tile, to a square of pixels (rows, columns · C)."""
    at, by = terms
    side = at.shape[0]
    many = mid.shape[0] // side
    for row in range(many):
        for column in range(side):
            _sum(at, by, column, places, (tile * many + row) * many, mid, row * side + column)
    lines = mid.reshape(many, square.shape[1])
    for row in range(side):
        _sum(at, by, row, lines, 0, square, row)


@compiled
def _turn(table: Any, outward: bool) -> None:
    """This thread's share of the images, transformed: from maps to places, or `outward`, from places to maps."""
    n = numbers_at(table[0], int64(0))
    shape, start, count, side, many, pixels, margin = (n[0], n[1], n[2], n[3]), n[4], n[5], n[6], n[7], n[8], n[9]
    height, width, channels = shape[1:]
    tiles = ((height + side - 1) // side) * ((width + side - 1) // side)
    maps, places = carray(table[1], shape), carray(table[2], (count * tiles * many * many, channels))
    terms = _terms(carray(table[3], (pixels, many) if outward else (many, pixels)))
    square, mid = np.empty((pixels, pixels * channels), np.float32), np.empty((many * pixels, channels), np.float32)
    first, last = share(count)
    tile = first * tiles
    for image in range(start + first, start + last):
        if outward:
            maps[image] = 0
        for top in range(-margin, height - margin, side):
            for left in range(-margin, width - margin, side):
                if outward:
                    _out_of(terms, places, mid, square, tile)
                    _add(maps, image, top, left, square)
                else:
                    _take(maps, image, top, left, square)
                    _into(terms, square, mid, places, tile)
                tile += 1


# Written out, as `for_team` wants them.
def _inward(table: Any) -> None:
    _turn(table, False)


def _outward(table: Any) -> None:
    _turn(table, True)


@cache
def loops() -> tuple[Any, Any]:
    """The transforms of tiles, for `convoscope.training.team.run`: from maps to places, and from places to maps.

    The tensors of each are: sizes, whole numbers (images, rows, columns, channels of the maps; the first image, how
    many; a tile's pixels of output, places and pixels to a side, and by how many of them it begins earlier); the maps
    (B, H, W, C), to read or to write; the places (tiles, n², C), to write or to read; and the matrix M, by which rows
    and columns are transformed. Where tiles overlap in the maps that are written, they are added up.
    """
    inward, outward = for_team(_inward, _outward)
    return inward, outward
