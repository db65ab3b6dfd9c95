"""Views into a net at work: any unit of any layer, traced to the numbers that made it."""

from __future__ import annotations

from convoscope.inspection.unit import Tracer, UnitTrace, trace_unit

__all__ = ["Tracer", "UnitTrace", "trace_unit"]
