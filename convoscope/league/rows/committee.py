"""A committee of networks of several widths."""

from __future__ import annotations

from convoscope.league.networks import Committee, Network
from convoscope.league.row import Row, registry
from convoscope.league.rows.best_cnn import STRONGEST

_SHARED = "stem_width=16,stem_stride=1,stem_padding=false,depths=1-2-2,pools=1-1-0"
_WIDTHS = ("48-96-96", "40-80-128", "56-80-96", "48-112-80", "40-96-112")

registry.register("committee")(
    Row(
        place=130,
        names={"en": "committee of CNNs", "es": "comité de CNN"},
        learner=Committee(
            tuple(
                Network(
                    f"{STRONGEST}:images_seen=1800000",
                    f"convnet:{_SHARED},widths={widths}",
                    quick_epochs=4,
                    views="turn",
                )
                for widths in _WIDTHS
            )
        ),
        stochastic=True,
        seconds=(2200, 20),
        published_error=0.0013,
        source="Byerly, Kalganova, Dear, No routing needed between capsules, 2020: a majority of networks; 0.23% of "
        "Cireşan, Meier, Schmidhuber, Multi-column deep neural networks for image classification, 2012",
    )
)
