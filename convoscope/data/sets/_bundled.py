"""Data sets that an installed package ships, without a split of their own."""

from __future__ import annotations

from convoscope.data.sets import Contents
from convoscope.data.splits import split_validation
from convoscope.data.types import Images, Labels, Pixels


def split_contents(images: Pixels, labels: Labels, test_count: int, seed: int, source: str) -> Contents:
    """Set `test_count` pictures of (N, C, H, W) aside for testing: stratified, decided by `seed`."""
    train, test = split_validation(labels, test_count, seed)
    return Contents(Images(images[train], labels[train]), Images(images[test], labels[test]), source)
