"""What the pixels of a data set are like, and which of its files are the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from convoscope.data.types import Pixels, blocks


def mean_and_std(images: Pixels) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel of (N, C, H, W), as fractions of the full range; exact."""
    counts = np.zeros((images.shape[1], 256), dtype=np.int64)
    for rows in blocks(images):
        block = images[rows]
        for channel in range(images.shape[1]):
            counts[channel] += np.bincount(block[:, channel].ravel(), minlength=256)
    share = counts / counts.sum(axis=1, keepdims=True)
    levels = np.arange(256) / 255
    mean = share @ levels
    variance = ((levels - mean[:, None]) ** 2 * share).sum(axis=1)
    return [float(value) for value in mean], [float(value) for value in np.sqrt(variance)]


def duplicates(names: Sequence[str], hashes: Sequence[str]) -> list[list[str]]:
    """The groups of files with the same content, each and all in the order of `names`."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, content in zip(names, hashes, strict=True):
        groups[content].append(name)
    return [group for group in groups.values() if len(group) > 1]
