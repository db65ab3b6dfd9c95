"""The loops of AdaBoost.MH over products of decision stumps, compiled: search for a stump, its answers, the weights.

Throughout, the pull m[i, k] = w[i, k] y[i, k] holds the weight of picture i and class k with the sign of its label:
+1 if the picture is of that class, -1 if not. A stump answers phi(x) = +1 where its feature is above the threshold,
else -1; a product of stumps answers psi(x), the product of their answers.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from convoscope.classical._haar import haar_values

BINS = 256
LANES = 8
"""Classes are added up eight at a time; matrices of pulls have a multiple of this many columns."""
GROUP = 8
"""Features that are looked at side by side: the pulls are read once for all of them."""
BLOCK = 512
"""Pictures whose pulls stay in the first cache meanwhile."""
SHORT = 4096
"""Values of a feature that stay in the first cache while they are added up from its corners."""
CHUNKS = 64
"""Sums over pictures are cut into this many parts however many cores there are, so that they come out the same."""

SMALLEST_PULL = 1e-290
"""Smaller numbers are denormal: slow, and without meaning after millions of rounds."""


@intrinsic
def _add_lanes(typing_context: Any, into: Any, row: Any) -> Any:  # noqa: ARG001 (typed below)
    """Add the eight float32 at address `row` to those at `into`.

    LLVM can't know that two arrays don't overlap, so it leaves a plain loop in single steps: four times slower.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        vector = ir.VectorType(ir.FloatType(), LANES)
        target = builder.inttoptr(arguments[0], vector.as_pointer())
        sums = builder.load(target, align=4)
        values = builder.load(builder.inttoptr(arguments[1], vector.as_pointer()), align=4)
        builder.store(builder.fadd(sums, values), target, align=4)
        return context.get_dummy_value()

    return types.void(types.uintp, types.uintp), generate


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def fill_bins(integral: Any, places: Any, factors: Any, bins: Any, lows: Any, shifts: Any, tops: Any) -> None:
    """Sort the values of features into bins of equal width: (value - low) >> shift.

    A threshold between bins is a whole number and exact; with at most 256 values between the smallest and the largest,
    each value has a bin of its own.

    Args:
        integral: (corners, A) of the pictures looked at.
        places: (P, 9) of `HaarFamily.corners`.
        factors: (P, 9) likewise.
        bins: (P, A) uint8, written.
        lows: (P,) int32, written: the smallest value of each feature.
        shifts: (P,) int32, written.
        tops: (P,) int32, written: its last bin.
    """
    count = integral.shape[1]
    for feature in numba.prange(len(places)):
        values = np.empty(count, np.int32)
        low, high = np.int32(2**31 - 1), np.int32(-(2**31))
        for first in range(0, count, SHORT):
            part = values[first : first + SHORT]
            haar_values(integral, places[feature], factors[feature], first, first + len(part), part)
            for value in part:
                low, high = min(low, value), max(high, value)
        shift = 0
        while (high - low) >> shift >= BINS:
            shift += 1
        for picture in range(count):
            bins[feature, picture] = (values[picture] - low) >> shift
        lows[feature], shifts[feature], tops[feature] = low, shift, (high - low) >> shift


@numba.njit(cache=True, boundscheck=False, error_model="numpy", fastmath=True)
def _histograms(one: Any, other: Any, pulls: Any, sums: Any, other_sums: Any) -> None:
    """Add the pulls (b, lanes) of pictures to the sums (BINS, lanes) of their bins, for two features.

    Two at once, since a picture that falls into the bin of the one before waits for that sum to be written.
    """
    stride = numba.uintp(4 * pulls.shape[1])
    into, other_into, row = sums.ctypes.data, other_sums.ctypes.data, pulls.ctypes.data
    for picture in range(len(one)):
        line = into + stride * numba.uintp(one[picture])
        other_line = other_into + stride * numba.uintp(other[picture])
        for lane in range(numba.uintp(0), stride, numba.uintp(4 * LANES)):
            _add_lanes(line + lane, row + lane)  # type: ignore[call-arg]
            _add_lanes(other_line + lane, row + lane)
        row += stride


