from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import convoscope as cs
from convoscope import Run
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.runs.comparison import compare
from convoscope.runs.folder import FORMAT, RunFolder
from convoscope.training.launch import describe_result


def change(folder: Path, **values: Any) -> None:
    config = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**config, **values}))


def refused(folder: Path) -> str:
    with using_language("en"), pytest.raises(RequestError) as caught:
        Run(folder).predict(np.zeros((8, 8), np.uint8))
    return str(caught.value)


def test_a_run_says_what_it_is(run: Run) -> None:
    assert run.classes == tuple("0123456789")
    assert run.preprocessing.input_shape == (1, 8, 8)
    assert run.config["seed"] == 0
    assert run.metrics is not None
    assert [line["epoch"] for line in run.curves] == [1, 2]
    assert not run.model.training


def test_the_folder_alone_is_enough_to_predict(copy: Path, tmp_path: Path) -> None:
    """Trained on a folder of pictures that is gone by now."""
    pictures = cs.load("digits").train
    for number, (image, label) in enumerate(zip(pictures.images[:60], pictures.labels[:60] % 2, strict=True)):
        file = tmp_path / "pictures" / f"class {label}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(file)
    folder = cs.train(tmp_path / "pictures", "dense-800", epochs=1, out=tmp_path / "run").path
    (tmp_path / "pictures").rename(tmp_path / "gone")
    moved = folder.rename(tmp_path / "elsewhere")
    predictions = Run(moved).predict(pictures.images[:3])
    assert {prediction.label for prediction in predictions} <= {"class 0", "class 1"}
    with using_language("en"), pytest.raises(RequestError, match="There is no folder"):
        Run(moved).evaluate()


@pytest.mark.parametrize(
    "shape", [(8, 8), (1, 8, 8), (3, 8, 8), (5, 1, 8, 8), (30, 17), (3, 1, 1), (2, 3, 9, 100)], ids=str
)
def test_pictures_of_any_size_and_depth_are_predicted(run: Run, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    predictions = run.predict(images)
    assert len(predictions) == (shape[0] if len(shape) == 4 else 1)
    for prediction in predictions:
        assert prediction.probabilities.sum() == pytest.approx(1)
        assert prediction.probability == prediction.probabilities.max()
        assert prediction.label == run.classes[int(prediction.probabilities.argmax())]


def test_a_list_of_pictures_of_different_sizes_is_predicted(run: Run) -> None:
    assert len(run.predict([np.zeros((8, 8), np.uint8), np.zeros((20, 30), np.uint8)])) == 2


@pytest.mark.parametrize(
    "images",
    [np.zeros((8, 8)), np.zeros(8, np.uint8), np.zeros((0, 1, 8, 8), np.uint8), np.full((8, 8), np.nan), "eight"],
    ids=["floats", "a row", "no picture", "NaN", "a word"],
)
def test_other_arrays_are_refused(run: Run, images: Any) -> None:
    with using_language("en"), pytest.raises(RequestError, match="Images must be"):
        run.predict(images)


def test_logits_are_the_models(run: Run) -> None:
    images = cs.load("digits").test.images[:20]
    scaling = run.preprocessing.scaling
    inputs = (torch.from_numpy(images).float() / 255 - scaling.mean[0]) / scaling.std[0]
    with torch.no_grad():
        torch.testing.assert_close(run.logits(images), run.model(inputs), atol=1e-4, rtol=1e-4)


def test_a_network_that_is_read_leaves_the_callers_random_numbers_as_they_are(run: Run) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert Run(run.path).model is not None
    assert torch.equal(torch.rand(3), expected)


def test_no_run(tmp_path: Path, copy: Path) -> None:
    assert "holds no run" in refused(tmp_path)
    assert "holds no run" in refused(tmp_path / "nowhere")
    assert "holds no run" in refused(copy / "run.json")


def test_missing_weights(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    assert "has lost its weights: it has no model.safetensors." in refused(copy)
    (copy / "curves.jsonl").unlink()
    assert "has lost its weights" in refused(copy)  # it has a result, so it had them
    (copy / "metrics.json").unlink()
    assert "has no weights yet: it was stopped in its first epoch" in refused(copy)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100], ids=["empty", "text", "bytes"])
def test_damaged_weights(copy: Path, content: bytes) -> None:
    (copy / "model.safetensors").write_bytes(content)
    assert "is damaged: its model.safetensors can't be read" in refused(copy)


