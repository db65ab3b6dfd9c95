"""A convolution as one file, opened from disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import axe_playwright_python
import numpy as np
import pytest

import convoscope as cs
from convoscope import Run
from convoscope.core.errors import RequestError
from convoscope.inspection import Shown
from convoscope.web.document import trace_document
from convoscope.web.report import convolution_page

_AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
IMAGE = [[1, 0, 1, 1, 0], [0, 1, 0, 0, 1], [1, 0, 1, 1, 0], [1, 1, 0, 1, 1], [1, 0, 1, 1, 0]]


def _opened(browser: Any, path: Path, waiting_for: str = ".sum-line") -> Any:
    page = browser.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri())
    page.wait_for_selector(waiting_for)
    assert asked == [path.as_uri()]
    assert faults == []
    return page


@pytest.mark.browser
def test_report_works_from_disk(browser: Any, tmp_path: Path) -> None:
    trace = cs.convolve(IMAGE, cs.kernels["cross"])
    page = _opened(browser, convolution_page([trace, cs.pool(trace.output, "max", 3)], tmp_path / "page.html"))
    assert page.locator(".sum-line").inner_text().endswith("= 5")
    page.get_by_role("button", name="Step", exact=True).click()
    assert page.locator(".sum h3").inner_text() == "Row 0, column 1: −1"
    page.get_by_role("button", name="Español").click()
    assert page.get_by_text("Mapa de características, 3 × 3", exact=True).is_visible()
    assert page.get_by_text("Tras el agrupamiento máximo, 1 × 1", exact=True).is_visible()
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("case", ["filters", "same", "floats", "pool", "grouped"])
def test_report_shows_pythons_numbers(browser: Any, tmp_path: Path, case: str) -> None:
    numbers = np.random.default_rng(3)
    colour = numbers.integers(0, 256, (3, 9, 8))
    traces = {
        "filters": lambda: cs.convolve(colour, numbers.integers(-3, 4, (4, 3, 3, 3)), bias=[1, -2, 3, 4], padding=1),
        "same": lambda: cs.convolve(colour, cs.kernels["sobel-x"], padding="same", stride=2, dilation=2),
        "floats": lambda: cs.convolve(numbers.normal(size=(7, 7)), numbers.normal(size=(2, 4))),
        "pool": lambda: cs.pool(colour, "avg", (2, 3), stride=2, padding=1, ceil_mode=True, count_include_pad=True),
        "grouped": lambda: cs.convolve(numbers.normal(size=(4, 6, 6)), numbers.normal(size=(8, 2, 3, 3)), groups=2),
    }
    trace = traces[case]()
    page = _opened(browser, convolution_page(trace, tmp_path / "page.html"))
    figure = page.locator("figure.map:visible").last
    figure.locator("summary").click()
    figure.locator("td:not(:empty)").first.wait_for()
    cells = [float(text.replace("−", "-")) for text in figure.locator("td:not(:empty)").all_inner_texts()]
    shown = np.array(cells).reshape(trace.maps[0].shape)
    np.testing.assert_allclose(shown, trace.maps[0], rtol=1e-3)
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("case", ["short", "long", "channels", "whole channels", "max", "avg", "all"])
def test_report_rounds_where_python_does(browser: Any, tmp_path: Path, case: str, kind: Any) -> None:
    numbers = np.random.default_rng(5)
    short = np.array([[0.1, 0.3], [0.7, 0.2]], kind)
    long = numbers.normal(size=(2, 3, 3)).astype(kind)
    traces = {
        "short": lambda: cs.convolve(short, [[2]]),
        "long": lambda: cs.convolve(long[0], long[1]),
        "channels": lambda: cs.convolve(long, long[None], bias=[0.5]),
        "whole channels": lambda: cs.convolve(np.rint(4 * long), np.rint(4 * long)[None], bias=[0.5]),
        "max": lambda: cs.pool(short, "max", 2),
        "avg": lambda: cs.pool(short, "avg", (1, 2)),
        "all": lambda: cs.pool(long, "avg", 3),
    }
    trace = traces[case]()
    page = _opened(browser, convolution_page(trace, tmp_path / "page.html"))
    lines = page.locator(".sum-line").all_inner_texts()
    signs = re.findall(r"[=≈] [-0-9.e]+", "\n".join(lines).replace("−", "-"))
    assert signs == re.findall(r"[=≈] [-0-9.e]+", str(trace.at(0, 0)))
    page.close()


@pytest.mark.browser
def test_view_of_a_run_works_from_disk(browser: Any, run: Run, tmp_path: Path) -> None:
    shown = run.show("feature-maps")
    assert isinstance(shown, Shown)
    page = _opened(browser, shown.save(tmp_path / "view.html"), ".layers-table")
    value = page.locator("p[role=status]")
    first = shown.panels[0]
    number = first.values[0, 14, 14]
    assert value.inner_text().startswith("c1 (0, 14, 14) = ")
    assert float(value.inner_text().split("= ")[1].replace("−", "-")) == pytest.approx(number, rel=1e-6)
    page.get_by_role("radio", name="map 3").click()
    page.locator("figure.map .stage").first.press("ArrowDown")
    assert float(value.inner_text().split("= ")[1].replace("−", "-")) == pytest.approx(
        first.values[3, 15, 14], rel=1e-6
    )
    page.get_by_role("button", name="output", exact=True).click()
    last = shown.panels[-1].values
    assert value.inner_text().startswith("output (5) = ")
    assert float(value.inner_text().split("= ")[1].replace("−", "-")) == pytest.approx(last[5], rel=1e-6)
    assert page.get_by_text(f"convoscope serve {run.path}").is_visible()
    page.get_by_role("button", name="Español").click()
    assert page.get_by_text("Elija una capa").is_visible()
    page.evaluate(_AXE.read_text("utf-8") + "; undefined")
    assert page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"] == []
    page.close()


@pytest.mark.browser
def test_filters_of_a_run_work_from_disk(browser: Any, run: Run, tmp_path: Path) -> None:
    page = _opened(browser, run.show("filters").save(tmp_path / "view.html"), ".layers-table")
    assert page.get_by_role("img", name="Filters: 6 with 1 channels of 5 × 5").is_visible()
    page.get_by_role("button", name="c3", exact=True).click()
    assert page.get_by_role("img", name="Filters: 16 with 6 channels of 5 × 5").is_visible()
    page.get_by_role("button", name="s2", exact=True).click()
    assert page.get_by_text("This layer has no filters.").is_visible()
    page.close()


def test_report_is_the_same_each_time(tmp_path: Path) -> None:
    trace = cs.convolve(IMAGE, [[1, 2]])
    first, second = (convolution_page(trace, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_reports_are_told_apart_by_their_title(tmp_path: Path) -> None:
    page = convolution_page(cs.convolve(IMAGE, cs.kernels["cross"]), tmp_path / "page.html").read_text("utf-8")
    assert "<title>Kernel bench – Convoscope</title>" in page


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_kernel_of_fractions_has_one_denominator(kind: type[np.floating[Any]]) -> None:
    kernel = cs.kernels["gaussian-5"].numbers.astype(kind)
    setting = trace_document(cs.convolve(np.ones((7, 7), kind), kernel))["setting"]
    assert setting["kernel"]["cells"] == [cell for row in cs.kernels["gaussian-5"].cells for cell in row]


def test_texts_cannot_leave_their_element(tmp_path: Path) -> None:
    page = convolution_page(cs.convolve(IMAGE, [[1]]), tmp_path / "page.html").read_text("utf-8")
    given = page.partition('id="given">')[2].partition("</script>")[0]
    assert "<" not in given


def test_unwritable_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="can't be written"):
        convolution_page(cs.convolve(IMAGE, [[1]]), tmp_path / "missing" / "page.html")
