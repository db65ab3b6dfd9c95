"""The convolutional network of a first course."""

from __future__ import annotations

from convoscope.league.networks import Network
from convoscope.league.row import Row, registry

registry.register("typical")(
    Row(
        place=110,
        names={"en": "the typical CNN of the course", "es": "la CNN típica del curso"},
        learner=Network("elastic:rotate=10,scale=0.1,images_seen=1800000", "typical", quick_epochs=20),
        stochastic=True,
        seconds=(600, 18),
        source="LeCun et al. 1998; Simonyan, Zisserman 2014",
    )
)
