"""Network families, one a file; ``build`` makes a net from its specification, ``summary`` tells what it costs."""

from __future__ import annotations

from convoscope.models._registry import Family, registry
from convoscope.models.build import build
from convoscope.models.layers import Layer, layers
from convoscope.models.summary import Summary, summary

__all__ = ["Family", "Layer", "Summary", "build", "layers", "registry", "summary"]
