"""The inspection level, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from convoscope.runs.run import Run
from tests.web.conftest import Server
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
    assert page.locator("svg.chart polyline").count() == 3
    page.get_by_label("images").fill("0")
    page.get_by_role("button", name="Look").click()
    page.get_by_text("images may be: 1, 2").wait_for()


@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (360, "es")])
def test_axe_finds_nothing_and_nothing_sticks_out(open_view: Open, width: int, language: str) -> None:
    page = open_view("filter-health:images=20", f"&lang={language}", width=width)
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
