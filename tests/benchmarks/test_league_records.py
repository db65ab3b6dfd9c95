"""The league's table in the pages is made from its records, and from nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import records
from benchmarks.league import league_table, main, record_of
from convoscope.data import load
from convoscope.league import ordered

ENTRY: dict[str, Any] = {
    "id": "decision-tree", "name": "decision tree", "label": "árbol de decisión", "status": "measured",
    "published_error": None, "source": "Breiman 1984", "note": "", "stochastic": True, "error": 0.1234,
    "error_std": 0.0012, "seeds": [0, 1, 2], "seconds": 21.53, "reason": None, "errors": [0.12, 0.123, 0.127],
    "interval": [0.117, 0.13], "predict_seconds": 0.02, "peak_memory_bytes": 612_000_000, "size_bytes": 1_250_000,
    "settings": {"learner": "decision-tree"}, "threads": "2", "missed": [1], "hardware": "AMD EPYC, 2 cores",
    "versions": {"torch": "2.13.0", "numpy": "2.4.6", "scikit-learn": "1.9.0"}, "commit": "abc", "date": "2026-11-24T",
}  # fmt: skip

MNIST = {"name": "mnist", "test": 10_000, "fingerprint": "f00d"}


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
    records.put("league", record_of(ENTRY, MNIST))
    (english,) = [line for line in league_table("en") if "(`decision-tree`)" in line]
    assert "| 12.34 ± 0.12 % | 11.70–13.00 % | 3 | 22 s | 0.0 s | 612 MB | 1.2 MB |" in english
    (spanish,) = [line for line in league_table("es") if "(`decision-tree`)" in line]
    assert "| 12,34 ± 0,12 % |" in spanish
    assert any("AMD EPYC, 2 núcleos" in line for line in league_table("es"))


def test_a_record_says_how_to_measure_it_again_and_leaves_out_what_does_not_apply() -> None:
    made = record_of(ENTRY, MNIST)
    assert made["command"] == "convoscope league --data mnist --row decision-tree --seeds 3"
    assert {"name", "data", "error", "error_std", "seeds", "seconds", "hardware", "versions", "commit", "date"} <= set(
        made
    )
    assert not {"published_error", "parameters", "train_flops"} & set(made)
    assert made["fingerprint"] == "f00d"
    assert record_of({**ENTRY, "seeds": [0, 4]}, MNIST)["command"].endswith("--seeds 5"), (
        "the fifth needs a command, too"
    )
    assert record_of({**ENTRY, "stochastic": False}, MNIST)["command"].endswith("decision-tree")


def take_in(folder: Path, monkeypatch: pytest.MonkeyPatch, data: dict[str, Any], *entries: dict[str, Any]) -> None:
    """Have `python -m benchmarks.league` take in a league."""
    league = {"quick": False, "data": data, "rows": list(entries)}
    folder.mkdir()
    (folder / "league.json").write_text(json.dumps(league), "utf-8")
    monkeypatch.setattr(sys, "argv", ["benchmarks.league", str(folder)])
    main()


@pytest.mark.usefixtures("no_records")
def test_a_row_whose_code_was_of_no_commit_is_refused_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    digits = {"name": "digits", "test": 360, "fingerprint": load("digits").fingerprint}
    dirty = {**ENTRY, "id": "knn", "commit": "abc, def-dirty"}
    with pytest.raises(SystemExit, match="1"):
        take_in(tmp_path / "league", monkeypatch, digits, dirty, ENTRY)
    assert "knn: not recorded: its code was not that of a commit (abc, def-dirty)" in capsys.readouterr().err
    assert [record["row"] for record in records.read("league")] == ["decision-tree"]


@pytest.mark.usefixtures("no_records")
@pytest.mark.parametrize("name", ["digits", "pets"])
def test_pictures_that_only_have_a_data_sets_name_make_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        take_in(tmp_path / "league", monkeypatch, {"name": name, "test": 360, "fingerprint": "f00d"}, ENTRY)
    assert f"not the pictures of the data set {name}" in capsys.readouterr().err
    assert records.read("league") == []
