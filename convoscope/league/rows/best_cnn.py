"""The strongest single network that there is a recipe for."""

from __future__ import annotations

from convoscope.league.networks import Network
from convoscope.league.row import Row, registry

STRONGEST = "best"
"""The recipe of the strongest single network."""

registry.register("best-cnn")(
    Row(
        place=120,
        names={"en": "the best single CNN", "es": "la mejor CNN sola"},
        learner=Network(STRONGEST, quick_epochs=6, views="turn"),
        stochastic=True,
        seconds=(900, 10),
        published_error=0.0017,
        source="Byerly, Kalganova, Dear, No routing needed between capsules, 2020",
    )
)
