"""A committee of networks of several widths."""

from __future__ import annotations

from convoscope.league.networks import Committee, Network
from convoscope.league.row import Row, registry
from convoscope.league.rows.best_cnn import STRONGEST

_WIDTHS = ("32-64-96", "32-80-112", "40-64-128", "48-96-96", "48-80-128")

registry.register("committee")(
    Row(
        place=130,
        names={"en": "committee of CNNs", "es": "comité de CNN"},
        learner=Committee(
            tuple(Network(STRONGEST, f"convnet:widths={widths},pools=1-0-1", quick_epochs=6) for widths in _WIDTHS)
        ),
        stochastic=True,
        seconds=(3000, 20),
        published_error=0.0013,
        source="Byerly, Kalganova, Dear, No routing needed between capsules, 2020: a majority of networks; 0.23% of "
        "Cireşan, Meier, Schmidhuber, Multi-column deep neural networks for image classification, 2012",
    )
)
