"""The export command: what it prints, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import convoscope as cs
from convoscope.cli import run
from convoscope.shipping.classifier import Classifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("runs") / "run"
    return str(cs.train("digits", "typical:blocks=2,width=8", epochs=1, out=out).path)


def test_json(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "it.onnx"
    assert run(["export", folder, "--out", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(file)
    assert told["bytes"] == file.stat().st_size
    assert told["disagreements"] == 0
    assert told["checked"] == len(cs.load("digits").test)
    assert 0 < told["max_abs_difference"] < 1e-5


@pytest.mark.parametrize(("lang", "words"), [("en", "give the same class to all"), ("es", "dan la misma clase a las")])
def test_words(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str, words: str) -> None:
    assert run(["export", folder, "--out", str(tmp_path / "it.onnx"), "--lang", lang]) == 0
    printed = capsys.readouterr()
    assert words in printed.out
    assert printed.err == ""


def test_eight_bits(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", folder, "--int8", "--lang", "en"]) == 0
    printed = capsys.readouterr()
    assert "In eight bits" in printed.out
    assert printed.err == ""
    assert Classifier.read(Path(folder, "model-int8.onnx")).metadata["precision"] == "int8"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere"),
        (["RUN", "--out", "model.pt"], ".onnx"),
        (["RUN", "--out", "no/such/folder/model.onnx"], "folder"),
        (["RUN", "--out", "FOLDER.onnx"], "--overwrite"),
    ],
)
def test_wrong_requests_end_with_one_sentence(
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FOLDER.onnx").mkdir()
    given = [folder if word == "RUN" else word for word in arguments]
    for lang in ("en", "es"):
        assert run(["export", *given, "--lang", lang]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert len(captured.err.strip().splitlines()) == 1
        assert lang == "es" or words in captured.err


def test_script(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "it.py"
    assert run(["export", folder, "--script", "--out", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": folder, "file": str(file)}
    assert run(["export", folder, "--script", "--int8", "--lang", "en"]) == 2
    assert "three forms of export; --int8, --script were given" in capsys.readouterr().err
