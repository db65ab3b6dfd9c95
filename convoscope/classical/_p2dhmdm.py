"""P2DHMDM distances and the search for the nearest references by them, compiled.

Gradients are whole numbers, so distances are exact: neither the order of sums nor the number of threads matters. What
is pruned is pruned by lower bounds, so the neighbours are those that all distances would give.

A displacement of pixel (row j, column i) by (dy, dx) costs the sum over its 3 x 3 context of the squared differences of
both gradients. That is a box sum over the squared differences of the two pictures displaced by (dy, dx), so all
displacements of all pixels together cost about ten operations each, not one for every pixel of every context. Columns
i lie side by side in memory, `lanes` to a row, and so do the displacements dx: one loop does them all, 16 at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import int16, int64, uint16
from numpy.typing import NDArray

LARGEST = 65535
"""A column's cost is counted up to this number, the largest of 16 bits."""
FAR = 1 << 60
"""More than any distance."""
CHECK = 3
"""Rows between two looks at whether a reference is already too far."""

_compiled = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")


@dataclass(frozen=True)
class Layout:
    """Shapes for pictures of `height` x `width`, displaced by up to `warp` pixels and one column more."""

    height: int
    width: int
    warp: int

    @property
    def lanes(self) -> int:
        """Columns in memory: those of the picture, and a blank one on either side, rounded up to whole vectors."""
        return -(self.width + 2) // 16 * -16

    @property
    def places(self) -> int:
        """Displacements down, and of a whole column to the right; single pixels have two more."""
        return 2 * self.warp + 1

    def tests(self, gradients: NDArray[np.int8]) -> NDArray[np.int16]:
        """(N, 2, H, W) to (N, 2, H + 2, (places + 2) lanes): a blank ring around, each row once for every dx."""
        shape = (len(gradients), 2, self.height + 2, self.places + 2, self.lanes)
        rows = np.zeros(shape, np.int16)
        rows[:, :, 1:-1, :, 1 : self.width + 1] = gradients[:, :, :, None]
        return rows.reshape(*shape[:3], -1)

    def references(self, gradients: NDArray[np.int8]) -> NDArray[np.int8]:
        """(N, 2, H, W) to (N, 2, H + 2 + 2 warp, lanes + places + 1), blank all around."""
        above, left = self.warp + 1, self.warp + 2
        shape = (len(gradients), 2, self.height + 2 * above, self.lanes + self.places + 1)
        rows = np.zeros(shape, np.int8)
        rows[:, :, above : above + self.height, left : left + self.width] = gradients
        return rows

    def envelope(self, gradients: NDArray[np.int8]) -> NDArray[np.int8]:
        """(N, 2, H, W) to (N, 2, 2, H, lanes): least and greatest value of each gradient within reach of a pixel."""
        from scipy.ndimage import maximum_filter, minimum_filter

        bounds = np.zeros((len(gradients), 2, 2, self.height, self.lanes), np.int8)
        size = (1, 1, self.places, self.places + 2)
        for place, look in enumerate((minimum_filter, maximum_filter)):
            bounds[:, place, :, :, : self.width] = look(gradients, size, mode="constant", cval=0)
        return bounds

    def contexts(self) -> NDArray[np.int16]:
        """(lanes,) how many columns have a column in their context; 0 beyond the picture."""
        counts = np.zeros(self.lanes, np.int16)
        for shift in (-1, 0, 1):
            counts[max(0, shift) : self.width + min(0, shift)] += 1
        return counts


def first_inked_rows(gradients: NDArray[np.int8]) -> NDArray[np.int64]:
    """(N, 2, H, W) to (N,): the first row with a gradient; H where there is none."""
    inked = (gradients != 0).any(axis=(1, 3))
    first: NDArray[np.int64] = np.where(inked.any(axis=1), inked.argmax(axis=1), inked.shape[1]).astype(np.int64)
    return first


@_compiled
def _spread(row: Any, out: Any, copies: int, lanes: int) -> None:
    """Write `row`, read from each of `copies` places on, into `out` (copies lanes)."""
    for dx in range(copies):
        target = out[dx * lanes : (dx + 1) * lanes]
        source = row[dx : dx + lanes]
        for lane in range(lanes):
            target[lane] = source[lane]


