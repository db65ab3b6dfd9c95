"""A committee of networks of several widths."""

from __future__ import annotations

from convoscope.league.networks import Committee, Network
from convoscope.league.row import Row, registry
from convoscope.league.rows.best_cnn import STRONGEST

_FIRST = "stem_width=16,stem_stride=1,stem_padding=false"
_WIDTHS = ("48-96-96", "40-80-128", "56-80-96", "48-112-80", "40-96-112")

registry.register("committee")(
    Row(
        place=130,
        names={"en": "committee of CNNs", "es": "comité de CNN"},
        learner=Committee(
            tuple(
                Network(STRONGEST, f"convnet:{_FIRST},widths={widths},pools=1-1-0", quick_epochs=4, views="shift")
                for widths in _WIDTHS
            )
        ),
        stochastic=True,
        seconds=(3000, 20),
        published_error=0.0013,
        source="Byerly, Kalganova, Dear, No routing needed between capsules, 2020: a majority of networks; 0.23% of "
        "Cireşan, Meier, Schmidhuber, Multi-column deep neural networks for image classification, 2012",
    )
)
