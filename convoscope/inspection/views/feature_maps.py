"""Every layer's feature maps on one picture."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import ArrayLike

from convoscope.inspection.look import look
from convoscope.inspection.shown import Panel, Shown
from convoscope.inspection.subject import subject
from convoscope.runs.run import Run
from convoscope.runs.views import registry


@registry.register("feature-maps")
def feature_maps(run: Run, image: ArrayLike | str | Path | None = None, data_dir: Path | str | None = None) -> Shown:
    """What comes out of each layer, (C, H, W) or (features,)."""
    picture = subject(run, image, data_dir)
    seen = look(run, run.layers, picture.pixels)
    panels = tuple(Panel(layer, seen.outputs[layer.name]) for layer in run.layers)
    return Shown("feature-maps", "maps", run, panels, picture, seen)
