"""The figures in the pages are those of the records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import records
from benchmarks.tables import PAGES, TABLES, filled, render
from benchmarks.words import grouped


@pytest.mark.parametrize("language", PAGES)
def test_the_pages_say_what_the_records_say(language: str) -> None:
    for page in PAGES[language]:
        text = page.read_text("utf-8")
        assert text == filled(text, language), f"{page.name}: run python -m benchmarks.tables"


@pytest.mark.parametrize("language", PAGES)
def test_every_table_is_in_a_page(language: str) -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES[language])
    missing = [name for name in TABLES if f"<!-- table:{name} -->" not in text]
    assert not missing


def test_every_record_is_complete() -> None:
    for path in sorted(records.RESULTS.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        for record in content if isinstance(content, list) else [content]:
            assert {"name", "hardware", "versions", "commit", "command", "date"} <= record.keys(), path.name


def test_what_was_not_measured_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    assert render("accuracy", "en") == "Not measured yet.\n"
    assert render("accuracy", "es") == "Aún sin medir.\n"


def test_a_figure_is_written_as_the_language_writes_it() -> None:
    assert grouped(12345.678, "en", 2) == "12,345.68"
    assert grouped(12345.678, "es", 2) == "12\u00a0345,68"


def test_a_changed_record_changes_the_readme(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    made = records.record("convoscope train", "mnist", "python -m …", error=0.0034, error_std=0.0003, seeds=[0, 1, 2])
    records.put("train", made)
    assert "| convoscope train | mnist | 0.34 ± 0.03 % | 3 |" in filled("<!-- table:accuracy -->\n<!-- end -->", "en")
    assert "| 0,34 ± 0,03 % |" in render("accuracy", "es")
