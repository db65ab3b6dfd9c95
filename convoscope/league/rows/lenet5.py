"""LeNet-5, without distortions of the training pictures and with them."""

from __future__ import annotations

from convoscope.league.networks import Network
from convoscope.league.row import Row, registry

_SOURCE = "LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998"

registry.register("lenet5")(
    Row(
        place=90,
        names={"en": "LeNet-5", "es": "LeNet-5"},
        learner=Network("steady", "lenet5", quick_epochs=30),
        stochastic=True,
        seconds=(200, 8),
        published_error=0.0095,
        source=_SOURCE,
    )
)

registry.register("lenet5-distorted")(
    Row(
        place=100,
        names={"en": "LeNet-5, with distortions", "es": "LeNet-5, con distorsiones"},
        learner=Network("elastic:rotate=10,scale=0.1,images_seen=3600000", "lenet5", quick_epochs=30),
        stochastic=True,
        seconds=(400, 9),
        published_error=0.008,
        source=_SOURCE,
    )
)
