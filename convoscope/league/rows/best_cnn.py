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
        seconds=(900, 13),
        published_error=0.0017,
        source="Byerly, Kalganova, Dear, No routing needed between capsules, 2020",
        notes={
            "en": "The published figure was chosen by test error: the best epoch of the best of many networks. The 96 "
            "networks whose tests the authors published have 0.26% at that epoch, on average, and 0.32% at the last.",
            "es": "La cifra publicada se eligió por el error de prueba: la mejor época de la mejor de muchas redes. "
            "Las 96 redes cuyas pruebas publicaron los autores tienen en promedio 0,26 % en esa época y 0,32 % en la "
            "última.",
        },
    )
)
