"""Nearest neighbours by non-linear deformation."""

from __future__ import annotations

from convoscope import classical
from convoscope.league.estimators import Estimator
from convoscope.league.row import Row, registry

registry.register("p2dhmdm")(
    Row(
        place=20,
        names=classical.registry.get("p2dhmdm").names,
        learner=Estimator("p2dhmdm", {"n_jobs": -1}, least=3),
        stochastic=False,
        seconds=(1700, 15),
        published_error=0.0052,
        source="Keysers, Deselaers, Gollan, Ney, Deformation models for image recognition, 2007",
    )
)
