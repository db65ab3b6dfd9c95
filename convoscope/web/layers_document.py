"""What a view found in a run, as one JSON-ready document for ``view.js``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from convoscope.web.api_bench import encoded
from convoscope.web.document import sentences
from convoscope.web.network_forms import as_maps, encoded_floats, likely, network_answer

if TYPE_CHECKING:
    from convoscope.inspection.look import Maps
    from convoscope.inspection.shown import Shown

MOST_FILTER_BYTES = 2_000_000
"""Filters beyond this are left out beside feature maps; the view of the filters always holds them."""


def layers_document(shown: Shown) -> dict[str, Any]:
    """The layers with their numbers: maps, filters, or both."""
    run = shown.run
    maps = {panel.layer.name: panel.values for panel in shown.panels if panel.values.ndim != 4}
    filters = {panel.layer.name: panel.values for panel in shown.panels if panel.values.ndim == 4} or _filters(shown)
    picture = None
    if shown.subject is not None:
        about = {"label": shown.subject.label, "index": shown.subject.index}
        picture = encoded(shown.subject.pixels).model_dump() | about
    return {
        "level": "layers",
        **sentences(),
        "network": network_answer(run).model_dump(),
        "picture": picture,
        "probabilities": shown.look and [one.model_dump() for one in likely(run, shown.look.probabilities)],
        "layers": {name: _layer(maps.get(name), filters.get(name)) for name in maps | filters},
        "command": f"convoscope serve {shlex.quote(str(run.path))}",
    }


def _filters(shown: Shown) -> dict[str, Maps]:
    from convoscope.inspection.look import filters_of

    run = shown.run
    found = {layer.name: filters_of(run.model.get_submodule(layer.name)) for layer in run.layers}
    present = {name: weights for name, weights in found.items() if weights is not None}
    return present if sum(weights.nbytes for weights in present.values()) < MOST_FILTER_BYTES else {}


def _layer(maps: Maps | None, filters: Maps | None) -> dict[str, Any]:
    slices = None if filters is None else encoded_floats(filters.reshape(-1, *filters.shape[2:])).model_dump()
    return {
        "maps": None if maps is None else encoded_floats(as_maps(maps)).model_dump(),
        "filters": slices,
        "filter_channels": 0 if filters is None else filters.shape[1],
    }
