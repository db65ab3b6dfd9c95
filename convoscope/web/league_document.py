"""A league as one JSON-ready document for ``view.js``, and as one HTML file."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convoscope.core.files import write_atomically
from convoscope.league.mcnemar import mcnemar
from convoscope.web.document import sentences
from convoscope.web.report import page_of

if TYPE_CHECKING:
    from convoscope.data import ImageData
    from convoscope.league import League
    from convoscope.league.table import Outcome

MOST_BYTES = 12_000_000
"""Pictures beyond this are told by their number only; those that most rows got wrong are shown first."""
_SHOWN = (
    "id", "status", "published_error", "published_here", "source", "error", "error_std", "interval", "seeds", "seconds",
    "predict_seconds", "peak_memory_bytes", "size_bytes",
)  # fmt: skip


def write_league_page(league: League, path: Path) -> Path:
    """Write the page of a league.

    Raises:
        RequestError: the file can't be written.
    """
    write_atomically(path, page_of(league_document(league)).encode())
    return path


def league_document(league: League) -> dict[str, Any]:
    """The table, what each row got wrong, the pictures, and McNemar's test for every two rows."""
    table = league.table()
    measured = {name: outcome for name, outcome in league.outcomes.items() if outcome.seeds}
    document = {
        "level": "league",
        **sentences(),
        "quick": league.quick,
        "command": league.command,
        "data": table.get("data"),
        "rows": [_row(entry, league.outcomes[entry["id"]], league.data) for entry in table["rows"]],
        "pairs": {},
        "missed_by_all": table["missed_by_all"],
        "pictures": {"channels": 0, "height": 0, "width": 0, "encoding": "uint8", "data": "", "numbers": []},
        "labels": [],
    }
    if league.data is not None and measured:
        wrong = {name: outcome.predictions[0] != league.data.test.labels for name, outcome in measured.items()}
        document["pairs"] = dict(_pair(first, second, wrong) for first, second in itertools.permutations(wrong, 2))
        document["pictures"] = _pictures(league.data, wrong)
        document["labels"] = league.data.test.labels.tolist()
    return document


def _row(entry: dict[str, Any], outcome: Outcome, data: ImageData | None) -> dict[str, Any]:
    row = outcome.row
    shown = {name: entry.get(name) for name in _SHOWN}
    missed: list[list[int]] = []
    if outcome.seeds and data is not None:
        said = outcome.predictions[0]
        missed = [[int(number), int(said[number])] for number in np.flatnonzero(said != data.test.labels)]
    words = {"names": dict(row.names), "notes": dict(row.notes), "reason": outcome.reason and dict(outcome.reason)}
    return {**shown, **words, "missed": missed}


def _pair(first: str, second: str, wrong: dict[str, NDArray[np.bool_]]) -> tuple[str, list[Any]]:
    found = mcnemar(wrong[first], wrong[second])
    return f"{first} {second}", [found.only_first, found.only_second, found.both, found.p]


def _pictures(data: ImageData, wrong: dict[str, NDArray[np.bool_]]) -> dict[str, Any]:
    """All pictures that a row got wrong, one after the other, with their numbers."""
    times = np.sum(list(wrong.values()), axis=0)
    channels, height, width = data.shape
    most = MOST_BYTES // (channels * height * width)
    order = np.argsort(-times, kind="stable")[: min(most, int((times > 0).sum()))]
    numbers = np.sort(order)
    return {
        "channels": len(numbers) * channels,
        "height": height,
        "width": width,
        "encoding": "uint8",
        "data": base64.b64encode(np.ascontiguousarray(data.test.images[numbers]).tobytes()).decode("ascii"),
        "numbers": numbers.tolist(),
    }
