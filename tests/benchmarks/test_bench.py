"""`make bench` measures again what the pages say."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from benchmarks.__main__ import FULL, QUICK
from benchmarks.records import RESULTS

# Their records name the commands that a user types, and are made by one line of `make bench` each.
BY_ONE_LINE = {"tour": "benchmarks.tour", "league": "convoscope league --data mnist"}
OF_A_GIVEN_RUN = {"inspection"}
MADE = [path for path in sorted(RESULTS.glob("*.json")) if path.stem not in OF_A_GIVEN_RUN]


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.stem)
def test_every_record_is_measured_again(path: Path) -> None:
    if path.stem in BY_ONE_LINE:
        assert [line for line in FULL if line.startswith(BY_ONE_LINE[path.stem])]
        return
    for record in json.loads(path.read_text("utf-8")):
        module = re.sub(r"^python (?:-m )?benchmarks[./](\w+)(?:\.py)?", r"benchmarks.\1", record["command"])
        assert module in FULL


def test_the_quick_lines_are_part_of_all() -> None:
    assert set(QUICK) < set(FULL)


@pytest.mark.parametrize("line", FULL)
def test_every_line_names_a_module(line: str) -> None:
    module = Path(__file__).parents[2] / shlex.split(line)[0].replace(".", "/")
    assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