@_compiled
def _row_costs(test: Any, row: int, down: Any, across: Any, squares: Any, before: Any, last: Any, costs: Any) -> None:
    """Costs of the pixels of a row for one dy and all dx, once the row below it is known.

    `before` holds the context sums of the two rows above, `last` those of the last row; both are brought up to date.
    """
    first, second = test[0, row], test[1, row]
    for lane in range(costs.size):
        u = int16(first[lane] - down[lane])
        v = int16(second[lane] - across[lane])
        squares[lane] = int16(u * u) + int16(v * v)
    for lane in range(costs.size):
        here = int16(squares[lane] + squares[lane + 1] + squares[lane + 2])
        costs[lane] = int16(before[lane] + here)
        before[lane] = int16(last[lane] + here)
        last[lane] = here


@_compiled
def _advance(costs: Any, above: Any, beside: Any, below: Any, out: Any, lanes: int) -> None:
    """One step of the hidden Markov model within all columns: from row j - 1, in three places, to row j in one."""
    left, middle, right = costs, costs[lanes:], costs[2 * lanes :]
    for lane in range(out.size):
        cost = uint16(min(min(left[lane], middle[lane]), right[lane]))
        path = min(min(above[lane], beside[lane]), below[lane])
        out[lane] = uint16(path + min(cost, uint16(~path)))  # no more than 65535


@_compiled
def _least(states: Any, places: int, out: Any) -> None:
    """The cheapest end in each column, whatever dy it has: (places + 2, places lanes) to (places lanes)."""
    for lane in range(out.size):
        out[lane] = states[1, lane]
    for dy in range(2, places + 1):
        state = states[dy]
        for lane in range(out.size):
            out[lane] = min(out[lane], state[lane])


@_compiled
def _at_least(columns: Any, places: int, lanes: int, width: int) -> Any:
    """What any order of columns costs at least."""
    total = int64(0)
    for column in range(width):
        best = columns[column]
        for dx in range(1, places):
            best = min(best, columns[dx * lanes + column])
        total += int64(best)
    return total


@_compiled
def _order_columns(columns: Any, places: int, lanes: int, width: int, sums: Any) -> Any:
    """The cheapest order of columns: a hidden Markov model over them, as within each. `sums` is (2, places) int64."""
    for dx in range(places):
        sums[0, dx] = columns[dx * lanes]
    now = 0
    for column in range(1, width):
        for dx in range(places):
            best = min(sums[now, max(dx - 1, 0)], min(sums[now, dx], sums[now, min(dx + 1, places - 1)]))
            sums[1 - now, dx] = best + int64(columns[dx * lanes + column])
        now = 1 - now
    best = sums[now, 0]
    for dx in range(1, places):
        best = min(best, sums[now, dx])
    return best


@_compiled
def _distance(
    test: Any, reference: Any, places: int, width: int, start: int, limit: int, rest: Any, work: Any, states: Any
) -> Any:
    """The distance of a test picture to a reference, or `FAR` as soon as it can't be below `limit`.

    Args:
        test: as from `Layout.tests`.
        reference: as from `Layout.references`.
        places: 2 warp + 1.
        width: W.
        start: a row above which all displacements cost nothing.
        limit: distances from here on don't matter.
        rest: (H + 1,), what the rows from each one on cost at least.
        work: room for the costs of a row.
        states: (2, places + 2, places lanes) uint16, the first and the last of each at their greatest value.
    """
    ring, squares, before, last, costs, columns, sums = work
    height = test.shape[1] - 2
    lanes = costs.size // (places + 2)
    before[:] = 0
    last[:] = 0
    now = 0
    states[0, 1 : places + 1] = 0
    for row in range(start, start + places - 1):
        for gradient in range(2):
            _spread(reference[gradient, row], ring[gradient, row % places], places + 2, lanes)
    for row in range(start, height + 2):
        new = row + places - 1
        for gradient in range(2):
            _spread(reference[gradient, new], ring[gradient, new % places], places + 2, lanes)
        for dy in range(places):
            place = (row + dy) % places
            _row_costs(test, row, ring[0, place], ring[1, place], squares, before[dy], last[dy], costs)
            if row >= start + 2:
                old = states[now]
                _advance(costs, old[dy], old[dy + 1], old[dy + 2], states[1 - now, dy + 1], lanes)
        if row < start + 2:
            continue
        now = 1 - now
        if (row - start) % CHECK == CHECK - 1:
            _least(states[now], places, columns)
            if _at_least(columns, places, lanes, width) + rest[row - 1] >= limit:
                return int64(FAR)
    _least(states[now], places, columns)
    return _order_columns(columns, places, lanes, width, sums)


