"""Layers of a network that are computed in another way while it trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn


@contextmanager
def convolutions_as(kind: type[nn.Conv2d], layers: Sequence[nn.Conv2d]) -> Iterator[None]:
    """Within it, `layers` are of the class `kind`: the same weights, another `forward`."""
    for layer in layers:
        layer.__class__ = kind
    try:
        yield
    finally:
        for layer in layers:
            layer.__class__ = nn.Conv2d
