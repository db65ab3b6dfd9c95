"""Boosted products of stumps."""

from __future__ import annotations

from convoscope import classical
from convoscope.league.estimators import Estimator
from convoscope.league.row import Row, registry

registry.register("stump-products")(
    Row(
        place=30,
        names=classical.registry.get("stump-products").names,
        learner=Estimator("stump-products", quick={"rounds": 200}),
        stochastic=True,
        seconds=(1500, 10),
        published_error=0.0087,
        source="Kégl, Busa-Fekete, Boosting products of base classifiers, 2009",
    )
)
