from __future__ import annotations

import json
from pathlib import Path

import pytest

from convoscope.cli import run


def test_the_table_in_words_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["league", "--data", "digits", "--row", "lda-pairwise", "--row", "knn", "--out", str(tmp_path / "league")]
    assert run([*words, "--lang", "en"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].startswith("digits: 1,437 training pictures, 360 test pictures")
    assert "published (MNIST)" in lines[2]
    assert lines[3].startswith("lda-pairwise")
    assert " 7.60% " in lines[3]
    assert lines[4].startswith("knn")
    assert len(lines) == 5
    assert "1 of 2: lda-pairwise, seed 0" in printed.err

    assert run([*words, "--json", "--compare", "knn", "lda-pairwise", "--lang", "es"]) == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert "de 2" not in printed.err, "nothing is measured twice"
    assert [row["id"] for row in answer["rows"]] == ["lda-pairwise", "knn"]
    for row in answer["rows"]:
        assert {"name", "published_error", "error", "error_std", "seeds", "seconds", "status"} <= row.keys()
        assert 0 < row["error"] < 0.1
        assert row["published_here"] is False  # on MNIST, and these are other digits
    assert answer["comparison"]["first"] == "knn"
    assert 0 < answer["comparison"]["p"] <= 1
    assert answer["out"] == str(tmp_path / "league")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--row", "knnn"], "did you mean 'knn'"),
        (["--data", "mnisst"], "did you mean 'mnist"),
        (["--seeds", "0"], "choose 1 to 100"),
        (["--seeds", "many"], "--seeds takes a whole number"),
        (["--size", "4"], "choose 8 to 1024"),
        (["--size", "1025"], "choose 8 to 1024"),
        (["--out", "x" * 300], "can't be written (File name too long)"),
        (["--compare", "knn", "nothing"], "There is no row of the league 'nothing'"),
        (["--row", ""], "empty"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    out = tmp_path / "league"
    assert run(["league", "--out", str(out), *words, "--lang", "en"]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert len(printed.err.strip().splitlines()) == 1
    assert not (out / "league.json").exists()
