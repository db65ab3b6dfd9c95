"""Data sets that an installed package ships, as a table of text and without a split of their own."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.data.sets import Contents, DataSet
from convoscope.data.splits import split_validation
from convoscope.data.types import Images, Labels, Pixels


def read_table(path: Path, data_set: DataSet) -> tuple[Pixels, Labels]:
    """The pictures (N, C, H, W), values as they stand there, and labels of a compressed table: a line a picture.

    Raises:
        RequestError: the table is not that of `data_set`.
    """
    count, pixels = sum(data_set.counts), math.prod(data_set.shape)
    try:
        table = parse_table(gzip.decompress(path.read_bytes()))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        table = None
    if table is None or table.shape != (count, pixels + 1) or table[:, -1].max() >= len(data_set.classes):
        raise RequestError(
            "data.file_foreign", file=path, expected=say("data.format_table", count=count, pixels=pixels)
        )
    return table[:, :-1].reshape(count, *data_set.shape), table[:, -1].astype(np.int64)


def parse_table(text: bytes) -> npt.NDArray[np.uint8] | None:
    """Comma-separated whole numbers 0…255, one row a line -> (rows, columns) uint8; None if it is something else.

    Thirty times as fast as `numpy.genfromtxt`, which would be most of the time a first run takes.
    """
    raw = np.frombuffer(text.replace(b"\r", b""), dtype=np.uint8)
    ends = np.flatnonzero((raw == ord(",")) | (raw == ord("\n")))
    lengths = np.diff(ends, prepend=-1) - 1
    rows = int((raw == ord("\n")).sum())
    digits = raw.size - ends.size
    if not rows or ends[-1] != raw.size - 1 or ends.size % rows or not np.isin(lengths, (1, 2, 3)).all():
        return None
    if int(((raw >= ord("0")) & (raw <= ord("9"))).sum()) != digits:
        return None
    values = (raw[ends - 1] - ord("0")).astype(np.uint16)
    for place in (2, 3):
        longer = lengths >= place
        values[longer] += (raw[ends[longer] - place] - ord("0")).astype(np.uint16) * np.uint16(10 ** (place - 1))
    return values.astype(np.uint8).reshape(rows, -1) if values.max() <= 255 else None


def split_contents(images: Pixels, labels: Labels, test_count: int, seed: int, source: str) -> Contents:
    """Set `test_count` pictures of (N, C, H, W) aside for testing: stratified, decided by `seed`."""
    train, test = split_validation(labels, test_count, seed)
    return Contents(Images(images[train], labels[train]), Images(images[test], labels[test]), source)
