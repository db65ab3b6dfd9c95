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
CHUNKS = 64
"""Sums over pictures are cut into this many parts however many cores there are, so that they come out the same."""

SMALLEST_PULL = 1e-290
"""Smaller numbers are denormal: slow, and without meaning after millions of rounds."""


@intrinsic
def _add_lanes(typing_context: Any, into: Any, row: Any, factor: Any) -> Any:  # noqa: ARG001 (typed below)
    """Add `factor` times the eight float32 at address `row` to those at `into`.

    LLVM can't know that two arrays don't overlap, so it leaves a plain loop in single steps: four times slower.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        vector = ir.VectorType(ir.FloatType(), LANES)
        nothing, lanes = ir.Constant(vector, ir.Undefined), ir.VectorType(ir.IntType(32), LANES)
        target = builder.inttoptr(arguments[0], vector.as_pointer())
        sums = builder.load(target, align=4)
        values = builder.load(builder.inttoptr(arguments[1], vector.as_pointer()), align=4)
        first = builder.insert_element(nothing, arguments[2], ir.Constant(ir.IntType(32), 0))
        factors = builder.shuffle_vector(first, nothing, ir.Constant(lanes, [0] * LANES))
        builder.store(builder.fadd(sums, builder.fmul(values, factors)), target, align=4)
        return context.get_dummy_value()

    return types.void(types.uintp, types.uintp, types.float32), generate


@numba.njit(cache=True, boundscheck=False, error_model="numpy", fastmath=True)
def _histogram(values: Any, low: int, shift: int, answers: Any, pulls: Any, sums: Any) -> None:
    """Add up answers[i] pulls[i] of the pictures in each bin of `values`; sums (BINS, lanes) float32 is written."""
    sums[:] = 0
    stride = numba.uintp(4 * pulls.shape[1])
    into, row = sums.ctypes.data, pulls.ctypes.data
    for picture in range(len(values)):
        line = into + stride * numba.uintp((values[picture] - low) >> shift)
        for lane in range(numba.uintp(0), stride, numba.uintp(4 * LANES)):
            _add_lanes(line + lane, row + lane, answers[picture])  # type: ignore[call-arg]
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
def search(integral: Any, places: Any, factors: Any, answers: Any, pulls: Any, edges: Any, thresholds: Any) -> None:
    """The best threshold of each feature, for one stump of a product.

    Values are binned by a shift of bits, so a threshold is a whole number and exact; with at most 256 values between
    the smallest and the largest, every threshold is tried.

    Args:
        integral: (corners, A) of the pictures looked at.
        places: (n, 9) of `HaarFamily.corners`.
        factors: (n, 9) likewise.
        answers: (A,) float32, the product of the other stumps' answers.
        pulls: (A, lanes) float32, columns without a class 0.
        edges: (n,) float32, written: the edge of each feature's best stump; -1 where all values are the same.
        thresholds: (n,) int32, written.
    """
    count = integral.shape[1]
    for feature in numba.prange(len(places)):
        values = np.empty(count, np.int32)
        haar_values(integral, places[feature], factors[feature], 0, count, values)
        low, high = values.min(), values.max()
        shift = 0
        while (high - low) >> shift >= BINS:
            shift += 1
        sums = np.empty((BINS, pulls.shape[1]), np.float32)
        _histogram(values, low, shift, answers, pulls, sums)
        edge, found = _best_bin(sums, ((high - low) >> shift) + 1)
        edges[feature] = edge
        thresholds[feature] = low + ((found + 1) << shift) - 1


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
