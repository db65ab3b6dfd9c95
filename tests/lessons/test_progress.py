"""The file of progress: whose numbers, nothing lost, nothing overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.lessons import progress


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "deep" / "progress.jsonl"
    monkeypatch.setenv("CONVOSCOPE_PROGRESS", str(path))
    return path


def test_a_student_keeps_the_same_numbers_and_another_gets_others(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cs.exercise("padding-size")
    assert cs.exercise("padding-size").seed == first.seed
    monkeypatch.setenv("CONVOSCOPE_PROGRESS", str(file.with_name("other.jsonl")))
    assert cs.exercise("padding-size").seed != first.seed
    for name in ("Ana", "Luz"):
        monkeypatch.setenv("CONVOSCOPE_STUDENT", name)
        named = cs.exercise("padding-size").seed
        monkeypatch.setenv("CONVOSCOPE_PROGRESS", str(file))
        assert cs.exercise("padding-size").seed == named


def test_the_list_writes_nothing(file: Path) -> None:
    assert cs.exercises().solved == 0
    assert not file.exists()


def test_the_way_is_counted_until_it_is_solved(file: Path) -> None:
    exercise = cs.exercise("pool-size")
    exercise.hint()
    for answer in ("many", -1, -2, exercise._task.answer.value, -3):  # type: ignore[union-attr]
        exercise.check(answer)
    exercise.explain()
    state = progress.state(progress.done(), "pool-size")
    assert (state.name, state.attempts, state.hints, state.explained, state.own) == ("solved", 3, 1, False, True)
    (entry,) = (entry for entry in cs.exercises("en") if entry.name == "pool-size")
    assert entry.state == state
    assert "solved" in str(cs.exercises("en"))


def test_a_damaged_file_is_set_aside_and_what_can_be_read_goes_on(file: Path) -> None:
    exercise = cs.exercise("pool-size")
    exercise.check(-1)
    content = file.read_bytes() + b'{"id": "torn\n'
    file.write_bytes(content)
    with using_language("en"), pytest.warns(UserWarning, match="was damaged. It was set aside as"):
        assert cs.exercise("pool-size").seed == exercise.seed
    assert file.with_name("progress.jsonl.damaged-1").read_bytes() == content
    assert progress.state(progress.done(), "pool-size").attempts == 1
    file.write_bytes(b"\xff\xfe rubbish")
    with pytest.warns(UserWarning, match="damaged-2"):
        cs.exercise("pool-size").check(-1)
    assert file.with_name("progress.jsonl.damaged-1").read_bytes() == content


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no-folder").write_text("")
    monkeypatch.setenv("CONVOSCOPE_PROGRESS", str(tmp_path / "no-folder" / "p.jsonl"))
    with using_language("en"), pytest.raises(RequestError, match="CONVOSCOPE_PROGRESS"):
        cs.exercise("pool-size")


def test_two_processes_lose_nothing(file: Path) -> None:
    cs.exercise("pool-size")
    code = "import convoscope as cs\nfor _ in range(40): cs.exercise('pool-size').check(-1)"
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    assert progress.state(progress.done(), "pool-size").attempts == 80


def test_bad_requests() -> None:
    with using_language("en"):
        with pytest.raises(RequestError, match="did you mean 'padding-size'"):
            cs.exercise("paddin-size")
        for seed in (-1, 2**32, 1.5, True):
            with pytest.raises(RequestError, match="is no seed"):
                cs.exercise("pool-size", seed=seed)  # type: ignore[arg-type]
        with pytest.raises(RequestError, match="no language 'fr'"):
            cs.exercise("pool-size", lang="fr")
        with pytest.raises(RequestError, match="no hint 3"):
            cs.exercise("pool-size").hint(3)
