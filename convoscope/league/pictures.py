"""The pictures that the league is played on: a data set, or the part of it that ``--quick`` takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convoscope.data import ImageData, Images, load
from convoscope.data.splits import stratified
from convoscope.data.types import fingerprint

QUICK_TRAINING, QUICK_TEST = 1000, 500
"""Pictures that ``--quick`` learns from and is tested with, where the data set has more, and not too many classes."""
SUBSET_SEED = 0


@dataclass(frozen=True)
class Pictures:
    """Which data; what a process needs to find it again.

    Attributes:
        name: a data set's name, or a folder.
        data_dir: where full data sets lie.
        size: side that a folder's pictures are fitted to.
        quick: whether only a part is taken, of which every class has its share.
    """

    name: str
    data_dir: str | None = None
    size: int | None = None
    quick: bool = False

    def load(self) -> ImageData:
        """Read them.

        Raises:
            RequestError: as `convoscope.data.load`.
        """
        data = load(self.name, data_dir=self.data_dir and Path(self.data_dir), size=self.size)
        return subset(data) if self.quick else data


def subset(data: ImageData) -> ImageData:
    """A part of `data`, stratified; the same each time."""
    # Two training pictures a class, so that a network may set one aside to choose by.
    train, test = _part(data.train, QUICK_TRAINING, 2), _part(data.test, QUICK_TEST, 1)
    return replace(data, train=train, test=test, fingerprint=fingerprint(train, test, data.classes))


def describe(data: ImageData, quick: bool) -> dict[str, Any]:
    """What the table says of the data, JSON-ready."""
    said = {
        "name": data.name,
        "fingerprint": data.fingerprint,
        "training": len(data.train),
        "test": len(data.test),
        "shape": list(data.shape),
        "classes": list(data.classes),
    }
    return said | ({"subset_seed": SUBSET_SEED} if quick else {})


def _part(images: Images, count: int, least: int) -> Images:
    rows = stratified(images.labels, count, SUBSET_SEED, least=least)
    if len(rows) == len(images):
        return images
    files = tuple(images.files[row] for row in rows) if images.files else ()
    return Images(np.ascontiguousarray(images.images[rows]), images.labels[rows], files)
