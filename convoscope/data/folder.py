"""A folder of class folders as a data set (which layouts: `convoscope.data.listing`; which pixels: `decode`).

The size: pictures that are all of one size keep it, up to 64 pixels a side; otherwise they become 64x64, unless a size
is given. The colours: grey if every picture is grey, else RGB. The test set: the ``test`` folder, else a fifth of
every class, chosen by the seed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.data.cache import locked, writing
from convoscope.data.listing import Listing, list_folder
from convoscope.data.sets import Progress
from convoscope.data.splits import split_validation
from convoscope.data.store import Size, Stored, copy_rows, stored
from convoscope.data.types import ImageData, Images, Pixels

TEST_SHARE = 0.2
IN_MEMORY = 512 << 20  # bytes; the splits of a larger folder are memory maps too

_LARGEST = 4096


def load_folder(folder: Path, *, size: int | Size | None, seed: int, progress: Progress | None) -> ImageData:
    """Read a folder of class folders; arguments and errors as for `convoscope.data.load`."""
    listing = list_folder(folder)
    kept = stored(listing, as_size(size), progress)
    check_classes(listing, kept)
    train, test, split = _split(listing, kept, seed)
    return ImageData(
        name=folder.resolve().name,
        train=train,
        test=test,
        classes=listing.classes,
        mirrored=not _characters(listing.classes),
        source=say("data.source_folder", folder=folder),
        licence=say("data.licence_unknown"),
        fingerprint=hashlib.sha256(f"{kept.digest} {split}".encode()).hexdigest(),
        left_out=kept.left_out,
    )


def as_size(size: int | Size | None) -> Size | None:
    """(height, width) from a side or a pair.

    Raises:
        RequestError: a side below 1 or above 4096.
    """
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, int) else size
    if not (1 <= height <= _LARGEST and 1 <= width <= _LARGEST):
        raise RequestError("data.size_range", size=f"{height}x{width}", largest=_LARGEST)
    return height, width


def check_classes(listing: Listing, kept: Stored) -> None:
    """Refuse what can't be learned from.

    Raises:
        RequestError: fewer than two classes, a class without a usable picture, or with too few to be split.
    """
    if not kept.names:
        key = "data.folder_unreadable" if kept.left_out else "data.folder_empty"
        first = kept.left_out[0] if kept.left_out else None
        raise RequestError(
            key,
            folder=listing.folder,
            file=first and first.file,
            reason=first and first.reason,
            count=len(kept.left_out),
        )
    if len(listing.classes) < 2:
        raise RequestError("data.folder_one_class", folder=listing.folder, name=listing.classes[0])
    counts = np.bincount(kept.labels[: kept.train_count], minlength=len(listing.classes))
    least = 2 if listing.has_test else 3  # one each to train, to validate and (without a test folder) to test with
    for name, count in zip(listing.classes, counts, strict=True):
        if count == 0:
            raise RequestError("data.class_empty", folder=listing.folder, name=name, count=len(kept.left_out))
        if count < least:
            raise RequestError("data.class_small", folder=listing.folder, name=name, count=count, least=least)
    if listing.has_test and kept.train_count == len(kept.names):
        raise RequestError("data.test_empty", folder=listing.folder)


def _characters(classes: tuple[str, ...]) -> bool:
    """Whether the classes are single letters or numbers: those don't survive mirroring."""
    return all(len(name) == 1 or name.isdecimal() for name in classes)


def _split(listing: Listing, kept: Stored, seed: int) -> tuple[Images, Images, str]:
    """Train, test, and words that identify the split."""
    if listing.has_test:
        cut = kept.train_count
        halves = (slice(None, cut), slice(cut, None))
        train, test = (Images(kept.images[half], kept.labels[half], kept.names[half]) for half in halves)
        return train, test, f"test from {cut}"
    rows = split_validation(kept.labels, TEST_SHARE, seed)
    parts = (_rows(kept, part, f"{side}-{seed}") for side, part in zip(("train", "test"), rows, strict=True))
    train, test = (
        Images(images, kept.labels[part], tuple(kept.names[row] for row in part))
        for images, part in zip(parts, rows, strict=True)
    )
    return train, test, f"test {hashlib.sha256(rows[1].astype('<i8').tobytes()).hexdigest()}"


def _rows(kept: Stored, rows: npt.NDArray[np.int64], name: str) -> Pixels:
    """Some rows of the stored pictures: in memory, or as a memory map of their own where they are many."""
    if kept.images.nbytes <= IN_MEMORY:
        return kept.images[rows]
    path = kept.folder / f"{name}.npy"
    if not path.exists():
        with writing(), locked(path.with_suffix(".lock")):
            if not path.exists():
                copy_rows(kept.folder / "images.npy", rows, path.with_suffix(".new"))
                os.replace(path.with_suffix(".new"), path)
    images: Pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    return images
