"""The loops of pooling, normalisation and activation in one, compiled; `convoscope.training.fused` says what they do.

Maps are lines of some rows each, channels side by side: few enough numbers for the processor's cache, and enough that
what is done once a line does not count. What belongs to a channel comes repeated, so that a loop over a line needs no
second index. Sums are float32, one for each place in a line, and are added up in float64.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, float32, int64, uint8, uint16
from numpy.typing import NDArray

from convoscope.training._lines import (
    Line,
    activate,
    for_team,
    inlined,
    maps_at,
    numbers_at,
    put,
    read,
    room_for,
    share,
    slope,
    thread,
)

MEAN, VARIANCE, INVERSE, SCALE, SHIFT, NEAR = range(6)
ROWS = 6
"""Statistics of each channel: mean and variance, 1 / deviation, what the normalisation multiplies by and adds, and a
number near the mean, so that squares of what is left lose no digits."""


@inlined
def _largest(line: Line, row: int, channels: int, out: Line, places: NDArray[np.uint8]) -> None:
    """The largest of each 2x2 numbers of a line of rows, and which one it is: the first if several are."""
    columns = row // (2 * channels)
    for square in range(out.size // channels):
        at, left = square * channels, square // columns * 2 * row + square % columns * 2 * channels
        a, b = line[left : left + channels], line[left + channels : left + 2 * channels]
        below = left + row
        c, d = line[below : below + channels], line[below + channels : below + 2 * channels]
        largest, place = out[at : at + channels], places[at : at + channels]
        for i in range(channels):
            top, which = a[i], uint8(0)
            # What is no number counts as the largest, as in PyTorch.
            if b[i] > top or b[i] != b[i]:
                top, which = b[i], uint8(1)
            if c[i] > top or c[i] != c[i]:
                top, which = c[i], uint8(2)
            if d[i] > top or d[i] != d[i]:
                top, which = d[i], uint8(3)
            largest[i] = top
            place[i] = which


@inlined
def _spread(values: Line, places: NDArray[np.uint8], row: int, channels: int, line: Line) -> None:
    """Each number to where the largest of its 2x2 numbers was, zeros elsewhere; an odd column is in no square."""
    columns = row // (2 * channels)
    for square in range(values.size // channels):
        at, left = square * channels, square // columns * 2 * row + square % columns * 2 * channels
        value, place = values[at : at + channels], places[at : at + channels]
        for corner in range(4):
            start = left + corner // 2 * row + corner % 2 * channels
            out = line[start : start + channels]
            for i in range(channels):
                out[i] = value[i] if place[i] == corner else float32(0)
    if columns * 2 * channels < row:
        for end in range(row, line.size + 1, row):
            line[end - channels : end] = float32(0)


@inlined
def _image_of(maps: Any, line: int, form: Any) -> tuple[Any, int]:
    """The lines of the image that `line` is in, and which of them it is; an odd row is in none.

    `maps` are (images, numbers of an image), and `form` is as in `_gather`.
    """
    lines, whole, _ = form
    image = maps[line // lines]
    return image[: lines * whole].reshape(lines, whole), line % lines


@inlined
def _gather(
    maps: Any, pooled: Any, places: Any, form: Any, near: Line, total: Line, squares: Line, first: int, last: int
) -> None:
    """Add up values and squares of lines `first` to `last`, less `near`; of the pooled maps, if there are places.

    `form` is of `maps`: lines of an image, numbers of a line and of a row. `pooled` are their largest numbers, written
    here; without places both are the same.
    """
    _, whole, row = form
    size, channels = pooled.shape[1], near.size
    room, wide = np.empty(size, np.float32), np.empty(whole, np.float32)
    less = _repeated(near, size)
    for line in range(first, last):
        if places.size:
            image, at = _image_of(maps, line, form)
            values = room_for(pooled, line, room)
            _largest(read(image, at, wide), row, channels, values, places[line])
            put(values, pooled, line)
        else:
            values = read(pooled, line, room)
        for i in range(size):
            total[i] += values[i] - less[i]
        for i in range(size):
            squares[i] += (values[i] - less[i]) * (values[i] - less[i])


@inlined
def _apply(maps: Any, scale: Line, shift: Line, kind: int, outputs: Any, first: int, last: int) -> None:
    """Lines `first` to `last`, normalised and activated."""
    size = maps.shape[1]
    rooms = np.empty((2, size), np.float32)
    scales, shifts = _repeated(scale, size), _repeated(shift, size)
    for line in range(first, last):
        out = room_for(outputs, line, rooms[1])
        activate(read(maps, line, rooms[0]), scales, shifts, kind, out)
        put(out, outputs, line)


@inlined
def _blame(
    maps: Any, gradients: Any, stats: Any, kind: int, sloped: Any, total: Line, products: Line, first: int, last: int
) -> None:
    """Gradients before the activation, to `sloped`; and add up these, and their products with maps less their mean."""
    size = maps.shape[1]
    rooms = np.empty((3, size), np.float32)
    scales, shifts = _repeated(stats[SCALE], size), _repeated(stats[SHIFT], size)
    means = _repeated(stats[MEAN], size)
    for line in range(first, last):
        values, out = read(maps, line, rooms[0]), room_for(sloped, line, rooms[2])
        slope(values, scales, shifts, kind, read(gradients, line, rooms[1]), out)
        put(out, sloped, line)
        for i in range(size):
            total[i] += out[i]
        for i in range(size):
            products[i] += out[i] * (values[i] - means[i])


@inlined
def _return(
    maps: Any, sloped: Any, places: Any, form: Any, factors: Line, gradients: Any, first: int, last: int
) -> None:
    """Gradients before the normalisation, a linear function of `sloped` and `maps`; and before the pooling.

    `form` is of `gradients`, as in `_gather`.
    """
    lines, whole, row = form
    size, channels = maps.shape[1], factors.shape[1]
    rooms, wide = np.empty((3, size), np.float32), np.empty(whole, np.float32)
    of_sloped, of_maps, constant = (
        _repeated(factors[0], size), _repeated(factors[1], size), _repeated(factors[2], size)
    )  # fmt: skip
    for line in range(first, last):
        values, slopes = read(maps, line, rooms[0]), read(sloped, line, rooms[1])
        image, at = _image_of(gradients, line, form)
        out = rooms[2] if places.size else room_for(image, at, wide)
        for i in range(size):
            out[i] = of_sloped[i] * slopes[i] + of_maps[i] * values[i] + constant[i]
        if places.size:
            spread = room_for(image, at, wide)
            _spread(out, places[line], row, channels, spread)
            put(spread, image, at)
            if at == lines - 1:
                gradients[line // lines, lines * whole :] = 0
        else:
            put(out, image, at)


@inlined
def _repeated(numbers: Line, size: int) -> Line:
    """Those of the channels over and over."""
    out = np.empty(size, np.float32)
    for at in range(0, size, numbers.size):
        for c in range(numbers.size):
            out[at + c] = numbers[c]
    return out


@inlined
def _added_up(sums: Line, channels: int) -> NDArray[np.float64]:
    """What all threads added up, (2 · threads, size), of each channel: (2, C)."""
    out = np.zeros((2, channels))
    for part in range(len(sums)):
        for at in range(0, sums.shape[1], channels):
            for c in range(channels):
                out[part % 2, c] += sums[part, at + c]
    return out


@inlined
def _statistics(added: Any, count: int, weight: Line, bias: Line, eps: float, near: Line, stats: Line) -> None:
    """The statistics but for `near`, from what `_gather` added up."""
    for c in range(weight.size):
        apart = added[0, c] / count
        variance = max(added[1, c] / count - apart * apart, 0.0)
        inverse = 1 / np.sqrt(variance + eps)
        stats[MEAN, c], stats[VARIANCE, c], stats[INVERSE, c] = near[c] + apart, variance, inverse
        stats[SCALE, c] = weight[c] * inverse
        stats[SHIFT, c] = bias[c] - (near[c] + apart) * weight[c] * inverse


@inlined
def _factors(added: Any, count: int, stats: Line) -> Line:
    """Of the gradient before the normalisation: what multiplies the one after it, the maps, and what is added.

    dp = s d - (s dg / (N sqrt(v + eps))) (p - m) - s db / N, with dg = sum d q and db = sum d.
    """
    factors = np.empty((3, stats.shape[1]), np.float32)
    for c in range(stats.shape[1]):
        scale, inverse = float(stats[SCALE, c]), float(stats[INVERSE, c])
        of_maps = -scale * added[1, c] * inverse * inverse / count
        factors[0, c], factors[1, c] = scale, of_maps
        factors[2, c] = -scale * added[0, c] / count - of_maps * stats[MEAN, c]
    return factors


@inlined
def _places(table: Any, at: int, lines: int, size: int, whole: int) -> Any:
    """Those of the largest numbers; none if nothing is pooled."""
    return maps_at(table, at, lines if whole > size else 0, size, uint8(0))


@inlined
def _sizes(table: Any) -> tuple[int, int, int, int, int]:
    """Lines after pooling, numbers of one, channels, parts of sums, activation."""
    n = numbers_at(table[0], int64(0))
    return n[0], n[1], n[2], n[3], n[4]


@inlined
def _form(table: Any) -> tuple[tuple[int, int, int], tuple[int, int]]:
    """Before pooling: lines of an image, numbers of a line and of a row; images, and numbers of one."""
    n = numbers_at(table[0], int64(0))
    return (n[5], n[6], n[7]), (n[0] // n[5], n[8])


@inlined
def _gathering(table: Any, kind: Any) -> None:
    lines, size, channels, parts, _ = _sizes(table)
    form, (images, numbers) = _form(table)
    first, last = share(lines)
    pooled, maps = maps_at(table, 1, lines, size, kind), maps_at(table, 4, images, numbers, kind)
    stats, near = carray(table[2], (ROWS, channels)), np.empty(channels, np.float32)
    image, at = _image_of(maps, int64(0), form)
    start = read(image, at, np.empty(form[1], np.float32))
    for c in range(channels):
        near[c] = start[c]
    if thread() == 0:
        for c in range(channels):
            stats[NEAR, c] = near[c]
    sums = carray(table[3], (parts, size))
    total, squares = sums[2 * thread()], sums[2 * thread() + 1]
    _gather(maps, pooled, _places(table, 5, lines, size, form[1]), form, near, total, squares, first, last)


@inlined
def _applying(table: Any, kind: Any) -> None:
    lines, size, channels, parts, activation = _sizes(table)
    first, last = share(lines)
    added = _added_up(carray(table[3], (parts, size)), channels)
    stats, found = carray(table[2], (ROWS, channels)), np.empty((ROWS, channels), np.float32)
    weight, bias = carray(table[4], (channels,)), carray(table[5], (channels,))
    _statistics(added, lines * size // channels, weight, bias, table[6][0], stats[NEAR], found)
    if thread() == 0:
        for row in range(NEAR):
            for c in range(channels):
                stats[row, c] = found[row, c]
    maps, outputs = maps_at(table, 1, lines, size, kind), maps_at(table, 7, lines, size, kind)
    _apply(maps, found[SCALE], found[SHIFT], activation, outputs, first, last)


@inlined
def _blaming(table: Any, kind: Any) -> None:
    lines, size, channels, parts, activation = _sizes(table)
    first, last = share(lines)
    maps, stats = maps_at(table, 1, lines, size, kind), carray(table[2], (ROWS, channels))
    gradients, sloped = maps_at(table, 4, lines, size, kind), maps_at(table, 5, lines, size, kind)
    sums = carray(table[3], (parts, size))
    total, products = sums[2 * thread()], sums[2 * thread() + 1]
    _blame(maps, gradients, stats, activation, sloped, total, products, first, last)


@inlined
def _returning(table: Any, kind: Any) -> None:
    lines, size, channels, parts, _ = _sizes(table)
    form, (images, numbers) = _form(table)
    first, last = share(lines)
    maps, stats = maps_at(table, 1, lines, size, kind), carray(table[2], (ROWS, channels))
    added = _added_up(carray(table[3], (parts, size)), channels)
    if thread() == 0:
        trained = carray(table[6], (2, channels))
        for c in range(channels):
            trained[0, c], trained[1, c] = added[1, c] * stats[INVERSE, c], added[0, c]
    factors = _factors(added, lines * size // channels, stats)
    sloped, gradients = maps_at(table, 4, lines, size, kind), maps_at(table, 7, images, numbers, kind)
    _return(maps, sloped, _places(table, 5, lines, size, form[1]), form, factors, gradients, first, last)


# Written out, as `for_team` wants them.
def _gather_float32(table: Any) -> None:
    _gathering(table, float32(0))


def _gather_bfloat16(table: Any) -> None:
    _gathering(table, uint16(0))


def _apply_float32(table: Any) -> None:
    _applying(table, float32(0))


def _apply_bfloat16(table: Any) -> None:
    _applying(table, uint16(0))


def _blame_float32(table: Any) -> None:
    _blaming(table, float32(0))


def _blame_bfloat16(table: Any) -> None:
    _blaming(table, uint16(0))


def _return_float32(table: Any) -> None:
    _returning(table, float32(0))


def _return_bfloat16(table: Any) -> None:
    _returning(table, uint16(0))


@cache
def loops(half: bool) -> tuple[Any, ...]:
    """The four loops over maps of float32, or of bfloat16 if `half`, for `convoscope.training.team.run`.

    The first tensors of each are sizes, those of `_sizes` and `_form`; the pooled maps; the statistics (`ROWS`, C); and
    sums (2 · threads, line). Then

    1. maps, places of the largest numbers (empty if nothing is pooled);
    2. weight, bias, eps, outputs;
    3. gradients of the outputs, gradients before the activation;
    4. gradients before the activation, places, gradients of weight and bias (2, C), gradients of the maps.
    """
    floats = (_gather_float32, _apply_float32, _blame_float32, _return_float32)
    halves = (_gather_bfloat16, _apply_bfloat16, _blame_bfloat16, _return_bfloat16)
    return for_team(*(halves if half else floats))
