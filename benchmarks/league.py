"""The league's records: what `convoscope league` measured on whole data sets, and the table that the pages show of it.

convoscope league --data mnist --out runs/league-mnist
python -m benchmarks.league runs/league-mnist

A row of which the code differed from its commit makes no record, and neither do other pictures than the data set's own
that have its name.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.records import put, read
from benchmarks.words import grouped, origins, table_row
from convoscope.data import load
from convoscope.data import registry as registry_of_data
from convoscope.league import ordered, registry

_HEADS = {
    "en": ("row", "published", "ours", "95% interval", "seeds", "fit", "predict", "peak memory", "size"),
    "es": (
        "fila",
        "publicado",
        "nuestro",
        "intervalo 95 %",
        "semillas",
        "ajuste",
        "predicción",
        "memoria máxima",
        "tamaño",
    ),
}
_NOT_YET = {"en": "not reproduced yet", "es": "aún no reproducido"}
_MEASURED = (
    "published_error",
    "source",
    "error",
    "error_std",
    "errors",
    "interval",
    "seeds",
    "seconds",
    "predict_seconds",
    "train_flops",
    "precision",
    "parameters",
    "size_bytes",
    "peak_memory_bytes",
    "settings",
    "hardware",
    "versions",
    "commit",
    "date",
)

Record = dict[str, Any]


def main() -> None:
    """Take the measured rows of a league's folder into the records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    league = json.loads((parser.parse_args().folder / "league.json").read_text("utf-8"))
    if league["quick"]:
        parser.error("a quick league is measured on a part of the data, and makes no record")
    data = league["data"]
    if data["fingerprint"] != fingerprint_of(data["name"]):
        parser.error(f"these are not the pictures of the data set {data['name']}, and make no record")
    refused = 0
    for entry in league["rows"]:
        if entry["status"] != "measured":
            continue
        if "-dirty" in (entry.get("commit") or ""):
            refused += 1
            print(
                f"{entry['id']}: not recorded: its code was not that of a commit ({entry['commit']})", file=sys.stderr
            )
            continue
        put("league", record_of(entry, data))
        print(f"{entry['id']}: {entry['error']:.3%}")
    if refused:
        sys.exit(1)


def fingerprint_of(name: str) -> str | None:
    """That of the data set of this name; None if there is none."""
    return load(name, corrections=False).fingerprint if name in registry_of_data else None


def record_of(entry: Record, data: Record) -> Record:
    """The record of a row of ``league.json``; what doesn't apply is absent."""
    figures = {name: entry.get(name) for name in _MEASURED}
    seeds = f" --seeds {max(entry['seeds']) + 1}" if entry["stochastic"] else ""  # always from 0 on
    command = f"convoscope league --data {data['name']} --row {entry['id']}{seeds}"
    made = {"name": entry["name"], "row": entry["id"], "data": data["name"], "test_count": data["test"], **figures}
    made["fingerprint"] = data["fingerprint"]
    threads = entry["threads"]
    of_machine = entry["hardware"].rpartition(", ")[2].partition(" ")[0]
    if threads != of_machine:  # one row on each core at a time
        made["hardware"] += f", {threads} thread" + "s" * (threads != "1")
    made |= {"commit": entry.get("commit") or "unknown", "command": command}
    return {name: value for name, value in made.items() if value is not None and value != ""}


def league_table(language: str, data: str = "mnist") -> list[str]:
    """Every row of the league, measured or not, in the order of the league."""
    found = {record["row"]: record for record in read("league") if record["data"] == data}
    lines = [table_row(_HEADS[language]), table_row(["---", *["---:"] * (len(_HEADS[language]) - 1)])]
    for name in ordered():
        row = registry.get(name)
        error = row.published_for(data)
        published = "–" if error is None else _percent(error, language)
        label = f"{row.names[language]} (`{name}`)"
        record = found.get(name)
        lines.append(
            table_row([label, published, *(_cells(record, language) if record else [_NOT_YET[language]] + ["–"] * 6)])
        )
    measured = origins(
        found.values(),
        language,
        libraries=("torch", "numpy", "scikit-learn"),
        command=lambda record: f"convoscope league --data {record['data']}",  # the row's own is in its record
    )
    return [*lines, *(["", *measured] if measured else []), ""]


def _cells(record: Record, language: str) -> list[str]:
    low, high = (grouped(100 * bound, language, 2) for bound in record["interval"])
    error = _percent(record["error"], language)
    if "error_std" in record:
        error = f"{grouped(100 * record['error'], language, 2)} ± {_percent(record['error_std'], language)}"
    memory = record.get("peak_memory_bytes")
    return [
        error,
        f"{low}–{high} %",
        str(len(record["seeds"])),
        _seconds(record["seconds"], language),
        _seconds(record["predict_seconds"], language),
        "–" if memory is None else f"{grouped(memory / 1e6, language)} MB",
        f"{grouped(record['size_bytes'] / 1e6, language, 1)} MB",
    ]


def _percent(share: float, language: str) -> str:
    return f"{grouped(100 * share, language, 2)} %"


def _seconds(seconds: float, language: str) -> str:
    return f"{grouped(seconds, language, 0 if seconds >= 10 else 1)} s"


if __name__ == "__main__":
    main()
