"""The league's table in the pages is made from its records, and from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import records
from benchmarks.league import league_table, record_of
from convoscope.league import ordered

ENTRY: dict[str, Any] = {
    "id": "decision-tree", "name": "decision tree", "label": "árbol de decisión", "status": "measured",
    "published_error": None, "source": "Breiman 1984", "note": "", "stochastic": True, "error": 0.1234,
    "error_std": 0.0012, "seeds": [0, 1, 2], "seconds": 21.53, "reason": None, "errors": [0.12, 0.123, 0.127],
    "interval": [0.117, 0.13], "predict_seconds": 0.02, "peak_memory_bytes": 612_000_000, "size_bytes": 1_250_000,
    "settings": {"learner": "decision-tree"}, "threads": "2", "missed": [1], "hardware": "AMD EPYC, 2 cores",
    "versions": {"torch": "2.13.0", "numpy": "2.4.6", "scikit-learn": "1.9.0"}, "commit": "abc", "date": "2026-11-24T",
}  # fmt: skip


@pytest.fixture
def no_records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(records, "RESULTS", tmp_path)


@pytest.mark.usefixtures("no_records")
def test_every_row_is_in_the_table_measured_or_not() -> None:
    for language, words in {"en": "not reproduced yet", "es": "aún no reproducido"}.items():
        lines = league_table(language)
        for name in ordered():
            assert any(f"(`{name}`)" in line and words in line for line in lines), name
        assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


@pytest.mark.usefixtures("no_records")
def test_a_record_fills_its_row_in_each_language() -> None:
    records.put("league", record_of(ENTRY, {"name": "mnist", "test": 10_000}))
    (english,) = [line for line in league_table("en") if "(`decision-tree`)" in line]
    assert "| 12.34 ± 0.12 % | 11.70–13.00 % | 3 | 22 s | 0.0 s | 612 MB | 1.2 MB |" in english
    (spanish,) = [line for line in league_table("es") if "(`decision-tree`)" in line]
    assert "| 12,34 ± 0,12 % |" in spanish
    assert any("AMD EPYC, 2 núcleos" in line for line in league_table("es"))


def test_a_record_says_how_to_measure_it_again_and_leaves_out_what_does_not_apply() -> None:
    made = record_of(ENTRY, {"name": "mnist", "test": 10_000})
    assert made["command"] == "convoscope league --data mnist --row decision-tree --seeds 3"
    assert {"name", "data", "error", "error_std", "seeds", "seconds", "hardware", "versions", "commit", "date"} <= set(
        made
    )
    assert not {"published_error", "parameters", "train_flops"} & set(made)
    assert record_of({**ENTRY, "stochastic": False}, {"name": "mnist", "test": 10})["command"].endswith("decision-tree")