@_compiled
def _bounds(test: Any, envelope: Any, contexts: Any, rest: Any, rows: Any) -> Any:
    """What the rows from each one on cost at least, into `rest` (H + 1,), and so what the whole picture does.

    A pixel within reach differs from the test's by no less than the least and greatest values within reach do, in
    every context that it is part of.
    """
    height = envelope.shape[2]
    rows[:] = 0
    for gradient in range(2):
        for row in range(height):
            values, low, high = test[gradient, row + 1, 1:], envelope[0, gradient, row], envelope[1, gradient, row]
            total = int64(0)
            for lane in range(contexts.size - 1):
                outside = int16(
                    max(int16(values[lane] - high[lane]), int16(0)) + max(int16(low[lane] - values[lane]), int16(0))
                )
                total += int16(int16(outside * outside) * contexts[lane])
            rows[row + 1] += total
    rest[height] = 0
    for row in range(height - 1, -1, -1):
        rest[row] = rest[row + 1] + rows[row] + rows[row + 1] + rows[row + 2]
    return rest[0]


@_compiled
def _keep(distance: int, reference: int, distances: Any, neighbours: Any) -> None:
    """Put a reference among the nearest ones, which are in order of distance, and of number where it is the same."""
    place = distances.size
    while place > 0 and (
        distance < distances[place - 1] or (distance == distances[place - 1] and reference < neighbours[place - 1])
    ):
        place -= 1
    if place == distances.size:
        return
    for later in range(distances.size - 1, place, -1):
        distances[later], neighbours[later] = distances[later - 1], neighbours[later - 1]
    distances[place], neighbours[place] = distance, reference


@_compiled
def search(
    tests: Any,
    first_rows: Any,
    references: Any,
    reference_first_rows: Any,
    envelopes: Any,
    contexts: Any,
    candidates: Any,
    everything: bool,
    width: int,
    distances: Any,
    neighbours: Any,
) -> None:
    """The nearest references of some test pictures.

    Args:
        tests: (M, …) as from `Layout.tests`.
        first_rows: (M,) as from `first_inked_rows`.
        references: (N, …) as from `Layout.references`.
        reference_first_rows: (N,) as from `first_inked_rows`.
        envelopes: (N, …) as from `Layout.envelope`.
        contexts: as from `Layout.contexts`.
        candidates: (M, n) references to begin with, those that are probably near first.
        everything: whether all other references are looked at, too.
        width: W.
        distances: (M, k) int64 is written, nearest first.
        neighbours: (M, k) int64 is written, the numbers of these references.
    """
    height = tests.shape[2] - 2
    places = references.shape[2] - height - 1
    wide = tests.shape[3]
    lanes = wide // (places + 2)
    work = (
        np.zeros((2, places, wide), np.int16),
        np.zeros(wide + 2, np.int16),
        np.zeros((places, wide), np.int16),
        np.zeros((places, wide), np.int16),
        np.zeros(wide, np.int16),
        np.zeros(places * lanes, np.uint16),
        np.zeros((2, places), np.int64),
    )
    states = np.full((2, places + 2, places * lanes), LARGEST, np.uint16)
    rest, rows = np.zeros(height + 1, np.int64), np.zeros(height + 2, np.int64)
    for number in range(tests.shape[0]):
        test, nearest, found = tests[number], distances[number], neighbours[number]
        nearest[:] = FAR
        found[:] = FAR
        seen = np.zeros(references.shape[0], np.bool_)
        for place in range(candidates.shape[1] + references.shape[0] * everything):
            listed = place < candidates.shape[1]
            reference = candidates[number, place] if listed else place - candidates.shape[1]
            if seen[reference]:
                continue
            seen[reference] = True
            limit = nearest[-1] + 1  # as far as the last one may still be nearer by its number
            # A column counts up to 65535, so that much is certain of a distance and no more; see `LARGEST`.
            if limit > LARGEST or nearest[-1] == FAR:
                rest[:] = 0
            elif _bounds(test, envelopes[reference], contexts, rest, rows) >= limit:
                continue
            start = max(0, min(first_rows[number], reference_first_rows[reference] - (places - 1) // 2) - 1)
            start = min(start, height - 1)
            distance = _distance(test, references[reference], places, width, start, limit, rest, work, states)
            if distance < FAR:
                _keep(distance, reference, nearest, found)
