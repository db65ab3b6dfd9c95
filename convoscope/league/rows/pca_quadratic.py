"""The quadratic classifier on principal components."""

from __future__ import annotations

from convoscope import classical
from convoscope.league.estimators import Estimator
from convoscope.league.row import Row, registry

registry.register("pca-quadratic")(
    Row(
        place=40,
        names=classical.registry.get("pca-quadratic").names,
        learner=Estimator("pca-quadratic"),
        stochastic=False,
        seconds=(120, 3),
        published_error=0.033,
        source="LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998",
    )
)
