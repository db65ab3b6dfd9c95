"""The IDX format of MNIST and its successors, gzip or plain.

An IDX file is two zero bytes, a type byte (8: unsigned byte), the number of dimensions, each dimension as a big-endian
32-bit number, then the values.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.data.sets import Contents, DataSet, RemoteFile, Request, registry
from convoscope.data.sources import Place, locate
from convoscope.data.types import Images, Pixels

_UNSIGNED_BYTE = 8


def read_idx_set(data_set: DataSet, request: Request) -> Contents:
    """Read a data set of four IDX files: pictures and labels, to train and to test with."""
    place = locate(data_set, request)
    official = True
    arrays = []
    for file in data_set.files:
        path = place.path(file.name)
        array, md5 = _read_file(path)
        _refuse_another_set(data_set, path, md5)
        official &= md5 == file.md5
        arrays.append(array)
    train, test = (
        _split(data_set, place, data_set.files[part * 2 : part * 2 + 2], arrays[part * 2], arrays[part * 2 + 1], part)
        for part in (0, 1)
    )
    return Contents(train, test, place.source(official))


def read_idx(content: bytes) -> npt.NDArray[np.uint8]:
    """Parse IDX `content`; the array has the shape that its header gives.

    Raises:
        ValueError: it is not an IDX file of unsigned bytes, or its length is not what its header says.
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTE or not content[3]:
        raise ValueError("header")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError("length")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    size = int(np.prod([int(side) for side in shape], dtype=object))
    if len(content) - start != size:
        raise ValueError("length")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _read_file(path: Path) -> tuple[npt.NDArray[np.uint8], str]:
    """The array in `path` and the md5 of its decompressed content."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return read_idx(content), hashlib.md5(content, usedforsecurity=False).hexdigest()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RequestError("data.file_torn", file=path) from error
    except ValueError as error:
        if str(error) == "length":
            raise RequestError("data.file_torn", file=path) from error
        raise RequestError("data.file_foreign", file=path, expected=say("data.format_idx")) from error
    except OSError as error:
        raise RequestError("data.file_closed", file=path, detail=error.strerror or str(error)) from error


def _refuse_another_set(data_set: DataSet, path: Path, md5: str) -> None:
    """MNIST and Fashion-MNIST use the same file names; one must not pass for the other."""
    for name in registry:
        if name != data_set.name and any(file.md5 == md5 for file in registry.get(name).files):
            raise RequestError("data.another_set", file=path, asked=data_set.name, holds=name)


def _split(
    data_set: DataSet,
    place: Place,
    files: tuple[RemoteFile, ...],
    images: Pixels,
    labels: npt.NDArray[np.uint8],
    part: int,
) -> Images:
    """Check one split against what the data set should hold."""
    count = data_set.counts[part]
    if images.shape != (count, *data_set.shape[1:]):
        raise RequestError(
            "data.file_foreign",
            file=place.path(files[0].name),
            expected=say("data.format_pictures", count=count, height=data_set.shape[1], width=data_set.shape[2]),
        )
    if labels.shape != (count,) or labels.max() >= len(data_set.classes):
        expected = say("data.format_labels", count=count, last=len(data_set.classes) - 1)
        raise RequestError("data.file_foreign", file=place.path(files[1].name), expected=expected)
    return Images(images[:, None], labels.astype(np.int64))
