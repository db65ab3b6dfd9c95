"""The linear classifier of the table: linear discriminants between every two classes."""

from __future__ import annotations

from convoscope import classical
from convoscope.league.estimators import Estimator
from convoscope.league.row import Row, registry

registry.register("lda-pairwise")(
    Row(
        place=10,
        names=classical.registry.get("lda-pairwise").names,
        learner=Estimator("lda-pairwise"),
        stochastic=False,
        seconds=(25, 1),
        published_error=0.076,
        source="LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998",
    )
)