@numba.njit(cache=True, boundscheck=False, error_model="numpy", fastmath=True)
def _best_bin(sums: Any, bins: int) -> Any:
    """The bin whose upper end is the best threshold, and its edge, sum over k of |sum above - sum below|.

    `sums` become cumulative.
    """
    lanes = sums.shape[1]
    for place in range(1, bins):
        for lane in range(lanes):
            sums[place, lane] += sums[place - 1, lane]
    best, found = np.float32(-1), 0
    for place in range(bins - 1):
        edge = np.float32(0)
        for lane in range(lanes):
            edge += abs(sums[bins - 1, lane] - 2 * sums[place, lane])
        if edge > best:
            best, found = edge, place
    return best, found


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def search(bins: Any, chosen: Any, tops: Any, pulls: Any, edges: Any, cuts: Any) -> None:
    """The best threshold of each of some features, for one stump of a product.

    Args:
        bins: (P, A) uint8 of `fill_bins`.
        chosen: (n,) the rows of `bins` that are looked at.
        tops: (P,) of `fill_bins`.
        pulls: (A, lanes) float32, times the answers of the product's other stumps; columns without a class 0.
        edges: (n,) float32, written: the edge of each feature's best stump; -1 where all values are the same.
        cuts: (n,) int32, written: the last bin below its threshold.
    """
    count, lanes = pulls.shape
    for group in numba.prange(-(-len(chosen) // GROUP)):
        first = group * GROUP
        size = min(GROUP, len(chosen) - first)
        # One more than the group has, for the partner of an odd one.
        sums = np.zeros((GROUP + 1, BINS, lanes), np.float32)
        for begin in range(0, count, BLOCK):
            part = slice(begin, begin + BLOCK)
            for at in range(0, size, 2):
                paired = at + 1 < size
                partner = chosen[first + at + 1] if paired else chosen[first + at]
                one, other = bins[chosen[first + at], part], bins[partner, part]
                _histograms(one, other, pulls[part], sums[at], sums[at + 1 if paired else GROUP])
        for at in range(size):
            edges[first + at], cuts[first + at] = _best_bin(sums[at], tops[chosen[first + at]] + 1)


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def columns(integral: Any, chosen: Any) -> Any:
    """The columns `chosen` (A,) of (corners, N) -> (corners, A); NumPy takes ten times as long."""
    into = np.empty((len(integral), len(chosen)), integral.dtype)
    for line in numba.prange(len(integral)):
        for at in range(len(chosen)):
            into[line, at] = integral[line, chosen[at]]
    return into


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def gather(pulls: Any, chosen: Any, into: Any) -> None:
    """Copy the rows `chosen` (A,) of pulls (N, K) float64 to the first columns of `into` (A, lanes) float32."""
    classes = pulls.shape[1]
    for chunk in numba.prange(CHUNKS):
        for row in range(chunk * len(chosen) // CHUNKS, (chunk + 1) * len(chosen) // CHUNKS):
            for label in range(classes):
                into[row, label] = pulls[chosen[row], label]


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def multiply(bins: Any, cut: int, pulls: Any) -> None:
    """Multiply pulls (A, lanes) by the answers of the stump that says -1 up to the bin `cut`; bins (A,)."""
    count, lanes = pulls.shape
    for chunk in numba.prange(CHUNKS):
        for picture in range(chunk * count // CHUNKS, (chunk + 1) * count // CHUNKS):
            sign = np.float32(-1 if bins[picture] <= cut else 1)
            for lane in range(lanes):
                pulls[picture, lane] *= sign


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def answer(integral: Any, places: Any, factors: Any, threshold: int, answers: Any) -> None:
    """Multiply answers (N,) float32 by those of one stump."""
    count = integral.shape[1]
    for chunk in numba.prange(CHUNKS):
        first, last = chunk * count // CHUNKS, (chunk + 1) * count // CHUNKS
        values = np.empty(last - first, np.int32)
        haar_values(integral, places, factors, first, last, values)
        for picture in range(first, last):
            if values[picture - first] <= threshold:
                answers[picture] = -answers[picture]


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def class_edges(pulls: Any, answers: Any) -> Any:
    """The edge of each class, sum over i of m[i, k] psi(x[i]) -> (K,), and the sum of all weights."""
    count, classes = pulls.shape
    parts = np.zeros((CHUNKS, classes + 1))
    for chunk in numba.prange(CHUNKS):
        part = parts[chunk]
        for picture in range(chunk * count // CHUNKS, (chunk + 1) * count // CHUNKS):
            for label in range(classes):
                pull = pulls[picture, label]
                part[label] += pull * answers[picture]
                part[classes] += abs(pull)
    total = parts.sum(axis=0)
    return total[:classes], total[classes]


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def reweight(pulls: Any, answers: Any, votes: Any, right: float, wrong: float) -> None:
    """Multiply the weight of (i, k) by `right` if votes[k] psi(x[i]) = y[i, k], by `wrong` if not."""
    count, classes = pulls.shape
    for chunk in numba.prange(CHUNKS):
        for picture in range(chunk * count // CHUNKS, (chunk + 1) * count // CHUNKS):
            for label in range(classes):
                pull = pulls[picture, label]
                agrees = pull * votes[label] * answers[picture] > 0
                pull *= right if agrees else wrong
                if abs(pull) < SMALLEST_PULL:
                    pull = SMALLEST_PULL if pull > 0 else -SMALLEST_PULL
                pulls[picture, label] = pull


@numba.njit(cache=True, parallel=True, boundscheck=False, error_model="numpy")
def vote(integral: Any, places: Any, factors: Any, corners: Any, thresholds: Any, votes: Any, sums: Any) -> None:
    """Add what products of stumps say to the sums of votes.

    Args:
        integral: (corners, N).
        places: (F, 9) of the features in use.
        factors: (F, 9) likewise.
        corners: (T, m) each stump's row in `places`; -1 for a stump that its product goes without.
        thresholds: (T, m).
        votes: (T, K), alpha v.
        sums: (N, K) float64, added to.
    """
    count, classes = sums.shape
    for chunk in numba.prange(CHUNKS):
        begin, end = chunk * count // CHUNKS, (chunk + 1) * count // CHUNKS
        values, answers = np.empty(end - begin, np.int32), np.empty(end - begin)
        for turn in range(len(votes)):
            answers[:] = 1
            for stump in range(corners.shape[1]):
                feature = corners[turn, stump]
                if feature < 0:
                    continue
                haar_values(integral, places[feature], factors[feature], begin, end, values)
                for picture in range(end - begin):
                    if values[picture] <= thresholds[turn, stump]:
                        answers[picture] = -answers[picture]
            for picture in range(end - begin):
                for label in range(classes):
                    sums[begin + picture, label] += answers[picture] * votes[turn, label]
