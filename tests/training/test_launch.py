"""From images to a tested classifier, and every way in which the request can be wrong."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import convoscope as cs
from convoscope import Run, train
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data import ImageData, Images, split_validation
from convoscope.data.batches import inputs_from
from convoscope.training import launch
from convoscope.training.processes import precision_for
from convoscope.training.progress import Listener
from tests.training.listeners import StopsAfter

SMALL = "typical:blocks=2,width=8"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train("digits", SMALL, epochs=2, out=tmp_path_factory.mktemp("runs") / "run")


def refused(*words: Any, **more: Any) -> RequestError:
    with using_language("en"), pytest.raises(RequestError) as caught:
        train(*words, **more)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return caught.value


def said(*words: Any, **more: Any) -> str:
    with using_language("en"):
        return str(refused(*words, **more))


def weights(run: Run) -> bytes:
    return run.folder.weights_file.read_bytes()


# What comes out


def test_the_result_has_the_keys_of_the_design(run: Run) -> None:
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics == run.metrics
    assert metrics["run"] == str(run.path)
    assert 0 <= metrics["test_error"] < 0.5
    assert metrics["test_count"] == 360
    assert metrics["test_error"] == metrics["test_errors"] / 360
    assert metrics["seconds"] > 0
    assert metrics["train_flops"] > 0
    assert metrics["parameters"] == sum(parameter.numel() for parameter in run.model.parameters())
    assert metrics["interrupted"] is False
    assert metrics["test_time_augmentation"] == "none"


def test_the_folder_has_its_files(run: Run) -> None:
    files = {path.name for path in run.path.iterdir()}
    assert files == {
        "run.json", "metrics.json", "curves.jsonl", "model.safetensors", "checkpoint", "curves.png", "confusion.png",
    }  # fmt: skip
    versions = run.config["environment"]["versions"]
    assert versions["torch"] == torch.__version__
    assert {"numba", "numpy", "scipy"} <= versions.keys()
    assert run.config["data"]["training_images"] + run.config["data"]["validation_images"] == 1437


def test_the_kept_weights_are_the_best_by_validation(run: Run) -> None:
    assert run.metrics is not None
    errors = [line["validation_error"] for line in run.curves]
    assert run.metrics["validation_error"] == min(errors)
    digits = cs.load("digits")
    _, rows = split_validation(digits.train.labels, 0.1, 0)
    guesses = run.logits(digits.train.images[rows]).argmax(dim=1).numpy()
    assert np.mean(guesses != digits.train.labels[rows]) == pytest.approx(min(errors))


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(tmp_path: Path, run: Run) -> None:
    again = train("digits", SMALL, epochs=2, out=tmp_path / "again")
    other = train("digits", SMALL, epochs=2, seed=1, out=tmp_path / "other")
    assert weights(again) == weights(run)
    assert weights(other) != weights(run)
    assert again.metrics is not None
    assert run.metrics is not None
    assert again.metrics["test_loss"] == run.metrics["test_loss"]


class Spied(np.ndarray):
    """Pictures that remember when they were read."""

    log: list[str]

    def __getitem__(self, key: Any) -> Any:
        if getattr(self, "log", None) is not None:
            self.log.append(f"read {key!r}")
        return super().__getitem__(key)


def test_test_pictures_are_read_once_when_all_is_decided(tmp_path: Path) -> None:
    digits = cs.load("digits")
    spied = digits.test.images.view(Spied)
    spied.log = log = []

    class Diary(Listener):
        def on_epoch(self, line: dict[str, Any]) -> None:
            log.append("epoch")

        def on_end(self) -> None:
            log.append("end")

    data = replace(digits, test=replace(digits.test, images=spied))
    train(data, "dense-800", epochs=2, out=tmp_path / "run", listener=Diary())
    assert log[:3] == ["epoch", "epoch", "end"]
    assert log[3:] == ["read slice(0, 500, None)"]  # all 360, in one batch


def test_other_test_pictures_change_nothing_but_the_result(tmp_path: Path, run: Run) -> None:
    digits = cs.load("digits")
    wrong = replace(digits.test, labels=(digits.test.labels + 1) % 10)
    changed = train(replace(digits, test=wrong), SMALL, epochs=2, out=tmp_path / "run")
    assert weights(changed) == weights(run)
    assert changed.metrics is not None
    assert changed.metrics["test_error"] > 0.5


# Ways to train


def test_without_a_validation_set_the_last_weights_are_kept(tmp_path: Path) -> None:
    run = train("digits", SMALL, "default:validation=0", epochs=2, out=tmp_path / "run")
    assert run.metrics is not None
    assert run.metrics["validation_error"] is None
    assert run.metrics["best_epoch"] == 2
    assert run.config["data"]["validation_images"] == 0
    assert all("validation_error" not in line and line["best"] for line in run.curves)


def test_patience_stops_early(tmp_path: Path) -> None:
    # At a rate this small nothing gets better, so the first epoch stays the best.
    recipe = "default:patience=2,learning_rate=1e-30,optimizer=sgd,warmup=0"
    run = train("digits", "dense-800", recipe, epochs=50, out=tmp_path / "run")
    assert run.metrics is not None
    assert (run.metrics["best_epoch"], run.metrics["epochs"]) == (1, 3)


def test_a_moving_average_is_what_is_kept(tmp_path: Path, run: Run) -> None:
    averaged = train("digits", SMALL, "default:ema=0.99", epochs=2, out=tmp_path / "run")
    newest = sorted((averaged.path / "checkpoint").glob("*.safetensors"))[-1]
    state = load_file(newest)
    kept = load_file(averaged.folder.weights_file)
    assert weights(averaged) != weights(run)
    assert averaged.metrics is not None
    assert averaged.metrics["best_epoch"] == 2
    name = next(name for name in kept if name.endswith("weight"))
    assert torch.equal(kept[name], state[f"average/module.{name}"])
    assert not torch.equal(kept[name], state[f"model/{name}"])


def test_label_smoothing_changes_the_loss(tmp_path: Path) -> None:
    """Smoothed by 1, every class is as right as any other: the loss can't fall below that of guessing."""
    recipe = "plain:label_smoothing=1,learning_rate=0.001,optimizer=sgd"
    run = train("digits", "dense-800", recipe, epochs=1, out=tmp_path / "run")
    assert run.curves[-1]["train_loss"] >= np.log(10)


