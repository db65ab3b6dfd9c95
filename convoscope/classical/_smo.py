"""A support vector machine for two classes, by sequential minimal optimization over large working sets.

The dual problem is that of Cortes and Vapnik (1995): with h[i] = alpha[i] y[i], lower

    1/2 sum over i, j of h[i] K[i, j] h[j] - sum over i of h[i] y[i],   0 <= h[i] y[i] <= C,   sum of all h = 0.

A machine with 100,000 vectors can't hold its kernel. So only `WORKING` rows of it are computed at a time, by one matrix
product, and the problem over these is solved by Platt's steps with the choice of pairs of Fan, Chen and Lin, "Working
set selection using second order information" (JMLR 6, 2005); Joachims (1999) describes such a decomposition. It ends
where libsvm ends: at a largest violation of the optimality conditions below `tolerance`.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", np.float32, np.float64)

WORKING = 1024
STEPS = 200
"""Inner steps, times the size of the working set, after which the rest of the kernel is looked at in any case."""
FLAT = 1e-12
"""The least curvature that a step divides by."""


def polynomial(left: NDArray[Real], right: NDArray[Real], degree: int) -> NDArray[Real]:
    """((1 + <u, v>) / 2) ** degree of rows (n, d) and (m, d) -> (n, m): 1 for a unit vector and itself."""
    base = left @ right.T
    base += 1
    base *= 0.5
    power, result = degree, None
    while power:
        if power & 1:
            result = base.copy() if result is None else np.multiply(result, base, out=result)
        power >>= 1
        if power:
            np.multiply(base, base, out=base)
    return np.ones_like(base) if result is None else result


def train(
    rows: NDArray[np.float32], signs: NDArray[np.float64], C: float, degree: int, tolerance: float
) -> tuple[NDArray[np.float64], float]:
    """Solve the dual problem.

    Args:
        rows: (n, d) vectors.
        signs: (n,) +1 or -1; both occur.
        C: the bound on every alpha.
        degree: that of the polynomial kernel.
        tolerance: the largest violation that is left.

    Returns:
        h (n,), 0 except at support vectors, and the bias b: the decision is sum over i of h[i] K[i, x] + b.
    """
    held = np.zeros(len(rows))
    slopes = -signs.astype(np.float64)
    chosen = np.zeros(0, np.int64)
    kernel = np.zeros((0, len(rows)), np.float32)
    while True:
        upper, lower = _movable(held, signs, C)
        best, worst = float(slopes[upper].min()), float(slopes[lower].max())
        if worst - best < tolerance:
            return held, -(best + worst) / 2
        kept = chosen[len(chosen) // 2 :]
        fresh = _violators(slopes, upper, lower, kept, min(WORKING, len(rows)) - len(kept))
        chosen = np.concatenate([kept, fresh])
        kernel = np.concatenate([kernel[len(kernel) - len(kept) :], polynomial(rows[fresh], rows, degree)])
        before = held[chosen]
        inner = np.ascontiguousarray(kernel[:, chosen])
        limit = max(tolerance / 2, (worst - best) / 10)
        after, part = before.copy(), slopes[chosen]
        _solve(inner, signs[chosen], C, limit, STEPS * len(chosen), after, part)
        held[chosen] = after
        slopes += (after - before).astype(np.float32) @ kernel


def _movable(
    held: NDArray[np.float64], signs: NDArray[np.float64], C: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each h may rise, and whether it may fall, within its bounds."""
    up = np.where(signs > 0, held < C, held < 0)
    down = np.where(signs > 0, held > 0, held > -C)
    return up, down


def _violators(
    slopes: NDArray[np.float64],
    upper: NDArray[np.bool_],
    lower: NDArray[np.bool_],
    kept: NDArray[np.int64],
    count: int,
) -> NDArray[np.int64]:
    """Up to `count` places, none of `kept`: those of the lowest slopes that may rise, the highest that may fall."""
    free = np.ones(len(slopes), bool)
    free[kept] = False
    rising = _smallest(np.where(upper & free, slopes, np.inf), (count + 1) // 2)
    free[rising] = False
    falling = _smallest(np.where(lower & free, -slopes, np.inf), count - len(rising))
    return np.concatenate([rising, falling])


def _smallest(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    count = min(count, len(values))
    if count == 0:
        return np.zeros(0, np.int64)
    places = np.argpartition(values, count - 1)[:count]
    return np.sort(places[np.isfinite(values[places])])


@numba.njit(cache=True, boundscheck=False, error_model="numpy")
def _solve(kernel: Any, signs: Any, C: float, limit: float, steps: int, held: Any, slopes: Any) -> None:
    """Platt's steps on a small problem, until the largest violation is below `limit`; `held` and `slopes` change.

    One step raises h[i] and lowers h[j] by the same amount, so the sum of all h stays 0.
    """
    count = len(signs)
    for _ in range(steps):
        first, lowest = -1, np.inf
        for i in range(count):
            may_rise = held[i] < C if signs[i] > 0 else held[i] < 0
            if may_rise and slopes[i] < lowest:
                first, lowest = i, slopes[i]
        second, highest, gain = -1, -np.inf, -1.0
        for j in range(count):
            may_fall = held[j] > 0 if signs[j] > 0 else held[j] > -C
            if not may_fall:
                continue
            highest = max(highest, slopes[j])
            rise = slopes[j] - lowest
            if rise > 0:
                curvature = max(kernel[first, first] + kernel[j, j] - 2 * kernel[first, j], FLAT)
                if rise * rise / curvature > gain:
                    second, gain = j, rise * rise / curvature
        if first < 0 or second < 0 or highest - lowest < limit:
            return
        curvature = max(kernel[first, first] + kernel[second, second] - 2 * kernel[first, second], FLAT)
        amount = (slopes[second] - lowest) / curvature
        room_above = (C if signs[first] > 0 else 0.0) - held[first]
        room_below = held[second] - (0.0 if signs[second] > 0 else -C)
        amount = min(amount, room_above, room_below)
        # A bound that is reached is stored as itself, so that rounding never leaves it a little apart.
        held[first] = held[first] + amount if amount < room_above else (C if signs[first] > 0 else 0.0)
        held[second] = held[second] - amount if amount < room_below else (0.0 if signs[second] > 0 else -C)
        for i in range(count):
            slopes[i] += amount * (kernel[first, i] - kernel[second, i])
