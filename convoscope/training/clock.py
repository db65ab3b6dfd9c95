"""How far a training is, as the share of its computing that is done.

With progressive resolution early steps are cheap. Counted in steps, the learning rate would spend most of its course
on small pictures; counted in computing, each resolution gets the share of the course that it costs. Counted in steps,
the full-size pictures come when the rate is low already. A recipe says which: its `course`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

LEAST_SIDE = 16
"""Progressive resolution shrinks pictures to this many pixels a side at the least."""

Side = tuple[int, int]


class Clock:
    """Which step falls where.

    Args:
        steps: how many the training has.
        resolutions: (from this share of the training's computing on, this share of the picture's side).
        side: height and width of a picture at its full size.
        cost: of one image of a given height and width, in any unit.
    """

    def __init__(
        self, steps: int, resolutions: Sequence[tuple[float, float]], side: Side, cost: Callable[[Side], float]
    ) -> None:
        stages = _stages(resolutions)
        self._sides = [_shrunk(side, share) for _, share in stages]
        self._from = [start for start, _ in stages]
        parts = [end - start for start, end in zip(self._from, [*self._from[1:], 1.0], strict=True)]
        # A stage takes steps in inverse proportion to what one of them costs.
        weights = [part / cost(size) for part, size in zip(parts, self._sides, strict=True)]
        self._ends = [steps * passed / sum(weights) for passed in accumulate(weights)]
        self._parts = parts
        self._steps = steps

    def course(self, step: int, counted: str) -> float:
        """How far the learning rate is on its course before step `step`, from 0 to 1, counted in computing or steps."""
        return self.progress(step) if counted == "computing" else step / self._steps

    def progress(self, step: int) -> float:
        """The share of the computing that is done before step `step`, from 0 to 1."""
        at = self._stage(step)
        begun = self._ends[at - 1] if at else 0.0
        return min(self._from[at] + self._parts[at] * (step - begun) / (self._ends[at] - begun), 1.0)

    def side(self, step: int) -> Side:
        """Height and width of the pictures of step `step`."""
        return self._sides[self._stage(step)]

    def _stage(self, step: int) -> int:
        return next((at for at, end in enumerate(self._ends) if step < end), len(self._ends) - 1)


def sides(resolutions: Sequence[tuple[float, float]], side: Side) -> list[Side]:
    """Heights and widths of the pictures of a training whose full size is `side`, in their order."""
    return [_shrunk(side, share) for _, share in _stages(resolutions)]


def _stages(resolutions: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The resolutions in order, from 0 on, without those that would last no time."""
    ordered = sorted(resolutions)
    if not ordered or ordered[0][0] > 0:
        ordered = [(0.0, 1.0), *ordered]
    following = [start for start, _ in ordered[1:]]
    return [one for one, end in zip(ordered, [*following, 1.0], strict=True) if one[0] < end]


def _shrunk(side: Side, share: float) -> Side:
    """`side` at `share` of its length; small pictures are not made too small to see anything."""
    height, width = (max(round(length * share), min(length, LEAST_SIDE)) for length in side)
    return height, width
