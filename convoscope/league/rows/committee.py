"""A committee of networks of several widths, trained on pictures that were changed in several ways."""

from __future__ import annotations

from itertools import cycle, islice

from convoscope.league.networks import Committee, Network
from convoscope.league.row import Row, registry
from convoscope.league.rows.best_cnn import STRONGEST

_SHARED = "stem_width=16,stem_stride=1,stem_padding=false,depths=1-2-2,pools=1-1-0"
_WIDTHS = ("48-96-96", "40-80-128", "56-80-96", "48-112-80", "40-96-112")
_CHANGES = ("", ",cutout=0.2", ",elastic=20")
_MEMBERS = islice(zip(cycle(_WIDTHS), cycle(_CHANGES), strict=False), 11)

registry.register("committee")(
    Row(
        place=130,
        names={"en": "committee of CNNs", "es": "comité de CNN"},
        learner=Committee(
            tuple(
                Network(
                    f"{STRONGEST}:images_seen=1200000{changes}",
                    f"convnet:{_SHARED},widths={widths}",
                    quick_epochs=3,
                    views="turn",
                )
                for widths, changes in _MEMBERS
            ),
            quick=5,
        ),
        stochastic=True,
        seconds=(2600, 38),
        published_error=0.0013,
        source="Byerly, Kalganova, Dear, No routing needed between capsules, 2020; "
        "Cireşan, Meier, Schmidhuber, Multi-column deep neural networks for image classification, 2012",
        notes={
            "en": "A majority of networks; the committee of 2012 has 0.23%. The 0.13% was chosen by test error among "
            "all committees that 32 networks can form. In the three experiments whose tests the authors published, "
            "the majority of all 32 has 0.23 or 0.24%.",
            "es": "Una mayoría de redes; el comité de 2012 tiene 0,23 %. El 0,13 % se eligió por el error de prueba "
            "entre todos los comités que pueden formar 32 redes. En los tres experimentos cuyas pruebas publicaron "
            "los autores, la mayoría de las 32 tiene 0,23 o 0,24 %.",
        },
    )
)
