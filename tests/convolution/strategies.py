"""Random requests for convolutions and poolings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

wide = settings(deadline=None, max_examples=120)

Sides = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Request:
    """Where windows go: everything that `convolve` and `pool` have in common."""

    size: tuple[int, int]
    window: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: Any

    @property
    def sides(self) -> Sides:
        """The padding spelt out by hand: an independent reading of the documented rule."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        if isinstance(self.padding, int):
            return (self.padding, self.padding), (self.padding, self.padding)
        if self.padding == "same":
            totals = [
                max(0, (math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n)
                for n, k, s, d in zip(self.size, self.window, self.stride, self.dilation, strict=True)
            ]
            return tuple((total // 2, math.ceil(total / 2)) for total in totals)  # type: ignore[return-value]
        if isinstance(self.padding[0], int):
            return (self.padding[0],) * 2, (self.padding[1],) * 2  # type: ignore[return-value]
        return self.padding

    @property
    def torch_pad(self) -> list[int]:
        """For ``torch.nn.functional.pad``: left, right, top, bottom."""
        (top, bottom), (left, right) = self.sides
        return [left, right, top, bottom]

    @property
    def spans(self) -> tuple[int, int]:
        return tuple((k - 1) * d + 1 for k, d in zip(self.window, self.dilation, strict=True))  # type: ignore[return-value]

    @property
    def fits(self) -> bool:
        return all(n + sum(p) >= e for n, p, e in zip(self.size, self.sides, self.spans, strict=True))


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


def requests(most_padding: int = 4) -> st.SearchStrategy[Request]:
    paddings = st.one_of(
        st.sampled_from(["valid", "same"]),
        st.integers(0, most_padding),
        pairs(0, most_padding),
        st.tuples(pairs(0, most_padding), pairs(0, most_padding)),
    )
    made = st.builds(Request, pairs(1, 12), pairs(1, 5), pairs(1, 4), pairs(1, 3), paddings)
    return made.filter(lambda request: request.fits)
