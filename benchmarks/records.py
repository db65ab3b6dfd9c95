"""Records: what a measured figure needs beside it to mean anything."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from convoscope.runs.environment import hardware, versions

RESULTS = Path(__file__).parent / "results"


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
    return {
        "name": name,
        "data": data,
        **stated,
        "hardware": f"{hardware()}, {conditions}" if conditions else hardware(),
        "versions": versions(),
        "commit": commit(),
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def commit() -> str:
    """The commit that is measured, marked where the working tree differs from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


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
