"""The lesson commands and ``serve --lesson``, as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from convoscope.cli import run as convoscope

GOOD = "languages: [es]\ntitle: Mía\nsteps:\n  - {name: uno, heading: Uno, text: Hola, image: cross-5}\n"
COMMAND = [sys.executable, "-m", "convoscope"]


def test_shipped_lessons_are_listed_and_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert convoscope(["lesson", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["lessons"]
    assert (row["name"], row["languages"]) == ("cnn", ["en", "es"])
    assert convoscope(["lesson", "check", "cnn", "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)
    assert checked["file"].endswith("cnn.yaml")
    assert row == {key: checked[key] for key in row}
    assert convoscope(["lesson", "list", "--lang", "es"]) == 0
    assert "Redes neuronales convolucionales" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["lesson", "check"], ["serve", "--port", "0", "--lesson"]])
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (GOOD.replace("cross-5", "crss-5"), "línea 4, paso «uno», image: no existe la imagen 'crss-5'"),
        (GOOD.replace("heading", "headign"), "línea 4, paso «uno», heading: falta la entrada"),
        ("\0", "no es YAML"),
    ],
)
def test_mistakes_end_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], text: str, sentence: str
) -> None:
    (tmp_path / "it.yaml").write_text(text, "utf-8")
    assert convoscope([*command, str(tmp_path / "it.yaml"), "--lang", "es"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert len(captured.err.strip().splitlines()) == 1


def test_a_lesson_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    for asked, sentence in (("cnnn", "did you mean 'cnn'"), ("none.yaml", "can't be read")):
        assert convoscope(["lesson", "check", asked, "--lang", "en"]) == 2
        assert sentence in capsys.readouterr().err


def test_a_lesson_is_checked_and_served_by_a_process(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD, "utf-8")
    checked = subprocess.run(
        [*COMMAND, "lesson", "check", "mine.yaml", "--lang", "en"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert checked.stdout.startswith("mine: “Mía” is in order: 1 steps, 0 with a question.")
    command = [*COMMAND, "serve", "--lesson", "mine.yaml", "--port", "0", "--json", "--lang", "en"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as server:
        try:
            assert server.stdout is not None
            told = json.loads(server.stdout.readline())
            assert told["lesson"] == f"{told['address']}/?level=lesson&lesson=mine"
            assert httpx.get(told["lesson"], timeout=120).status_code == 200
            steps = httpx.get(f"{told['address']}/api/v1/lessons/mine", timeout=120).json()["steps"]
            assert [step["name"] for step in steps] == ["uno"]
        finally:
            server.terminate()
