"""The linear classifier of the table: linear discriminants between every two classes."""

from __future__ import annotations

import math

from convoscope import classical
from convoscope.data import ImageData
from convoscope.league.estimators import Estimator
from convoscope.league.row import Row, registry


def _memory(data: ImageData) -> int:
    """Bytes: the scatter matrix (D, D) of each class, two more while a border is drawn, and all pictures, twice."""
    values = math.prod(data.shape)
    return 8 * ((len(data.classes) + 2) * values**2 + 2 * len(data.train) * values)


registry.register("lda-pairwise")(
    Row(
        place=10,
        names=classical.registry.get("lda-pairwise").names,
        learner=Estimator("lda-pairwise", memory=_memory),
        stochastic=False,
        seconds=(25, 1),
        published_error=0.076,
        source="LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998",
    )
)