def test_test_time_augmentation_is_named(tmp_path: Path) -> None:
    run = train("digits", "dense-800", epochs=1, test_time_augmentation="shift", out=tmp_path / "run")
    assert run.metrics is not None
    assert run.metrics["test_time_augmentation"] == "shift"
    assert run.evaluate(test_time_augmentation="shift")["test_errors"] == run.metrics["test_errors"]


def test_a_folder_of_pictures(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pictures / "even" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    monkeypatch.chdir(tmp_path)
    run = train("pictures", "dense-800", epochs=1, out="run")
    assert run.classes == ("even", "odd")
    assert run.metrics is not None
    assert run.metrics["test_count"] == 8
    assert run.metrics["data"] == "pictures"
    assert [item["file"] for item in run.config["data"]["left_out"]] == ["even/torn.png"]
    errors = run.metrics["test_errors"]
    monkeypatch.chdir("/")  # the folder is found again from anywhere
    assert Run(tmp_path / "run").evaluate()["test_errors"] == errors


def test_data_in_memory(tmp_path: Path) -> None:
    digits = cs.load("digits")
    data = ImageData(
        "mine", digits.train, digits.test, digits.classes, mirrored=False, source="", licence="", fingerprint="f"
    )
    run = train(data, "dense-800", epochs=1, out=tmp_path / "run")
    assert run.metrics is not None
    assert run.metrics["data"] == "mine"
    assert run.evaluate(data)["test_errors"] == run.metrics["test_errors"]


def test_without_a_folder_named_runs_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "new").mkdir(parents=True)
    (tmp_path / "runs" / "new" / "run.json").write_text("{}")  # a run of some other name hinders none
    found = [train("digits", "dense-800", epochs=1).path for _ in range(2)]
    assert found == [Path("runs/digits-dense-800-1"), Path("runs/digits-dense-800-2")]


def test_a_very_small_batch(pictures: Path, tmp_path: Path) -> None:
    run = train(pictures, SMALL, "default:batch_size=2", epochs=1, out=tmp_path / "run")
    assert run.metrics is not None


