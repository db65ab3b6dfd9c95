"""The virtual support vector machine."""

from __future__ import annotations

from convoscope import classical
from convoscope.league.estimators import Estimator
from convoscope.league.row import Row, registry

registry.register("virtual-svm")(
    Row(
        place=50,
        names=classical.registry.get("virtual-svm").names,
        learner=Estimator("virtual-svm", quick={"jitter": 1}),
        stochastic=False,
        seconds=(6000, 10),
        published_error=0.0056,
        source="DeCoste, Schölkopf, Training invariant support vector machines, 2002",
    )
)
