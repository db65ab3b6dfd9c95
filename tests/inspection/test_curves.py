"""Learning curves: of finished runs, of those that still train, and several together."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from convoscope import Run
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language


@pytest.fixture
def beside(trained: Path, tmp_path: Path) -> Run:
    """A copy of the run with another beside it that is still training, its last line half written."""
    for name in ("first", "second"):
        shutil.copytree(trained, tmp_path / name)
    (tmp_path / "second" / "metrics.json").unlink()
    with open(tmp_path / "second" / "curves.jsonl", "a") as file:
        file.write('{"epoch": 2, "train_l')
    return Run(tmp_path / "first")


def test_curves_are_those_of_the_folder(beside: Run) -> None:
    shown = beside.show("curves")
    told = shown.to_dict()["runs"]
    assert told == [{"run": "first", "state": "finished", "curves": beside.curves}]
    assert not shown.live  # type: ignore[attr-defined]
    with using_language("en"):
        assert "can be laid over it" in str(shown)
        assert "second" in str(shown)


def test_runs_that_still_train_are_laid_over(beside: Run) -> None:
    shown = beside.show("curves:beside=second")
    first, second = shown.to_dict()["runs"]
    assert (first["state"], second["state"]) == ("finished", "training")
    assert [line["epoch"] for line in second["curves"]] == [1]
    assert shown.live  # type: ignore[attr-defined]
    old = beside.path.parent / "second" / "curves.jsonl"
    os.utime(old, (0, 0))
    assert beside.show("curves:beside=second").to_dict()["runs"][1]["state"] == "stopped"


def test_a_run_before_its_first_epoch(beside: Run) -> None:
    folder = beside.path.parent / "second"
    (folder / "curves.jsonl").write_text("")
    shown = Run(folder).show("curves")
    assert json.dumps(shown.to_dict(), allow_nan=False)
    assert shown.save(beside.path.parent / "curves.png").exists()


@pytest.mark.parametrize("name", ["nowhere", "../second", ".."])
def test_what_is_not_beside_it(beside: Run, name: str) -> None:
    with using_language("en"), pytest.raises(RequestError, match=r"beside|nowhere"):
        beside.show(f"curves:beside={name}")