@pytest.mark.parametrize("whiten", ["true", "false"])
def test_only_a_whitening_layer_takes_pictures_before_the_training_and_in_small_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whiten: str
) -> None:
    taken: list[int] = []

    def watched(images: Any, *more: Any) -> torch.Tensor:
        taken.append(len(images))
        return inputs_from(images, *more)

    monkeypatch.setattr("convoscope.training.worker.inputs_from", watched)
    monkeypatch.setattr("convoscope.training.worker.FITTED_AT_ONCE", 500 * 64)
    train("digits", f"convnet:widths=8,stem_kernel=2,whiten={whiten}", epochs=1, out=tmp_path / "run")
    assert taken == ([500, 500, 293] if whiten == "true" else [])


@pytest.mark.parametrize(("until", "held"), [(0.5, True), (1, False)])
def test_a_whitening_bias_stays_as_it_is_after_its_share_of_the_training(
    tmp_path: Path, until: float, held: bool
) -> None:
    recipe = f"default:validation=0,whitening_until={until}"
    asked = {"epochs": 2, "out": tmp_path / "run", "listener": StopsAfter(20)}  # of 2 x 16 steps
    half = train("digits", "convnet:widths=8,stem_kernel=2,whiten=true", recipe, **asked).model.state_dict()
    whole = train(resume=tmp_path / "run").model.state_dict()
    assert bool(half["conv1.bias"].count_nonzero())
    assert torch.equal(half["conv1.bias"], whole["conv1.bias"]) == held
    assert not torch.equal(half["conv2.weight"], whole["conv2.weight"])


@pytest.mark.parametrize(
    ("model", "side", "grow"),
    [("typical:width=4", (30, 30), False), ("typical:width=4", (30, 20), False), ("convnet:widths=4", (30, 20), True)],
)
def test_pictures_come_smaller_only_to_a_network_that_takes_all_sizes(
    tmp_path: Path, model: str, side: tuple[int, int], grow: bool
) -> None:
    """A dense layer over the maps of 30 pixels a side takes those of 28 and 24, but not of 19."""
    images = np.random.default_rng(0).integers(0, 256, (40, 3, *side), np.uint8)
    data = cs.data.from_arrays(images, np.arange(40) % 2)
    run = train(data, model, "default:validation=0", epochs=1, out=tmp_path / "run")
    assert bool(run.config["setting"]["resolutions"]) == grow


def test_the_caller_has_its_own_random_numbers_and_threads_afterwards(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        train("digits", "lenet5", epochs=1, out=tmp_path / "run")
        assert torch.equal(torch.rand(3), expected)
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)


