"""The league: an honest table of learners on one data set; a row is one file in `rows/`, `run_league` measures it."""

from __future__ import annotations

from convoscope.league.mcnemar import McNemar, mcnemar
from convoscope.league.row import Row, find_row, ordered, registry
from convoscope.league.runner import League, Request, run_league

__all__ = ["League", "McNemar", "Request", "Row", "find_row", "mcnemar", "ordered", "registry", "run_league"]
