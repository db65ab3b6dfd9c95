"""Looking into a net at work: views of all its layers, and any unit of any layer traced to the numbers that made it."""

from __future__ import annotations

from convoscope.inspection.shown import Panel, Shown
from convoscope.inspection.unit import Tracer, UnitTrace, trace_unit

__all__ = ["Panel", "Shown", "Tracer", "UnitTrace", "trace_unit"]
