from __future__ import annotations

import json

import pytest
import typer
from safetensors.torch import save_file
from typer.testing import CliRunner

from convoscope import models
from convoscope.cli.summary import register
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.runs.folder import RunFolder


def run_command(*arguments: str) -> str:
    """What the command prints; its errors are raised."""
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    result = CliRunner().invoke(app, ["summary", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run's folder with a small net for 3 x 16 x 20 pictures and 3 classes."""
    monkeypatch.chdir(tmp_path)
    folder = RunFolder.create(tmp_path / "my-run")
    folder.write_config(
        {
            "classes": ["a", "b", "c"],
            "model": "typical:blocks=2,width=4",
            "preprocessing": {"channels": 3, "height": 16, "width": 20, "mean": [0.0] * 3, "std": [1.0] * 3},
            "id": "1",
            "data": {"name": "pictures", "data_dir": None, "size": None, "seed": 0, "fingerprint": ""},
            "setting": {},
            "epochs": 1,
            "seed": 0,
            "devices": 1,
            "test_time_augmentation": "none",
            "checkpoint_seconds": 20.0,
            "environment": {"threads": 1},
        }
    )
    save_file(models.build("typical:blocks=2,width=4", (3, 16, 20), 3).state_dict(), folder.weights_file)
    return folder.path


def test_table_of_a_model():
    with using_language("en"):
        lines = run_command("lenet5").splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "MACs", "memory", "receptive", "field"]
    assert lines[-2].split()[:3] == ["total", "61,706", "416,520"]


def test_table_in_spanish():
    with using_language("es"):
        assert "campo receptivo" in run_command("lenet5")


def test_json_is_one_object():
    told = json.loads(run_command("typical:blocks=2,width=8", "--input", "3x32x32", "--classes", "5", "--json"))
    assert told == models.summary("typical:blocks=2,width=8", (3, 32, 32), classes=5).to_dict()


@pytest.mark.parametrize("written", ["3×16X20", " 3 x 16 x 20"])
def test_input_as_people_write_it(written):
    told = json.loads(run_command("lenet5", "--input", written, "--json"))
    assert told["layers"][0]["output_shape"] == [6, 28, 28]


@pytest.mark.parametrize("written", ["28", "28x28", "1x28x", "axbxc", "0x28x28", "1x-2x3", "1x2.5x3", ""])
def test_input_that_is_no_picture(written):
    with pytest.raises(RequestError, match="1x28x28"):
        run_command("lenet5", "--input", written)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--input", "1x30000x30000"], "larger than any picture that is read"),
        (["--input", "1x99999999x99999999"], "larger than any picture that is read"),
        (["--input", "99999999x28x28"], "larger than any picture that is read"),
        (["--input", f"1x28x{'9' * 5000}"], "1x28x28"),
        (["--classes", "99999999999999999999"], "give at most 1000000"),
    ],
)
def test_sizes_beyond_reason_are_refused(arguments, words):
    with using_language("en"), pytest.raises(RequestError, match=words):
        run_command("lenet5", *arguments)


def test_a_kernel_as_large_as_the_picture_takes_no_memory():
    """Its 67 GB would not be had here."""
    told = json.loads(run_command("lenet5", "--input", "1x9000x9000", "--json"))
    assert told["layers"][6]["output_shape"] == [120, 1, 1]
    assert told["parameters"] > 9e9


def test_run_is_told_with_its_own_shape_and_classes(run):
    told = json.loads(run_command("my-run", "--json"))
    assert told == models.summary("typical:blocks=2,width=4", (3, 16, 20), classes=3).to_dict()
    assert json.loads(run_command("./my-run", "--json")) == told


def test_run_with_another_input_names_the_layer(run):
    with pytest.raises(RequestError, match="layer fc gets"):
        run_command("my-run", "--input", "3x32x32")


def test_run_has_classes_of_its_own(run):
    with pytest.raises(RequestError, match="3 classes of its own; --classes 4"):
        run_command("my-run", "--classes", "4")


def test_model_name_wins_over_a_folder_of_that_name(run):
    (run.parent / "lenet5").mkdir()
    assert json.loads(run_command("lenet5", "--json"))["parameters"] == 61_706
    with pytest.raises(RequestError, match="holds no run"):
        run_command("./lenet5")


def test_neither_model_nor_run():
    with pytest.raises(RequestError, match="did you mean 'lenet5'"):
        run_command("lenet")
    with pytest.raises(RequestError, match="holds no run"):
        run_command("runs/nothing-here")
