"""MNIST (1998): 70,000 handwritten digits of 28x28, 60,000 to train and 10,000 to test with."""

from __future__ import annotations

from convoscope.data.sets import DataSet, RemoteFile, registry
from convoscope.data.sets._digits import DIGITS, DIGITS_ES
from convoscope.data.sets._idx import read_idx_set

_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}

mnist = registry.register("mnist")(
    DataSet(
        name="mnist",
        shape=(1, 28, 28),
        classes=DIGITS,
        classes_es=DIGITS_ES,
        counts=(60_000, 10_000),
        mirrored=False,
        official_split=True,
        homepage="http://yann.lecun.com/exdb/mnist/",
        licence="CC BY-SA 3.0",
        citation="Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits (1998)",
        read=read_idx_set,
        files=tuple(RemoteFile(name, md5, tuple(url + name for url in _MIRRORS)) for name, md5 in _MD5.items()),
        folders=("mnist", "MNIST/raw"),
    )
)
