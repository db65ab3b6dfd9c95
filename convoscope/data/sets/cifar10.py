"""CIFAR-10 (2009): 60,000 colour photographs of 32x32 in ten classes, 50,000 to train and 10,000 to test with.

Read from the official binary version: records of one label byte and 3,072 pixel bytes (the red, the green and the blue
plane, 32x32 each, row by row).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.data.sets import Contents, DataSet, RemoteFile, Request, registry
from convoscope.data.sources import locate
from convoscope.data.types import Images

_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32
_BATCH = 10_000
_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_TEST = "test_batch.bin"

# Checksums of the two splits that are the same whatever the order of the records (see `records_checksum`).
_CHECKSUMS = (
    "55a61f79a40ece2ceda9fb5f9f7078f6ea2fc4952489cef56682bcf92cfcc260",
    "325704b01eb92e1e2a6215ae6a916bb7db7de054af0c496be1c7be2e0fcfbf5f",
)


def read(data_set: DataSet, request: Request) -> Contents:
    """Read the six batches."""
    place = locate(data_set, request)
    train = np.concatenate([_records(place.path(name)) for name in _TRAIN])
    test = _records(place.path(_TEST))
    official = (records_checksum(train), records_checksum(test)) == _CHECKSUMS
    return Contents(_images(train), _images(test), place.source(official))


def records_checksum(records: npt.NDArray[np.uint8]) -> str:
    """The sha256 over the sorted sha256s of (N, bytes) records: it does not depend on their order."""
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(record.data).digest() for record in records))).hexdigest()


def _records(path: Path) -> npt.NDArray[np.uint8]:
    """(10000, 3073) records of one batch."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RequestError("data.file_closed", file=path, detail=error.strerror or str(error)) from error
    if len(content) < _BATCH * _RECORD:
        raise RequestError("data.file_torn", file=path)
    records = np.frombuffer(content, dtype=np.uint8)
    if len(content) != _BATCH * _RECORD or records[::_RECORD].max() > 9:
        raise RequestError("data.file_foreign", file=path, expected=say("data.format_cifar10"))
    return records.reshape(_BATCH, _RECORD)


def _images(records: npt.NDArray[np.uint8]) -> Images:
    """(N, 3073) records -> pictures (N, 3, 32, 32) and labels (N,)."""
    pixels = np.ascontiguousarray(records[:, 1:])
    return Images(pixels.reshape(-1, *_SHAPE), records[:, 0].astype(np.int64))


cifar10 = registry.register("cifar10")(
    DataSet(
        name="cifar10",
        shape=_SHAPE,
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        classes_es=("avión", "automóvil", "pájaro", "gato", "ciervo", "perro", "rana", "caballo", "barco", "camión"),
        counts=(50_000, 10_000),
        mirrored=True,
        official_split=True,
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        licence="none stated; the makers ask to be cited",
        citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009)",
        read=read,
        files=(
            RemoteFile(
                "cifar-10-binary.tar.gz",
                "c32a1d4ab5d03f1284b67883e8d87530",
                ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            ),
        ),
        unpacked=(*_TRAIN, _TEST),
        folders=("cifar10/cifar-10-batches-bin", "cifar-10-batches-bin", "cifar10"),
    )
)
