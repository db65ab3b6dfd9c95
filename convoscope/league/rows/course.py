"""What a course teaches beside the rows of the published table; nobody's figure is cited for these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convoscope import classical
from convoscope.league.estimators import Estimator
from convoscope.league.row import Row, registry


def _add(place: int, name: str, seconds: tuple[float, float], *, stochastic: bool = False, **settings: Any) -> None:
    learner = classical.registry.get(name)
    quick: Mapping[str, Any] = settings.pop("quick", {})
    registry.register(name)(
        Row(
            place=place,
            names=learner.names,
            learner=Estimator(name, quick=quick, **settings),
            stochastic=stochastic,
            seconds=seconds,
            source=learner.source,
        )
    )


_add(210, "decision-tree", (30, 1), stochastic=True)
_add(220, "bagging", (210, 5), stochastic=True)
_add(230, "pasting", (290, 5), stochastic=True)
_add(240, "random-forest", (70, 3), stochastic=True)
_add(250, "extra-trees", (70, 3), stochastic=True)
# Chance only draws the pictures that its bins are made from, of more than 200,000: no data set here has as many.
_add(260, "gradient-boosting", (600, 15), quick={"rounds": 20})
_add(270, "linear-svm", (120, 3))
_add(280, "rbf-svm", (200, 2))
_add(290, "knn", (60, 1), least=3)
_add(300, "logistic-regression", (120, 3))
