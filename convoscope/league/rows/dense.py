"""Fully connected networks, without distortions of the training pictures and with them."""

from __future__ import annotations

from convoscope.league.networks import Network
from convoscope.league.row import Row, registry

_DISTORTION = "elastic=37,elastic_sigma=5.5,rotate=20,scale=0.22,shear=0.2,shift=0.07"
"""Elastic as Ciresan et al. (2010) have it, 36 to 38 and 5 to 6. They turn by 15 degrees and scale by 15 to 20%; a
little more, and a small shift besides, errs less on pictures set aside."""

_SIMARD = "Simard, Steinkraus, Platt, Best practices for convolutional neural networks, 2003"

registry.register("dense-800")(
    Row(
        place=60,
        names={"en": "dense net 784-800-10", "es": "red densa 784-800-10"},
        learner=Network("steady:images_seen=2400000", "dense-800:dropout=0.5", quick_epochs=20),
        stochastic=True,
        seconds=(300, 5),
        published_error=0.016,
        source=_SIMARD,
        notes={
            "en": "The published figure is for cross-entropy and pictures that are not distorted.",
            "es": "La cifra publicada es con entropía cruzada e imágenes sin distorsionar.",
        },
    )
)

registry.register("dense-800-elastic")(
    Row(
        place=70,
        names={
            "en": "dense net 784-800-10, elastic distortions",
            "es": "red densa 784-800-10, distorsiones elásticas",
        },
        learner=Network("elastic", "dense-800", quick_epochs=20),
        stochastic=True,
        seconds=(2400, 6),
        published_error=0.007,
        source=_SIMARD,
        notes={
            "en": "The published figure is for cross-entropy and elastic distortions. Often listed as 'no "
            "preprocessing': it is the same network, and what differs is the augmentation.",
            "es": "La cifra publicada es con entropía cruzada y distorsiones elásticas. Suele figurar «sin "
            "preprocesamiento»: es la misma red, y lo que cambia es el aumento de datos.",
        },
    )
)

registry.register("dense-6-elastic")(
    Row(
        place=80,
        names={
            "en": "dense net 784-2500-2000-1500-1000-500-10, elastic and affine distortions",
            "es": "red densa 784-2500-2000-1500-1000-500-10, distorsiones elásticas y afines",
        },
        learner=Network(
            f"elastic:{_DISTORTION},weight_decay=0.5,batch_size=1000,images_seen=9000000",
            "dense-6:activation=gelu",
            quick_epochs=12,
        ),
        stochastic=True,
        seconds=(900, 28),
        published_error=0.0035,
        source="Cireşan, Meier, Gambardella, Schmidhuber, Deep, big, simple neural nets for handwritten digit "
        "recognition, 2010",
    )
)
