"""The inspection level, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convoscope.runs.run import Run
from tests.web.conftest import Held, Server
from tests.web.test_bench_page import violations
from tests.web.test_report import _AXE, _opened

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


@pytest.fixture
def open_view(open_page: Open, run_server: Server) -> Open:
    """Opens a view of the server's run."""

    def opened(view: str, query: str = "", **options: Any) -> Any:
        page = open_page(f"level=inspect&view={view}{query}", address=run_server.address, **options)
        page.wait_for_selector(".sheet")
        return page

    return opened


def test_filter_health_is_shown(open_view: Open) -> None:
    page = open_view("filter-health:images=20")
    assert page.get_by_label("images").input_value() == "20"
    assert page.locator(".sheet-table").first.locator("tbody tr").count() == 3
    assert page.locator("svg.sheet-chart polyline").count() == 3
    page.get_by_label("images").fill("0")
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_text("images may be: 1, 2").wait_for()


def test_epochs_are_whole_on_a_chart(open_view: Open) -> None:
    page = open_view("curves")
    ticks = page.locator("svg.sheet-chart").first.locator("text[text-anchor=middle]").all_text_contents()
    assert ticks == ["1", "epoch"]


def test_a_cell_opens_its_pictures_and_labels_are_corrected(
    open_view: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path))
    page = open_view("errors:labels=features,judged=1000")
    cell = page.locator(".grid button").first
    count = int(cell.inner_text())
    cell.focus()
    page.keyboard.press("Enter")
    assert page.locator(".opened .shots li").count() == min(count, 24)
    choice = page.locator(".shots select").first
    choice.select_option("leave out")
    page.get_by_text("Corrections: 1; not saved yet: 1.").wait_for()
    curves = page.get_by_role("button", name="Learning curves")
    curves.click()
    page.locator(".sheet h2", has_text="Learning curves").wait_for()
    assert curves.evaluate("button => button === document.activeElement && button.ariaPressed === 'true'")
    page.go_back()
    page.get_by_text("Corrections: 1; not saved yet: 1.").wait_for()
    assert page.evaluate("document.activeElement.id") == "content"
    assert (
        page.locator(".shots select").first.evaluate("choice => choice.selectedOptions[0].textContent") == "leave out"
    )
    page.get_by_role("button", name="Save corrections").click()
    page.get_by_text("Train again and compare").wait_for()
    assert list(tmp_path.rglob("*-labels.csv"))


def test_a_label_chosen_while_others_are_saved_is_saved_next(
    open_view: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path))
    page = open_view("errors:labels=features,judged=1000")
    choices, save = page.locator(".shots select"), page.get_by_role("button", name="Save corrections")
    choices.nth(0).select_option("leave out")
    held = Held(page, "**/inspect/labels*")
    save.click()
    held.wait_for(1)
    choices.nth(1).select_option("leave out")
    assert save.is_disabled()
    held.release()
    page.get_by_text("Corrections: 2; not saved yet: 1.").wait_for()
    save.click()
    held.wait_for(1)
    held.release()
    page.get_by_text("Corrections: 2; not saved yet: 0.").wait_for()
    (file,) = tmp_path.rglob("*-labels.csv")
    assert len(file.read_text("utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("view", "width", "language"),
    [
        ("filter-health:images=20", 1280, "en"),
        ("errors:labels=features,judged=500", 360, "es"),
        ("errors:labels=features,judged=500", 1280, "en"),
        ("probes:images=200", 360, "es"),
        ("translation:reach=9", 1280, "en"),
        ("saliency", 360, "en"),
        ("curves", 1280, "es"),
        ("activation-maximisation:steps=5", 360, "es"),
    ],
)
def test_axe_finds_nothing_and_nothing_sticks_out(open_view: Open, view: str, width: int, language: str) -> None:
    page = open_view(view, f"&lang={language}", width=width)
    for summary in page.locator("summary:visible").all():
        summary.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_sheet_works_from_disk(browser: Any, run: Run, tmp_path: Path) -> None:
    page = _opened(browser, run.show("filter-health:images=20").save(tmp_path / "view.html"), ".sheet")
    assert page.get_by_role("heading", name="Filter health").is_visible()
    page.get_by_role("button", name="Español").click()
    assert page.get_by_role("heading", name="Salud de los filtros").is_visible()
    page.evaluate(_AXE.read_text("utf-8") + "; undefined")
    assert page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"] == []
    page.close()