def test_torn_weights(copy: Path) -> None:
    file = copy / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    assert "is damaged: its model.safetensors" in refused(copy)


def test_weights_that_are_no_numbers(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = {
        name: torch.full_like(tensor, float("nan")) for name, tensor in load_file(copy / "model.safetensors").items()
    }
    save_file(tensors, copy / "model.safetensors")
    assert "is damaged: its model.safetensors" in refused(copy)


def test_weights_of_another_network(copy: Path) -> None:
    change(copy, model="lenet5")
    assert "is damaged: its model.safetensors" in refused(copy)


def test_a_newer_format(copy: Path) -> None:
    change(copy, format=FORMAT + 1)
    assert f"newer Convoscope (format {FORMAT + 1}; this one reads up to {FORMAT})" in refused(copy)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "3", '{"format": "1"}', "\x00"])
def test_a_config_that_is_none(copy: Path, text: str) -> None:
    (copy / "run.json").write_text(text)
    assert "can't be read as JSON" in (said := refused(copy)) or "holds no run" in said


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"classes": "0123456789"}, "classes"),
        ({"classes": ["a"]}, "classes"),
        ({"classes": [1, 2]}, "classes.0"),
        ({"preprocessing": []}, "preprocessing"),
        ({"preprocessing": {"channels": 1, "height": 8, "width": -8, "mean": [0], "std": [1]}}, "preprocessing.width"),
        ({"preprocessing": {"channels": 1, "height": 8, "width": 8, "mean": [0], "std": [0]}}, "preprocessing.std"),
        ({"preprocessing": {"channels": 1, "height": 8, "width": 8, "mean": [0, 0], "std": [1]}}, "preprocessing"),
        ({"model": 3}, "model"),
        ({"data": None}, "data"),
        ({"environment": {"threads": "two"}}, "environment.threads"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_types_inside_the_config(copy: Path, values: dict[str, Any], place: str) -> None:
    change(copy, **values)
    assert f"is damaged: its run.json can't be read ({place}" in refused(copy)


def test_an_unknown_model_in_the_config(copy: Path) -> None:
    change(copy, model="lenet6")
    assert "did you mean 'lenet5'" in refused(copy)


UNTESTED = '"seconds": 1, "train_flops": 1, "parameters": 1, "interrupted": false'


@pytest.mark.parametrize(
    "text",
    [
        *("[]", "{}", "3", "{", "[" * 200_000),
        "{" + UNTESTED.replace("1", "NaN", 1) + "}",
        "{" + UNTESTED.replace("1", "1e999", 1) + "}",
        "{" + UNTESTED.replace("1", '"1"', 1) + "}",
        "{" + UNTESTED + ', "test_error": 0.1}',
        "{" + UNTESTED + ', "test_error": 0.1, "test_errors": 1, "test_count": 10, "interval": [0.1]}',
    ],
    ids=lambda text: text[:12] + text[-12:],
)
def test_damaged_metrics(copy: Path, text: str) -> None:
    (copy / "metrics.json").write_text(text)
    with using_language("en"), pytest.raises(RequestError, match=r"metrics\.json is damaged .* Remove it: "):
        _ = Run(copy).metrics


def test_metrics_of_a_run_without_test_pictures(copy: Path) -> None:
    (copy / "metrics.json").write_text("{" + UNTESTED + "}")
    with using_language("en"):
        assert describe_result(Run(copy)) == "Trained in 1 s; there were no test pictures."


def test_a_config_nested_beyond_reason(copy: Path) -> None:
    (copy / "run.json").write_text("[" * 200_000)
    assert "run.json is damaged: it can't be read as JSON (too deep). Put back an intact copy" in refused(copy)


@pytest.mark.parametrize("torn", ['{"epoch": 3, "train', '{"epoch": 3, "train_loss": NaN}', "[" * 200_000], ids=len)
def test_a_torn_line_of_the_curves_is_left_out(copy: Path, torn: str) -> None:
    with open(copy / "curves.jsonl", "a") as file:
        file.write(torn)
    assert [line["epoch"] for line in Run(copy).curves] == [1, 2]
    (copy / "curves.jsonl").unlink()
    assert Run(copy).curves == []


def test_evaluate_says_what_training_said(run: Run) -> None:
    metrics = run.metrics
    assert metrics is not None
    result = run.evaluate()
    for key in ("test_error", "test_errors", "test_count", "interval", "per_class", "confusion", "data"):
        assert result[key] == metrics[key], key


def test_evaluate_takes_a_named_set_and_a_folder_of_any_size(tmp_path: Path, run: Run) -> None:
    test = cs.load("digits").test
    for number, (image, label) in enumerate(zip(test.images[:150], test.labels[:150], strict=True)):
        # The pictures to train on are not asked for, but a folder with a test set has some.
        for split in ("train", "test"):
            file = tmp_path / split / run.classes[int(label)] / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[0]).resize((16, 16), Image.Resampling.NEAREST).save(file)
    assert run.evaluate("digits")["test_count"] == 360
    result = run.evaluate(tmp_path)
    assert result["test_count"] == 150
    assert result["confusion"] == run.evaluate(str(tmp_path))["confusion"]


