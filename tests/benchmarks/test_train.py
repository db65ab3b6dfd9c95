"""Trainings as a user starts them: recorded as they were measured, and done again when their recipe says otherwise."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

import convoscope as cs
from benchmarks import ablation, records, train
from convoscope import models
from convoscope.training import fused, recipe, winograd
from convoscope.training.recipe import Recipe, load_recipe

RECIPE = "quick:min_epochs=1,max_epochs=1"


def recorded(monkeypatch: pytest.MonkeyPatch, results: Path, out: Path) -> dict[str, Any]:
    """What `benchmarks.train accuracy` writes down of one seed on the 8x8 digits."""
    given = ["accuracy", "--data", "digits", "--recipe", RECIPE, "--seeds", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["benchmarks.train", *given])
    train.main()
    (made,) = json.loads((results / "train.json").read_text("utf-8"))
    return made


@pytest.mark.slow
def test_a_result_that_is_read_again_keeps_its_commit_and_its_day(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "kept"
    first = recorded(monkeypatch, results, out)
    monkeypatch.setattr(records, "commit", lambda: "a later one")
    monkeypatch.setattr(records, "hardware", lambda: "another machine")
    assert recorded(monkeypatch, results, out) == first


@pytest.mark.slow
def test_a_recipe_that_says_something_else_is_trained_anew(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "kept"
    recorded(monkeypatch, results, out)
    monkeypatch.setattr(records, "commit", lambda: "a later one")
    changed = load_recipe("quick").grey.model_copy(update={"label_smoothing": 0.3})
    quick = load_recipe("quick").model_copy(update={"grey": changed})

    def other(name: str) -> Recipe:
        return quick if name == "quick" else load_recipe(name)

    monkeypatch.setattr(recipe, "load_recipe", other)
    assert recorded(monkeypatch, results, out)["commit"] == "a later one"
    assert len(list(out.glob("*.json"))) == 2


def test_bare_steps_are_those_of_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "WORTHWHILE", 0)
    monkeypatch.setattr(winograd, "LEAST_FLOP", 0)
    plain, kinds = models.build, []

    def build(*given: Any) -> nn.Module:
        model = plain(*given)

        def note(_: nn.Module, inputs: tuple[Tensor]) -> None:
            if inputs[0].device.type == "cpu":  # not where only its cost is counted
                kinds.append({type(module).__name__ for module in model.modules()})

        model.register_forward_pre_hook(note)
        return model

    monkeypatch.setattr(train.models, "build", build)
    assert len(train.bare_epochs(cs.load("digits"), "quick:model=convnet", 1)) == 1
    assert kinds
    assert all({"WinogradConv2d", "FusedBatchNorm2d"} <= each for each in kinds)


def test_a_record_of_several_results_has_the_origins_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "commit", lambda: "now")
    made = records.record("one", "digits", "a command", error=0.1)
    old = {"commit": "b", "date": "2026-11-02", "hardware": "old", "versions": {"torch": "2.8", "numpy": "2"}}
    new = {"commit": "a", "date": "2026-11-03", "hardware": "new", "versions": {"torch": "2.9", "numpy": "2"}}
    found = records.dated_back(made, [old, new, old])
    assert found["commit"] == "a, b"
    assert (found["date_first"], found["date"]) == ("2026-11-02", "2026-11-03")
    assert found["hardware"] == "new; old"
    assert found["versions"] == {"torch": "2.8, 2.9", "numpy": "2"}
    assert found["error"] == 0.1


@pytest.mark.slow
def test_an_ablation_records_the_trainings_as_they_were(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ablation, "BOTH", ())
    monkeypatch.setattr(ablation, "GREY", ())
    words = ["--data", "digits", "--recipe", RECIPE, "--seeds", "1", "--out", str(tmp_path / "kept")]
    monkeypatch.setattr(sys, "argv", ["benchmarks.ablation", *words])
    ablation.main()
    (first,) = json.loads((results / "ablation.json").read_text("utf-8"))
    monkeypatch.setattr(records, "commit", lambda: "a later one")
    ablation.main()
    assert json.loads((results / "ablation.json").read_text("utf-8")) == [first]
