"""The kernels of every convolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.inspection.look import filters_of
from convoscope.inspection.shown import Panel, Shown
from convoscope.runs.run import Run
from convoscope.runs.views import registry


@registry.register("filters")
def filters(run: Run, _image: ArrayLike | str | Path | None = None, _data_dir: Path | str | None = None) -> Shown:
    """The weights (F, C / groups, kH, kW) of each convolution.

    Raises:
        RequestError: the net has no convolution.
    """
    found = ((layer, filters_of(run.model.get_submodule(layer.name))) for layer in run.layers)
    panels = tuple(Panel(layer, weights) for layer, weights in found if weights is not None)
    if not panels:
        raise RequestError("inspection.no_filters", model=run.config["model"])
    if not all(np.isfinite(panel.values).all() for panel in panels):
        raise run.folder.damaged(run.folder.weights_file, "NaN")
    return Shown("filters", "kernels", run, panels)
