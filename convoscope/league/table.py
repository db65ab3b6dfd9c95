"""The table: what is known of each row, over its seeds."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, median, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convoscope.core.messages import language
from convoscope.league.row import Row
from convoscope.runs.evaluation import wilson_interval

MEASURED = "measured"
REFUSED = "does not apply"
FAILED = "failed"
NOT_RUN = "not reproduced yet"

_SAME = ("parameters", "train_flops", "precision")
_JOINED = {"threads": ", ", "hardware": "; ", "commit": ", "}


@dataclass
class Outcome:
    """What is known of a row.

    Attributes:
        row: the row.
        seeds: those that are done, smallest first.
        figures: what each of them measured.
        predictions: (N,) each.
        reason: language -> why there is no figure, or not one for every seed.
        refused: whether the row can't take these data at all.
    """

    row: Row
    seeds: list[int] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    predictions: list[NDArray[np.int64]] = field(default_factory=list)
    reason: Mapping[str, str] | None = None
    refused: bool = False

    @property
    def status(self) -> str:
        """One of the four words of this module."""
        if self.seeds:
            return MEASURED
        return REFUSED if self.refused else FAILED if self.reason else NOT_RUN

    @property
    def reason_or_none(self) -> str | None:
        """The reason in the language in use."""
        return None if self.reason is None else self.reason[language()]

    @property
    def error(self) -> float:
        """The mean over the seeds."""
        return float(mean(each["error"] for each in self.figures))

    @property
    def error_std(self) -> float | None:
        """The standard deviation over the seeds; None of a single one."""
        return stdev(each["error"] for each in self.figures) if len(self.figures) > 1 else None

    def interval(self) -> tuple[float, float]:
        """The 95% interval of the error on pictures like these, for a learner that errs as often as the mean seed."""
        return wilson_interval(mean(each["errors"] for each in self.figures), len(self.predictions[0]))

    def add(self, seed: int, figures: dict[str, Any], predictions: NDArray[np.int64]) -> None:
        """A seed that is done, at its place: one that failed at first may come after larger ones."""
        place = bisect(self.seeds, seed)
        self.seeds.insert(place, seed)
        self.figures.insert(place, figures)
        self.predictions.insert(place, predictions)


def table(outcomes: Mapping[str, Outcome], labels: NDArray[np.int64], data_set: str | None = None) -> dict[str, Any]:
    """The rows and what all of them got wrong, JSON-ready.

    Args:
        outcomes: short name -> what is known of a row.
        labels: (N,) the true classes of the test pictures.
        data_set: the name of the data set, where they are the whole of one: errors published on it are comparable.
    """
    return {
        "rows": [_entry(name, outcome, labels, data_set) for name, outcome in outcomes.items()],
        "missed_by_all": np.flatnonzero(missed_by_all(outcomes, labels)).tolist(),
    }


def missed_by_all(outcomes: Mapping[str, Outcome], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) the pictures that each measured row got wrong, with its first seed; none where no row is measured."""
    missed = [outcome.predictions[0] != labels for outcome in outcomes.values() if outcome.seeds]
    every: NDArray[np.bool_] = np.all(missed, axis=0) if missed else np.zeros(len(labels), np.bool_)
    return every


def _entry(name: str, outcome: Outcome, labels: NDArray[np.int64], data_set: str | None) -> dict[str, Any]:
    row = outcome.row
    entry = {
        "id": name,
        "name": row.names["en"],
        "label": row.name,
        "status": outcome.status,
        "published_error": row.published_error,
        "published_here": row.published_for(data_set) is not None,
        "source": row.source,
        "note": row.note,
        "stochastic": row.stochastic,
        "error": None,
        "error_std": None,
        "seeds": outcome.seeds,
        "seconds": None,
        "reason": outcome.reason_or_none,
    }
    return entry | (_figures(outcome, labels) if outcome.seeds else {})


def _figures(outcome: Outcome, labels: NDArray[np.int64]) -> dict[str, Any]:
    first = outcome.figures[0]
    same = {key: first[key] for key in _SAME if key in first}
    return {
        "error": outcome.error,
        "error_std": outcome.error_std,
        "errors": [each["error"] for each in outcome.figures],
        "interval": list(outcome.interval()),
        "seconds": median(each["seconds"] for each in outcome.figures),
        "predict_seconds": median(each["predict_seconds"] for each in outcome.figures),
        "peak_memory_bytes": max(each.get("peak_memory_bytes", 0) for each in outcome.figures) or None,
        "size_bytes": first["size_bytes"],
        "settings": first["settings"],
        "missed": np.flatnonzero(outcome.predictions[0] != labels).tolist(),
        **same,
        **_origin(outcome.figures),
    }


def _origin(figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Where, with what and when the seeds were measured; what differs between them is joined, the last day counts."""
    packages = {name: None for each in figures for name in each["versions"]}
    joined = {name: _joined((each.get(name) for each in figures), between) for name, between in _JOINED.items()}
    return {
        **{name: value for name, value in joined.items() if value},
        "versions": {name: _joined(each["versions"].get(name) for each in figures) for name in packages},
        "date": max(each["date"] for each in figures),
    }


def _joined(values: Iterable[str | None], between: str = ", ") -> str:
    """Those that there are, each once."""
    return between.join(sorted({value for value in values if value}))
