"""What a record says of where it comes from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks import records


def test_what_measurements_write_does_not_mark_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    results, code, page = (tmp_path / name for name in ("benchmarks/results/a.json", "convoscope/a.py", "README.md"))
    for path in (results, code, page):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    git("init", "--quiet")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "all")
    monkeypatch.setattr(records, "RESULTS", results.parent)
    results.write_text("[]")
    (results.parent / "b.json").write_text("[]")
    page.write_text("a table")
    assert records.commit() == git("rev-parse", "HEAD")
    code.write_text("changed = True")
    assert records.commit() == git("rev-parse", "HEAD") + "-dirty"
