"""What looks into a run: a view takes a run and a picture, and gives something that shows itself.

The registry stands here, below its members in `convoscope/inspection/views/`, so that a run can show itself by their
names without importing the room that makes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import ArrayLike

from convoscope.core.registry import Registry

if TYPE_CHECKING:
    from convoscope.runs.run import Run


class Showing(Protocol):
    """What a view gives: it displays itself in a notebook, and ``str`` of it is a table."""

    def to_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON."""

    def save(self, path: Path | str) -> Path:
        """Write it as a page (``.html``) or a picture (``.png``)."""


class View(Protocol):
    """A member of the registry."""

    def __call__(
        self, run: Run, image: ArrayLike | str | Path | None = None, *, data_dir: Path | str | None = None
    ) -> Showing:
        """Look into `run` at work on `image`; see `Run.show`."""


registry: Registry[View] = Registry("view", "convoscope.inspection.views")
