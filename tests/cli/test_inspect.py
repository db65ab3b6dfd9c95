from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

import convoscope as cs
from convoscope.cli import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("runs") / "run"
    return str(cs.train("digits", "typical:blocks=2,width=8", epochs=1, out=out).path)


def test_a_table_in_the_terminal(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", folder, "--view", "feature-maps", "--image", "digits:3", "--lang", "en"]) == 0
    words = capsys.readouterr().out
    assert words.startswith("The network says ")
    assert "dead maps" in words
    assert run(["inspect", folder, "--view", "filters", "--lang", "es"]) == 0
    assert "filtros muertos" in capsys.readouterr().out


def test_json(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", folder, "--view", "feature-maps", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == folder
    assert told == {"run": folder, **cs.Run(folder).show("feature-maps").to_dict()}


def test_files(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("view.png", "view.html"):
        assert run(["inspect", folder, "--view", "filters", "--out", str(tmp_path / name), "--lang", "en"]) == 0
        assert capsys.readouterr().out == f"Saved: {tmp_path / name}\n"
    with Image.open(tmp_path / "view.png") as picture:
        assert picture.width == 1000
    assert '"level": "layers"' in (tmp_path / "view.html").read_text("utf-8")


def test_pruning_from_the_command_line(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "pruned")
    view = ["inspect", folder, "--view", "filter-health:images=50,duplicate=0.3", "--prune", out]
    assert run([*view, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["before"], told["run"]) == (folder, out)
    assert len(told["removed"]) > 0
    assert run([*view, "--lang", "es"]) == 2  # never over another run
    assert "ya contiene una ejecución" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--view", "filter"], "'filters'"),
        (["--view", "filters", "--out", "view.svg"], "view.svg"),
        (["--view", "feature-maps", "--image", "nowhere.png"], "nowhere.png"),
        (["--view", "feature-maps", "--image", "digits:99999"], "99999"),
        (["--view", "filters", "--prune", "runs/x"], "filter-health"),
        (["--view", "filter-health", "--prune", "runs/x", "--out", "view.html"], "--out"),
        (["--view", "filter-health:images=none"], "images=none"),
        ([], "--view"),
    ],
)
def test_wrong_requests_end_with_one_sentence(
    folder: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    sentences = []
    for lang in ("en", "es"):
        assert run(["inspect", folder, *arguments, "--lang", lang]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert words in captured.err
        sentences.append(captured.err.strip())
    assert sentences[0] != sentences[1]
    assert "\n" not in sentences[0]
