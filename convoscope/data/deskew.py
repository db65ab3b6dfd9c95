"""Deskewing: what leans is set upright, by the picture's moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convoscope.data.transformer import Array, PictureTransformer

_BLOCK = 1000  # pictures at a time: a few arrays of their size are needed


class Deskew(PictureTransformer):
    """Shear each picture so that its principal axis stands upright.

    With p(y, x) the values of a picture, of several channels their mean, and m their sum:

        centre      cy = sum of y p / m,   cx = sum of x p / m
        moments     mu11 = sum of (y - cy)(x - cx) p,   mu02 = sum of (y - cy)^2 p
        slant       s = mu11 / mu02        columns per row; 0 where mu02 is 0
        result      q(y, x) = p(y, x + s (y - cy))

    Each line is moved sideways by s (y - cy) pixels, between pixels by linear interpolation; what comes in from outside
    is 0. The centre stays where it is. Values are weights, so the ground must be 0; a picture without ink stays as it
    is, and so does one with less than none (values may be negative, where someone has subtracted a mean).

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition" (1998), section
    III.A, which counts pixels as 0 or 1; here each has the weight of its value.
    """

    def _change(self, images: Array) -> Array:
        height = images.shape[2]
        slants, centres = slant(images)
        moves = slants[:, None] * (np.arange(height) - centres[:, None])  # (N, H)
        changed = np.empty(images.shape, np.float32 if images.dtype == np.float32 else np.float64)
        for first in range(0, len(images), _BLOCK):
            rows = slice(first, first + _BLOCK)
            changed[rows] = _move_lines(images[rows], moves[rows])
        return changed


def slant(images: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far pictures (N, C, H, W) lean, in columns per row, and the row of their centres: s and cy of `Deskew`."""
    weights = images.mean(axis=1, dtype=np.float64)  # (N, H, W)
    height, width = weights.shape[1:]
    y, x = np.arange(height, dtype=np.float64), np.arange(width, dtype=np.float64)
    by_row, by_column = weights.sum(axis=2), weights.sum(axis=1)  # (N, H), (N, W)
    total = by_row.sum(axis=1)
    inked = total > 0
    total = np.where(inked, total, 1)
    cy, cx = by_row @ y / total, by_column @ x / total
    mu11 = np.einsum("nhw,h,w->n", weights, y, x, optimize=True) - cy * cx * total
    mu02 = np.einsum("nh,nh->n", by_row, (y - cy[:, None]) ** 2)
    # Rounding leaves a trace of a moment in a picture of one line.
    leans = inked & (mu02 > 1e-9 * total)
    return np.where(leans, mu11 / np.where(leans, mu02, 1), 0.0), cy


def _move_lines(images: Array, moves: NDArray[np.float64]) -> Array:
    """(N, C, H, W): line y of picture n read `moves[n, y]` pixels further right."""
    count, channels, height, width = images.shape
    places = np.arange(width) + np.clip(moves, -width, width)[:, :, None]  # (N, H, W)
    left = np.floor(places)
    share = (places - left)[:, None]
    # One blank pixel on either side stands for all that lies outside.
    padded = np.zeros((count, channels, height, width + 2), images.dtype)
    padded[..., 1:-1] = images
    indices = np.clip(left.astype(np.int64) + 1, 0, width + 1)[:, None]
    beside = np.clip(left.astype(np.int64) + 2, 0, width + 1)[:, None]
    shape: Any = (count, channels, height, width)
    here = np.take_along_axis(padded, np.broadcast_to(indices, shape), axis=3)
    there = np.take_along_axis(padded, np.broadcast_to(beside, shape), axis=3)
    return here * (1 - share) + there * share
