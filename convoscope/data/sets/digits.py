"""Digits: 1,797 handwritten digits of 8x8 pixels, which scikit-learn ships.

They are the test part of the UCI set "Optical Recognition of Handwritten Digits"; the values 0…16 become 0…255. There
is no official split of these 1,797: the seed decides which 360 are for testing.
"""

from __future__ import annotations

import numpy as np

from convoscope.core.messages import say
from convoscope.data.packages import file_of
from convoscope.data.sets import Contents, DataSet, Request, registry
from convoscope.data.sets._bundled import read_table, split_contents
from convoscope.data.sets._digits import DIGITS, DIGITS_ES


def read(data_set: DataSet, request: Request) -> Contents:
    """Read, scale and split the 1,797 digits."""
    path = file_of("sklearn", "datasets/data/digits.csv.gz", name=data_set.name)
    values, labels = read_table(path, data_set)
    images = np.rint(values * (255 / 16)).astype(np.uint8)
    source = say("data.source_package", package="scikit-learn", file=path.name)
    return split_contents(images, labels, data_set.counts[1], request.seed, source)


digits = registry.register("digits")(
    DataSet(
        name="digits",
        shape=(1, 8, 8),
        classes=DIGITS,
        classes_es=DIGITS_ES,
        counts=(1437, 360),
        mirrored=False,
        official_split=False,
        homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        licence="CC BY 4.0",
        citation="E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI (1998)",
        read=read,
    )
)
