"""What a data set is once it is in memory: pictures, labels, class names, and where they came from."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convoscope.core.messages import say
from convoscope.core.reasons import in_words

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

_BLOCK = 32 << 20  # bytes of pictures worked on at a time, so that a memory-mapped array is never in memory whole


@dataclass(frozen=True, eq=False)
class Images:
    """One split of a data set.

    Attributes:
        images: (N, C, H, W) uint8; may be a read-only memory map.
        labels: (N,) int64, each below the number of classes.
        files: the relative name of each picture, where they were files; else empty.
    """

    images: Pixels
    labels: Labels
    files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class LeftOut:
    """A file that could not be used, and why.

    Attributes:
        file: its name relative to the folder that was read.
        cause: the name of a sentence in the catalogue (`core/catalogue/data.toml`), without the leading ``left_``.
        detail: what the decoder or the system said, or the number that was too large.
    """

    file: str
    cause: str
    detail: str = ""

    @property
    def reason(self) -> str:
        """The cause as a sentence in the language in use."""
        return say(f"data.left_{self.cause}", detail=in_words(self.detail))


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set, ready to train on and to be tested with.

    Attributes:
        name: the registered name, or the folder's own name.
        train: the pictures to learn from; validation pictures are taken out of these by `split_validation`.
        test: the pictures that only the final test sees.
        classes: class names; a label is an index into them.
        mirrored: whether a picture may be flipped left-right and keep its class.
        source: where the files came from and how far they were checked.
        licence: under what terms the pictures may be used, as far as known.
        fingerprint: sha256 in hex of pixels, labels, class names and split: equal only for the same data.
        left_out: the files that could not be used.
        corrections: how many training labels a file of corrections has set right (`convoscope.data.corrections`).
    """

    name: str
    train: Images
    test: Images
    classes: tuple[str, ...]
    mirrored: bool
    source: str
    licence: str
    fingerprint: str
    left_out: tuple[LeftOut, ...] = ()
    corrections: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every picture."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width


def fingerprint(train: Images, test: Images, classes: tuple[str, ...]) -> str:
    """The sha256, in hex, of the pixels, labels, class names and split of a data set."""
    digest = hashlib.sha256("\0".join(classes).encode("utf-8", "surrogatepass"))
    for part in (train, test):
        digest.update(repr(part.images.shape).encode())
        for rows in blocks(part.images):
            digest.update(np.ascontiguousarray(part.images[rows]).data)
        digest.update(np.ascontiguousarray(part.labels, dtype="<i8").data)
    return digest.hexdigest()


def blocks(images: Pixels, count: int | None = None) -> Iterator[slice]:
    """Cut `count` rows (all, if not given) of the size of those of `images` (N, C, H, W) into blocks of 32 MB."""
    count = len(images) if count is None else count
    step = max(1, _BLOCK // max(1, math.prod(images.shape[1:])))
    return (slice(start, min(start + step, count)) for start in range(0, count, step))
