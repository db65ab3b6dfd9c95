"""Results for the teacher, by the command line as a real process."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import convoscope as cs
from convoscope.lessons.registry import registry


def convoscope(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convoscope", *map(str, words)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"} | environment,
    )


def handed_in(folder: Path, student: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = folder / f"{len(list(folder.iterdir()))}.jsonl"
    monkeypatch.setenv("CONVOSCOPE_PROGRESS", str(file))
    monkeypatch.setenv("CONVOSCOPE_STUDENT", student)
    exercise = cs.exercise("pool-size")
    exercise.check(-1)
    exercise.check(exercise._task.answer.value)  # type: ignore[union-attr]
    return file


def test_files_of_several_students_become_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formula = '=HYPERLINK("http://evil.example","Ana")'
    files = [handed_in(tmp_path, name, monkeypatch) for name in ("Luz Ñandú", formula)]
    out = tmp_path / "class.csv"
    done = convoscope("exercises", "results", *files, files[0], "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["file"] == str(out)
    with open(out, encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {row["student"] for row in rows} == {"Luz Ñandú", f"'{formula}"}
    assert len(rows) == 2 * len(list(registry))
    (luz,) = (row for row in rows if row["student"] == "Luz Ñandú" and row["exercise"] == "pool-size")
    assert (luz["state"], luz["attempts"], luz["hints"], luz["own_numbers"]) == ("solved", "2", "0", "1")
    before = out.read_bytes()
    again = convoscope("exercises", "results", files[0], "--out", out)
    assert (again.returncode, out.read_bytes()) == (2, before)
    assert "is there already" in again.stderr


def test_what_is_no_progress_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "rubbish").write_text("x")
    for file in (tmp_path / "rubbish", tmp_path / "nowhere", tmp_path):
        done = convoscope("exercises", "results", file, "--out", tmp_path / "out.csv")
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert not (tmp_path / "out.csv").exists()


def test_the_list_and_one_exercise(tmp_path: Path) -> None:
    own = {"CONVOSCOPE_PROGRESS": str(tmp_path / "p.jsonl"), "CONVOSCOPE_STUDENT": "Ana"}
    listed = json.loads(convoscope("exercises", "--json", **own).stdout)
    assert {entry["name"] for entry in listed["exercises"]} == set(registry)
    shown = json.loads(convoscope("exercises", "show", "padding-size", "--seed", 3, "--json", **own).stdout)
    assert (shown["seed"], shown["kind"]) == (3, "number")
    assert "answer" not in shown
    assert "Relleno" in convoscope("exercises", "show", "padding-size", "--lang", "es", **own).stdout
    wrong = convoscope("exercises", "show", "paddin-size", **own)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
