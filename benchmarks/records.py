"""Records: what a measured figure needs beside it to mean anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from convoscope.runs.environment import commit_of, hardware, versions

RESULTS = Path(__file__).parent / "results"
_CODE = (":/convoscope", ":/benchmarks", ":/pyproject.toml", ":/constraints.txt", ":(top,exclude)benchmarks/results")
"""What decides a measurement: not the records, nor the pages and pictures made of them, which earlier ones write."""


def record(name: str, data: str, command: str, *, conditions: str = "", **figures: Any) -> dict[str, Any]:
    """`figures` with hardware, versions, commit and date; those that are None don't apply and are left out.

    Args:
        name: what was measured.
        data: on what.
        command: what measures it again.
        conditions: what the hardware was told beside: "1 thread".
        figures: what came out.
    """
    stated = {key: value for key, value in figures.items() if value is not None}
    here = origin()
    here["hardware"] += f", {conditions}" if conditions else ""
    return {"name": name, "data": data, **stated, **here, "command": command}


def origin() -> dict[str, Any]:
    """Where, with what and when something is measured: what a result keeps beside its figures if it is read later."""
    return {
        "hardware": hardware(),
        "versions": versions(),
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def dated_back(made: dict[str, Any], results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The record `made` with the origins of the `results` that it is made of: they may be older than its writing.

    Args:
        made: as from `record`.
        results: each with what `origin` said when it was measured; at least commit and date.
    """
    hardwares = sorted({result.get("hardware", made["hardware"]) for result in results})
    found = [result.get("versions", made["versions"]) for result in results]
    names = {name: None for each in found for name in each}
    dates = [result["date"] for result in results]
    return {
        **made,
        "hardware": "; ".join(hardwares),
        "versions": {name: ", ".join(sorted({each[name] for each in found if name in each})) for name in names},
        "commit": ", ".join(sorted({result["commit"] for result in results})),
        "date": max(dates),
        "date_first": min(dates),
    }


def commit() -> str:
    """The commit that is measured, marked where its code was changed; what measurements write is no code."""
    return commit_of(RESULTS.parent, _CODE) or ""


def read(stem: str) -> list[dict[str, Any]]:
    """The records of one benchmark; none if it was never run."""
    path = RESULTS / f"{stem}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


def put(stem: str, new: dict[str, Any]) -> None:
    """Add `new` to the records of a benchmark, in place of an earlier one of its name and data."""
    key = (new["name"], new["data"])
    kept = [old for old in read(stem) if (old["name"], old["data"]) != key]
    ordered = sorted([*kept, new], key=lambda one: (one["name"], one["data"]))
    (RESULTS / f"{stem}.json").write_text(json.dumps(ordered, indent=2) + "\n", "utf-8")


def spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and standard deviation over the seeds; no deviation of a single one."""
    return mean(values), stdev(values) if len(values) > 1 else None
