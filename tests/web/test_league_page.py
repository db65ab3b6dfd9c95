"""The league as one file, opened from disk: the table, the chart, what was missed, McNemar's test."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from PIL import Image

from convoscope.core.messages import using_language
from convoscope.league import League, Request, run_league
from convoscope.league.drawing import draw_league
from convoscope.web.league_document import league_document, write_league_page

_AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
ROWS = ("lda-pairwise", "decision-tree", "knn")


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> League:
    """Three rows on real digits, of which a row that needs three pictures was not asked for."""
    request = Request("digits", rows=ROWS, quick=True, out=tmp_path_factory.mktemp("league") / "digits")
    with using_language("en"):
        return run_league(request)


@pytest.fixture
def page(browser: Any, league: League, tmp_path: Path) -> Any:
    """The page, from disk; a fault in its scripts, or a request for anything else, fails the test."""
    with using_language("en"):
        path = write_league_page(league, tmp_path / "league.html")
    faults: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: None if request.url == path.as_uri() else faults.append(request.url))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    page.wait_for_selector(".league-table")
    yield page
    assert faults == []
    page.close()


def test_the_document_holds_what_python_measured(league: League) -> None:
    document = json.loads(json.dumps(league_document(league)))
    rows = {row["id"]: row for row in document["rows"]}
    for name in ROWS:
        missed = [number for number, _ in rows[name]["missed"]]
        assert missed == league.missed(name).nonzero()[0].tolist()
        assert len(missed) == round(rows[name]["error"] * document["data"]["test"])
        assert set(missed) <= set(document["pictures"]["numbers"])
    assert rows["virtual-svm"]["status"] == "not reproduced yet"
    assert len(document["pairs"]) == len(ROWS) * (len(ROWS) - 1)
    found = league.compare("knn", "decision-tree")
    assert document["pairs"]["knn decision-tree"] == [
        found.only_first, found.only_second, found.both, found.p,
    ]  # fmt: skip


@pytest.mark.browser
def test_a_row_shows_which_digits_it_got_wrong(page: Any, league: League) -> None:
    page.get_by_role("button", name="decision tree", exact=True).click()
    wrong = int(league.missed("decision-tree").sum())
    missed = page.locator("section.missed").first
    assert missed.get_by_role("heading", name="decision tree").is_visible()
    assert f"{wrong} of 360 wrong" in missed.inner_text()
    digits = missed.locator(".digits li")
    assert digits.count() == min(wrong, 120)
    number, said = league.missed("decision-tree").nonzero()[0][0], league.outcomes["decision-tree"].predictions[0]
    truth = league.data.test.labels[number] if league.data else None
    assert digits.first.get_attribute("title") == f"Test picture {number}: {truth}, taken for {said[number]}"
    assert page.locator("tr.chosen").count() == 1
    assert page.locator(".league-chart .chosen text").text_content() == "decision-tree"


@pytest.mark.browser
def test_two_rows_are_compared(page: Any, league: League) -> None:
    page.get_by_label("One row").select_option("knn")
    page.get_by_label("Another row").select_option("decision-tree")
    found = league.compare("knn", "decision-tree")
    words = page.locator(".compare [role=status]").inner_text()
    one, other = (league.outcomes[name].row.names["en"] for name in ("knn", "decision-tree"))
    assert words.startswith(f"Only {one} got {found.only_first} wrong, only {other} {found.only_second}")
    assert "p < 0.0001" in words
    page.get_by_label("Another row").select_option("knn")
    assert page.get_by_text("Choose two different rows.").is_visible()


@pytest.mark.browser
def test_it_works_by_keyboard_in_both_languages_and_for_all(page: Any) -> None:
    head = page.get_by_role("button", name="ours", exact=True)
    head.focus()
    page.keyboard.press("Enter")
    texts = page.locator("tbody tr td:nth-child(3).number").all_inner_texts()
    errors = [float(text.replace("%", " ").split()[0]) for text in texts]
    assert errors == sorted(errors)
    assert page.locator("th[aria-sort=ascending]").inner_text() == "ours"
    page.get_by_role("radio", name="size").check()
    assert "size" in page.locator(".league-chart").get_attribute("aria-label")
    page.get_by_role("button", name="k-nearest neighbours", exact=True).focus()
    page.keyboard.press("Space")
    assert page.locator("tr.chosen").inner_text().startswith("k-nearest neighbours")
    page.get_by_role("button", name="Español").click()
    assert page.get_by_text("¿Mejor o con más suerte?").is_visible()
    assert page.get_by_text("aún no reproducido").first.is_visible()
    page.evaluate(_AXE.read_text("utf-8") + "; undefined")
    assert page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"] == []


@pytest.mark.browser
def test_it_fits_a_narrow_screen(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_folder_whose_name_is_no_text_has_page_and_picture(league: League, tmp_path: Path) -> None:
    assert league.data is not None
    name = os.fsdecode(b"ni\xf1os")
    command = f"convoscope league --data {name}"
    named = replace(league, command=command, data=replace(league.data, name=name))
    page = write_league_page(named, tmp_path / "league.html").read_text("utf-8")
    given = json.loads(page.partition('id="given">')[2].partition("</script>")[0])
    assert (given["data"]["name"], given["command"]) == (name, command)
    draw_league(tmp_path / "league.png", named.table())
    assert (tmp_path / "league.png").stat().st_size > 0


def test_the_picture_is_one(league: League, tmp_path: Path) -> None:
    draw_league(tmp_path / "league.png", league.table())
    with Image.open(tmp_path / "league.png") as picture:
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20
