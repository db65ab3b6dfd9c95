"""What a view found: arrays of a few layers and how to draw them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from convoscope.core import display
from convoscope.core.messages import say
from convoscope.core.tables import aligned
from convoscope.inspection.look import Look, Maps
from convoscope.inspection.numbers import share, written
from convoscope.inspection.saving import write_view
from convoscope.inspection.subject import Subject, told_of
from convoscope.models import Layer
from convoscope.runs.run import Run

Chart = Literal["maps", "kernels"]
"""How the arrays are drawn: `maps`, one after the other; `kernels`, a row a filter and a column a channel."""


@dataclass(frozen=True, eq=False)
class Panel:
    """What is shown of one layer.

    Args:
        layer: the layer.
        values: its feature maps (C, H, W) or numbers (features,); or its filters (F, C / groups, kH, kW).
    """

    layer: Layer
    values: Maps

    @property
    def zeros(self) -> float:
        """The share of numbers that are exactly 0."""
        return float(np.mean(self.values == 0))

    @property
    def dead(self) -> int | None:
        """How many maps (or filters) are 0 everywhere; None where the layer has single numbers."""
        if self.values.ndim == 1:
            return None
        return int((~self.values.reshape(len(self.values), -1).any(axis=1)).sum())

    def to_dict(self) -> dict[str, Any]:
        """The panel as plain lists and numbers, ready for JSON."""
        return {
            "name": self.layer.name,
            "kind": self.layer.kind,
            "shape": list(self.values.shape),
            "min": float(self.values.min()),
            "max": float(self.values.max()),
            "zeros": self.zeros,
            "dead": self.dead,
            "values": self.values.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Shown:
    """What a view found in a run; it displays itself in a notebook, and ``str`` of it is a table.

    Args:
        view: the view's name.
        chart: how the panels are drawn.
        run: the run.
        panels: one a layer, in the order in which the layers work.
        subject: the picture, for views that look at one.
        look: what the net made of it.
    """

    view: str
    chart: Chart
    run: Run
    panels: tuple[Panel, ...]
    subject: Subject | None = None
    look: Look | None = None

    @property
    def likeliest(self) -> tuple[str, float] | None:
        """The class that the net gives to the picture, and its probability."""
        return None if self.look is None else self.look.likeliest(self.run.classes)

    def to_dict(self) -> dict[str, Any]:
        """All numbers as plain lists, ready for JSON."""
        told = {"view": self.view, "chart": self.chart, **told_of(self.subject, self.likeliest)}
        return told | {"layers": [panel.to_dict() for panel in self.panels]}

    def save(self, path: Path | str) -> Path:
        """Write the view as a page that works from disk (``.html``), or as a picture (``.png``).

        Raises:
            RequestError: another suffix, or the file can't be written.
        """
        from convoscope.inspection.drawing import picture_of

        return write_view(self, path, picture_of)

    def __str__(self) -> str:
        head = [say(f"inspection.column_{name}") for name in ("layer", "kind", "shape", "min", "max", "zeros")]
        head.append(say(f"inspection.column_dead_{self.chart}"))
        lead = [] if self.subject is None else [self.subject.said(self.likeliest), ""]
        return "\n".join([*lead, *aligned([head, *map(_row, self.panels)])])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return display.mime_bundle(self)


def _row(panel: Panel) -> list[str]:
    values, dead = panel.values, panel.dead
    shape = "x".join(map(str, values.shape))
    numbers = [written(values.min(), ".4g"), written(values.max(), ".4g"), share(panel.zeros, 1)]
    return [panel.layer.name, panel.layer.kind, shape, *numbers, "–" if dead is None else f"{dead} / {len(values)}"]
