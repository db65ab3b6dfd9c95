"""Trainings side by side: real processes in turns, complete records, and nothing run twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import convoscope as cs
from benchmarks import compare
from benchmarks.drawing import label, method, picture
from benchmarks.planned import planned_flops
from benchmarks.turns import Training, side_by_side
from benchmarks.verdict import verdict

OURS, PEER = "default:max_epochs=2,min_epochs=2", "mnist-example:epochs=2"
COMPLETE = {
    *("name", "data", "error", "errors", "seeds", "test_count", "seconds", "train_flops", "peak_memory_bytes"),
    *("hardware", "versions", "commit", "command", "date", "flops_counted", "epochs", "training_images"),
}


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks.compare", "--data", "digits", *words])
    compare.main()


def records_in(results: Path) -> dict[str, dict[str, Any]]:
    return {record["contender"]: record for record in json.loads((results / "compare.json").read_text("utf-8"))}


@pytest.mark.slow
def test_a_comparison_is_recorded_drawn_and_kept(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "kept"
    words = ["--ours", OURS, "--peers", PEER, "--out", str(out)]
    run(monkeypatch, *words)
    found = records_in(results)
    assert found.keys() == {OURS, PEER}
    for record in found.values():
        assert record.keys() >= COMPLETE
        assert record["seconds"] < record["seconds_whole"]
    ours, theirs = found[OURS], found[PEER]
    assert ours["against"] == theirs["name"]
    assert ours["flops_ratio"] == pytest.approx(ours["train_flops"] / theirs["train_flops"], rel=1e-3)
    assert ours["flops_computed_ratio"] == pytest.approx(ours["train_flops_computed"] / theirs["train_flops"], rel=1e-3)
    assert ours["seconds_ratio"] == pytest.approx(ours["seconds"] / theirs["seconds"], rel=1e-3)
    assert all(picture("digits", language).stat().st_size > 10_000 for language in ("en", "es"))
    printed = capsys.readouterr().out
    # Turn by turn: neither was done before the other had begun.
    assert printed.index("1 of 2 epochs") < printed.index("done")
    assert f"{ours['name']} beside {theirs['name']}" in printed
    # What was planned is what was spent.
    config = json.loads(next(out.glob("digits-default-*-0/run.json")).read_text("utf-8"))
    assert planned_flops(config, cs.load("digits"))[-1] == ours["train_flops"]

    (results / "compare.json").unlink()
    run(monkeypatch, *words)
    assert "of 2 epochs" not in capsys.readouterr().out.split("beside")[0]  # no turn was given
    again = records_in(results)
    assert all(again[who]["errors"] == found[who]["errors"] for who in found)
    assert all(again[who]["seconds"] == found[who]["seconds"] for who in found)

    run(monkeypatch, *words, "--seeds", "2", "--peer-seeds", "1")
    more = records_in(results)
    assert (more[OURS]["seeds"], more[PEER]["seeds"]) == ([0, 1], [0])
    assert more[OURS]["seconds_ratio"] == ours["seconds_ratio"]  # of the seed that both have
    assert "--seeds 2 --peer-seeds 1" in more[OURS]["command"]


@pytest.mark.slow
def test_what_was_left_early_claims_nothing_more_and_goes_on(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ours = f"{OURS}@convnet:widths=16-32"  # another network than the recipe's own
    words = ["--ours", ours, "--peers", PEER, "--out", str(tmp_path / "kept")]
    run(monkeypatch, *words, "--epochs", "1")
    for record in records_in(results).values():
        assert "1 of 2 epochs" in record["name"]
        assert not {"error", "seconds", "train_flops"} & record.keys()
        assert record["train_flops_done"] == pytest.approx(record["train_flops_planned"] / 2)
        assert record["seconds_extrapolated"] == pytest.approx(2 * record["seconds_done"], abs=0.1)
    capsys.readouterr()
    run(monkeypatch, *words)
    # The epoch that was done is not done again: the next thing that is told is the end.
    assert "1 of 2 epochs" not in capsys.readouterr().out.split("beside")[0]
    finished = [record for record in json.loads((results / "compare.json").read_text("utf-8")) if "error" in record]
    found = {record["contender"]: record for record in finished}
    assert found.keys() == {ours, PEER}
    assert found[ours]["model"] == "convnet:widths=16-32"
    assert found[ours]["name"] == f"convoscope, recipe {OURS}, convnet:widths=16-32"


def test_a_changed_recipe_is_another_training(tmp_path: Path) -> None:
    names = {
        Training(who, "digits", 0, tmp_path).folder.name
        for who in ("default", "default:learning_rate=0.02", "default@lenet5", "plain", "mnist-example", "airbench94")
    }
    assert len(names) == 6
    assert Training("default", "digits", 0, tmp_path).folder != Training("default", "digits", 1, tmp_path).folder


def test_a_training_that_fails_ends_the_comparison(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="ended with exit code"):
        side_by_side([Training("mnist-example:epochs=x", "digits", 0, tmp_path)])


def made(**figures: Any) -> dict[str, Any]:
    usual = {"name": "one", "data": "mnist", "seeds": [0, 1, 2], "test_count": 10_000, "error_std": 0.0002}
    return {**usual, "seconds": 50.0, "train_flops": 1e12, "peak_memory_bytes": 1e9, **figures}


def test_the_verdict_says_where_we_are_ahead_and_behind() -> None:
    lines = verdict([made(error=0.004)], [made(name="peer", error=0.009, seconds=600.0, train_flops=5e11)])
    assert lines == [
        "mnist: one beside peer",
        "  ahead: error 0.40% to 0.90%; 0.0833 times the seconds",
        "  behind: 2 times the FLOP; 1 times the memory",
    ]


def test_the_verdict_claims_no_difference_that_counting_does_not_show() -> None:
    lines = verdict([made(error=0.0040)], [made(name="peer", error=0.0045)])
    assert "  no clear difference: error 0.40% to 0.45%" in lines


def test_points_of_one_method_are_joined() -> None:
    peer = {"name": "airbench94 with Muon, re-implemented, 4 epochs", "peer": True, "epochs": 4}
    ours = {"name": "convoscope, recipe fast", "peer": False, "contender": "fast"}
    assert (method(peer), label(peer, "es")) == ("airbench94 with Muon", "4 épocas")
    assert (method(ours), label(ours, "en")) == ("convoscope", "fast")
    assert label({**ours, "contender": "fast:max_epochs=9@lenet5"}, "en") == "fast:max_epochs=9"