@pytest.mark.parametrize("kind", ["large", "grey"])
def test_evaluate_takes_pictures_of_any_form_as_predict_does(tmp_path: Path, run: Run, kind: str) -> None:
    digits = cs.load("digits")
    data = digits
    if kind == "large":
        large = digits.test.images.repeat(3, axis=2).repeat(2, axis=3)
        data = replace(digits, test=replace(digits.test, images=large))
    else:
        train_rgb, test_rgb = (
            replace(part, images=part.images.repeat(3, axis=1)) for part in (digits.train, digits.test)
        )
        coloured = replace(digits, name="coloured", fingerprint="coloured", train=train_rgb, test=test_rgb)
        run = cs.train(coloured, "dense-800", epochs=1, out=tmp_path / "run")
    labels = [run.classes[label] for label in data.test.labels]
    predicted = [one.label for one in run.predict(data.test.images)]
    assert run.evaluate(data)["test_errors"] == sum(a != b for a, b in zip(predicted, labels, strict=True))
    same = compare(run, run, data)
    assert same.before == run.evaluate(data)["test_errors"]


def test_data_with_other_classes_are_refused(tmp_path: Path, run: Run) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(4):
            Image.new("L", (8, 8), 50 * number).save(tmp_path / name / f"{number}.png")
    with using_language("en"), pytest.raises(RequestError, match="has the classes cat, dog; this run was trained on 0"):
        run.evaluate(str(tmp_path))


def test_data_that_changed_since_the_training_is_refused(copy: Path) -> None:
    """Its test set may hold what was trained on."""
    change(copy, data={**json.loads((copy / "run.json").read_text())["data"], "seed": 7})
    with using_language("en"), pytest.raises(RequestError, match=r"no longer what the run .* was trained on"):
        Run(copy).evaluate()
    assert Run(copy).evaluate("digits")["test_count"] == 360


@pytest.mark.parametrize("inside", ["run.json", "notes.txt"])
def test_a_folder_that_holds_anything_is_not_taken(tmp_path: Path, inside: str) -> None:
    (tmp_path / inside).write_text("mine")
    with using_language("en"), pytest.raises(RequestError, match=r"already holds a run|is not empty"):
        RunFolder.create(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(inside, "mine")]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert RunFolder.create(tmp_path).checkpoints.is_dir()


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convoscope.runs.folder.os.access", lambda *_: False)  # root may write anywhere
    with using_language("en"), pytest.raises(RequestError, match=r"can't be written \(Permission denied\)"):
        RunFolder.create(tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["file", "file/below", "n" * 300])
def test_a_place_where_no_folder_can_be_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    with using_language("en"), pytest.raises(RequestError, match="can't be written"):
        RunFolder.create(tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"


def test_what_a_killed_process_left_is_cleared(copy: Path) -> None:
    for part in (copy / ".model.safetensors.x.part", copy / "checkpoint" / ".step.y.part"):
        part.write_text("")
    (copy / "mine.png").write_text("")
    RunFolder(copy).begin_training()
    assert not list(copy.rglob("*.part"))
    assert (copy / "model.safetensors").exists()
    assert (copy / "mine.png").exists()


def test_an_interrupted_result_does_not_stand_beside_later_weights(copy: Path) -> None:
    assert Run(copy).metrics is not None
    assert (copy / "confusion.png").exists()
    RunFolder(copy).begin_training()
    assert Run(copy).metrics is None
    assert not (copy / "confusion.png").exists()