# Wrong requests


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"data": "digit"}, "no data set 'digit'; did you mean 'digits'? There are: cifar10, colour-digits, digits"),
        ({"model": "lenet6"}, "no model 'lenet6'; did you mean 'lenet5'? There are: convnet"),
        ({"model": ""}, "can't be read"),
        ({"model": "typical:blocks=99"}, "typical can't be built with blocks=99"),
        ({"recipe": "defalt"}, "no recipe 'defalt'; did you mean 'default'?"),
        ({"recipe": "default:patienc=3"}, "did you mean 'patience'"),
        ({"recipe": "default:learning_rate=nan"}, "it must be a finite number"),
        ({"recipe": "default:elastic=1e999"}, "it must be a finite number"),
        ({"recipe": "default:validation=0.9999"}, "can't be set aside"),
        ({"epochs": 0}, "0 epochs were asked for; choose 1 to 1,000,000"),
        ({"epochs": -3}, "-3 epochs"),
        ({"epochs": 10**30}, "epochs were asked for"),
        ({"seed": -1}, "The seed -1 is out of range"),
        ({"seed": 2**31}, "The seed 2147483648 is out of range"),
        ({"size": 4}, "choose 8 to 1024"),
        ({"size": 32}, "digits has its own"),
        ({"test_time_augmentation": "flp"}, "did you mean 'flip'"),
        ({"checkpoint_seconds": float("nan")}, "choose 0 or more"),
        ({"checkpoint_seconds": -1.0}, "choose 0 or more"),
        ({"data_dir": "/nowhere/at/all", "data": "mnist"}, "The data folder /nowhere/at/all does not exist"),
    ],
    ids=str,
)
def test_a_wrong_request_is_told_and_leaves_nothing(tmp_path: Path, words: dict[str, Any], sentence: str) -> None:
    assert sentence in said(**{"data": "digits", **words}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_recipe_value_is_refused_in_spanish_too(tmp_path: Path) -> None:
    with using_language("es"), pytest.raises(RequestError, match="debe ser mayor que 0"):
        train("digits", recipe="default:learning_rate=-1", out=tmp_path / "run")


def test_a_large_number_is_set_apart_as_the_language_does(tmp_path: Path) -> None:
    with using_language("es"), pytest.raises(RequestError, match="elija de 1 a 1\u00a0000\u00a0000"):
        train("digits", epochs=0, out=tmp_path / "run")


def test_a_picture_too_small_for_the_network_names_the_layer(tmp_path: Path) -> None:
    sentence = said("digits", "typical:blocks=5", out=tmp_path / "run")
    assert "An input of 1x8x8 is too small for this net: layer pool4 gets 1x1" in sentence
    assert not (tmp_path / "run").exists()


def test_folders_that_are_no_classes(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert "holds no class folders" in said(pictures / "even", out=out)
    assert "There is no folder" in said(tmp_path / "nowhere", out=out)
    assert "is a file" in said(pictures / "even" / "0.png", out=out)
    for file in (pictures / "odd").iterdir():
        file.unlink()
    assert "odd" in said(pictures, out=out)
    (pictures / "odd").rmdir()
    assert "even" in said(pictures, out=out)
    assert not out.exists()


def test_one_picture_a_class(pictures: Path, tmp_path: Path) -> None:
    for name in ("even", "odd"):
        for file in sorted((pictures / name).iterdir())[1:]:
            file.unlink()
    assert "it needs at least 3" in said(pictures, out=tmp_path / "run")


@pytest.mark.parametrize("files", [{"run.json": "{}"}, {"thesis.txt": "years of work"}], ids=["a run", "other files"])
def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    sentence = said("digits", out=tmp_path)
    assert "already holds a run" in sentence or "is not empty" in sentence
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("mine")
    assert "can't be written" in said("digits", out=tmp_path / "file")
    assert "can't be written" in said("digits", out=tmp_path / "file" / "run")
    access = os.access
    monkeypatch.setattr("os.access", lambda path, mode: False if mode & os.W_OK else access(path, mode))
    assert "can't be written (Permission denied)" in said("digits", out=tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    assert "runs can't be written (Permission denied)" in said("digits")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_process_that_does_not_see_the_run_that_another_began_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "UNSEEN_SECONDS", 0)
    monkeypatch.setattr(launch, "first_begins", lambda *_: None)  # as in any process but the first
    monkeypatch.setattr(launch, "work", lambda *_: pytest.fail("it has nothing to work on"))
    sentence = said("digits", out=tmp_path / "run")
    assert f"The first process began a run in {tmp_path / 'run'}, and this one does not see it there" in sentence


def test_the_folder_is_checked_before_the_data_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convoscope.data.load", lambda *_, **__: pytest.fail("the data was read"))
    (tmp_path / "file").write_text("mine")
    assert "is not empty" in said("digits", out=tmp_path)


@pytest.mark.parametrize(
    "recipe", ["default:learning_rate=1e6,optimizer=sgd", "plain:learning_rate=1e30,optimizer=sgd"]
)
@pytest.mark.parametrize("model", ["dense-800", SMALL])
def test_a_training_that_diverges_stops_with_what_to_try(tmp_path: Path, recipe: str, model: str) -> None:
    sentence = said("digits", model, recipe, epochs=3, out=tmp_path / "run")
    assert "The training diverged in epoch 1, before any weights were worth keeping" in sentence
    offered = recipe.replace("1e6", "250000.0").replace("1e30", "2.5e+29")
    assert sentence.endswith(f"Try a lower rate in a new folder: --recipe {offered}")
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_after_divergence_the_last_good_weights_are_kept(tmp_path: Path) -> None:
    class Spoil(Listener):
        """Makes the network run away in its third epoch, as a rate too high does."""

        epochs = 0

        def on_epoch(self, line: dict[str, Any]) -> None:
            self.epochs += 1
            if self.epochs == 2:
                monkeypatch.setattr("convoscope.training.loop.rate_factor", lambda *_: float("inf"))

    with pytest.MonkeyPatch.context() as monkeypatch:
        recipe = "default:optimizer=sgd,learning_rate=0.05"
        sentence = said("digits", "dense-800", recipe, epochs=5, out=tmp_path / "run", listener=Spoil())
    assert "The training diverged in epoch 3: its loss was nan" in sentence
    assert sentence.endswith("--recipe default:optimizer=sgd,learning_rate=0.0125")
    run = Run(tmp_path / "run")
    assert len(run.curves) == 2
    assert run.metrics is None
    assert run.predict(np.zeros((8, 8), np.uint8))[0].label in run.classes


# Resuming


def test_nothing_else_can_be_asked_of_a_resumed_run(run: Run) -> None:
    for more in ({"epochs": 4}, {"seed": 1}, {"model": "lenet5"}, {"data": "mnist"}, {"out": "elsewhere"}):
        (option,) = more
        assert f"--{option}" in said(resume=run.path, **more)
    assert train(resume=run.path).metrics == run.metrics
    assert train("digits", SMALL, epochs=2, resume=run.path).metrics == run.metrics  # what it began with is no harm


def test_what_a_new_run_is_by_default_is_asked_of_a_resumed_one_like_anything_else(tmp_path: Path) -> None:
    asked = {"seed": 5, "test_time_augmentation": "shift", "precision": "float32", "out": tmp_path / "run"}
    run = train("digits", recipe="plain", model="dense-800", epochs=1, **asked)
    other = {"data": "mnist-5k", "recipe": "default", "seed": 0, "test_time_augmentation": "none"}
    for option, value in other.items():
        word = {"test_time_augmentation": "tta"}.get(option, option)
        assert f"and --{word} asks for something else" in said(resume=run.path, **{option: value})
    assert "--data, --recipe, --seed, --tta" in said(resume=run.path, **other)
    assert train(resume=run.path, **asked).metrics == run.metrics
    auto = precision_for("auto")
    if auto == "float32":
        assert train(resume=run.path, precision="auto").metrics == run.metrics
    else:
        assert "--precision" in said(resume=run.path, precision="auto")


def test_a_resumed_run_writes_its_checkpoints_as_often_as_is_asked_now(tmp_path: Path) -> None:
    asked = {"epochs": 2, "checkpoint_seconds": 1e6, "out": tmp_path / "run"}
    stopped = train("digits", "dense-800", listener=StopsAfter(3), **asked)
    assert "A checkpoint every -1 seconds was asked for" in said(resume=stopped.path, checkpoint_seconds=-1)
    done = train(resume=stopped.path, checkpoint_seconds=0)
    before, last = sorted(int(path.stem.partition("-")[2]) for path in done.folder.checkpoints.glob("*.json"))
    assert last - before == 1  # the last two are kept


def test_a_run_on_data_in_memory_is_resumed_with_it(tmp_path: Path) -> None:
    digits = cs.load("digits")
    data = replace(digits, name="mine")

    class Stop(Listener):
        def on_epoch(self, line: dict[str, Any]) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(data, "dense-800", epochs=2, out=tmp_path / "run", listener=Stop())
    assert "no data set 'mine'" in said(resume=tmp_path / "run")
    other = replace(data, fingerprint="other")
    assert "no longer what the run" in said(other, resume=tmp_path / "run")
    done = train(data, resume=tmp_path / "run")
    whole = train("digits", "dense-800", epochs=2, out=tmp_path / "whole")
    assert weights(done) == weights(whole)


def test_a_checkpoint_that_does_not_fit_is_told(tmp_path: Path) -> None:
    class Stop(Listener):
        def on_epoch(self, line: dict[str, Any]) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("digits", "dense-800", epochs=2, checkpoint_seconds=0, out=tmp_path / "run", listener=Stop())
    config = json.loads((tmp_path / "run" / "run.json").read_text())
    config["setting"]["model"] = SMALL
    (tmp_path / "run" / "run.json").write_text(json.dumps(config))
    assert "does not fit this version" in said(resume=tmp_path / "run")
    config["setting"]["batch_size"] = "many"
    (tmp_path / "run" / "run.json").write_text(json.dumps(config))
    assert "its run.json can't be read (batch_size" in said(resume=tmp_path / "run")


def test_a_run_without_test_pictures_has_no_test_error(tmp_path: Path) -> None:
    digits = cs.load("digits")
    none = Images(digits.test.images[:0], digits.test.labels[:0])
    run = train(replace(digits, test=none), "dense-800", epochs=1, out=tmp_path / "run")
    assert run.metrics is not None
    assert "test_error" not in run.metrics
    assert run.metrics["validation_error"] is not None
