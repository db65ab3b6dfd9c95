"""The loops of Winograd's convolution, compiled; `convoscope.training.winograd` says what they compute.

Maps are (B, H, W, C), channels side by side in memory, so that every transform is sums and differences of whole rows.
A tile is 4x4 pixels of the output and the 6x6 pixels of the input that it needs. Some tiles at a time are transformed,
multiplied and transformed back, few enough for the processor's cache.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import float32, int64, void
from numpy.typing import NDArray

Maps = NDArray[np.float32]

OUTPUT, INPUT, PLACES = 4, 6, 36
_BLOCK, _GRADIENT_BLOCK = 128, 256
"""Tiles at a time. The gradient of the weights adds up a product of all of them, so it pays to have more."""
_APART = 16
"""Numbers between the blocks of two places, lest their addresses differ by a power of two and share cache lines."""

_compiled = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy", fastmath={"contract", "nsz"})


@_compiled
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


@_compiled
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


@_compiled
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


@_compiled
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


@_compiled
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


@_compiled
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


@_compiled
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


@_compiled
def _transform_output(
    places: Maps, tile: int, mid: Maps, rows: Maps, maps: Maps, image: int, row: int, column: int
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


@numba.njit(
    void(float32[:, :, :, ::1], float32[:, :, ::1], float32[:, :, :, ::1], int64, int64),
    cache=True, nogil=True, boundscheck=False, error_model="numpy",
)  # fmt: skip
def convolve(maps: Maps, kernels: Maps, out: Maps, first: int, last: int) -> None:
    """Tiles `first` to `last` of the convolution of `maps` (B, H, W, C) with transformed `kernels` (36, C, K)."""
    height, width, channels = maps.shape[1:]
    filters = out.shape[3]
    down, across = (height + OUTPUT - 1) // OUTPUT, (width + OUTPUT - 1) // OUTPUT
    inputs = np.empty((PLACES, _BLOCK * channels + _APART), np.float32)
    outputs = np.empty((PLACES, _BLOCK * filters + _APART), np.float32)
    taken, mid = np.empty((INPUT, INPUT * channels), np.float32), np.empty((INPUT, INPUT * channels), np.float32)
    back, rows = np.empty((INPUT, OUTPUT * filters), np.float32), np.empty((OUTPUT, OUTPUT * filters), np.float32)
    for start in range(first, last, _BLOCK):
        count = min(_BLOCK, last - start)
        for tile in range(count):
            image, place = divmod(start + tile, down * across)
            _transform_input(maps, image, place // across, place % across, taken, mid, inputs, tile)
        for p in range(PLACES):
            multiplied = outputs[p, : count * filters].reshape(count, filters)
            np.dot(inputs[p, : count * channels].reshape(count, channels), kernels[p], multiplied)
        for tile in range(count):
            image, place = divmod(start + tile, down * across)
            _transform_output(outputs, tile, back, rows, out, image, place // across, place % across)


@numba.njit(
    void(float32[:, :, :, ::1], float32[:, :, :, ::1], float32[:, :, ::1], int64, int64),
    cache=True, nogil=True, boundscheck=False, error_model="numpy",
)  # fmt: skip
def kernel_gradient(maps: Maps, gradients: Maps, out: Maps, first: int, last: int) -> None:
    """Add to `out` (36, C, K) what tiles `first` to `last` add to the gradient of the transformed kernels.

    `maps` are the input (B, H, W, C), `gradients` those of the output (B, H, W, K).
    """
    height, width, channels = maps.shape[1:]
    filters = gradients.shape[3]
    down, across = (height + OUTPUT - 1) // OUTPUT, (width + OUTPUT - 1) // OUTPUT
    inputs = np.empty((PLACES, _GRADIENT_BLOCK * channels + _APART), np.float32)
    outputs = np.empty((PLACES, _GRADIENT_BLOCK * filters + _APART), np.float32)
    taken, mid = np.empty((INPUT, INPUT * channels), np.float32), np.empty((INPUT, INPUT * channels), np.float32)
    rows, wide = np.empty((OUTPUT, OUTPUT * filters), np.float32), np.empty((INPUT, OUTPUT * filters), np.float32)
    product = np.empty((channels, filters), np.float32)
    for start in range(first, last, _GRADIENT_BLOCK):
        count = min(_GRADIENT_BLOCK, last - start)
        for tile in range(count):
            image, place = divmod(start + tile, down * across)
            _transform_input(maps, image, place // across, place % across, taken, mid, inputs, tile)
            _transform_gradient(gradients, image, place // across, place % across, rows, wide, outputs, tile)
        for p in range(PLACES):
            left = inputs[p, : count * channels].reshape(count, channels)
            np.dot(left.T, outputs[p, : count * filters].reshape(count, filters), product)
            out[p] += product
