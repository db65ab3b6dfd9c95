"""Network families, one a file; ``build`` makes a net from its specification, ``summary`` tells what it costs."""

from __future__ import annotations

from convoscope.models._registry import Family, registry
from convoscope.models.build import build

__all__ = ["Family", "build", "registry"]
