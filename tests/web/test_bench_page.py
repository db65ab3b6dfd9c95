"""The kernel bench in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import numpy as np
import pytest
from PIL import Image

import convoscope as cs
from convoscope.web.pictures import find
from tests.web.conftest import Held, Server

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
_AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with the page. The script is put in past the page's policy, by the debugger."""
    page.evaluate(_AXE.read_text("utf-8") + "; undefined")
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in found]


def _title(page: Any) -> str:
    page.wait_for_selector(".sum-line")
    return str(page.locator(".sum h3").inner_text())


def _line(page: Any) -> str:
    return str(page.locator(".sum-line").last.inner_text())


def test_lecture_cross_is_found(open_page: Open) -> None:
    page = open_page()
    page.wait_for_selector(".sum-line")
    assert _title(page) == "Row 0, column 0: 5"
    assert _line(page) == "1×1 + 0×(−1) + 1×1 + 0×(−1) + 1×1 + 0×(−1) + 1×1 + 0×(−1) + 1×1 = 5"


def test_typing_a_kernel_changes_the_output(open_page: Open) -> None:
    page = open_page()
    cell = page.get_by_label("kernel, row 1, column 1")
    cell.fill("1/9")
    page.get_by_text("edited").wait_for(state="attached")
    assert "1×(1/9)" in _line(page)
    assert _title(page).endswith("4.111111")
    cell.fill("two")
    fault = page.locator(".kernel-figure .fault")
    fault.wait_for(state="visible")
    assert "“two” is no number" in fault.inner_text()
    assert cell.get_attribute("aria-invalid") == "true"
    cell.fill("2")
    fault.wait_for(state="hidden")
    assert _title(page).endswith(": 6")


def test_window_steps_back_and_plays(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Step", exact=True).click()
    assert _title(page) == "Row 0, column 1: −1"
    page.get_by_role("button", name="Back", exact=True).click()
    assert _title(page) == "Row 0, column 0: 5"
    page.get_by_label("Speed").fill("5")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("heading", name="Row 2, column 2: 0").wait_for()
    page.get_by_role("button", name="Play").wait_for()


def test_pointing_at_an_output_shows_its_sum(open_page: Open) -> None:
    page = open_page()
    stage = page.locator("figure.map").nth(1).locator(".stage")
    box = stage.bounding_box()
    stage.hover(position={"x": box["width"] * 0.5, "y": box["height"] * 0.5})
    assert _title(page) == "Row 1, column 1: 3"


def test_pooling_follows_the_convolution(open_page: Open) -> None:
    page = open_page("pool=max&poolSize=3&at=1,0,0,0")
    page.get_by_text("After max pooling, 1 × 1").wait_for()
    assert _line(page) == "max(5, −1, −1, −3, 3, 1, 4, −2, 0) = 5"


def test_faults_stand_beside_their_field(open_page: Open) -> None:
    page = open_page()
    for label, text, sentence in (
        ("Stride", "0", "“0” does not do"),
        ("Dilation", "3", "The window spans 7 pixels but the padded picture only 5"),
        ("Kernel size", "2.5", "“2.5” does not do; a kernel has 1 to 31"),
    ):
        field = page.locator(".field", has=page.get_by_label(label, exact=True)).first
        before = field.locator("input").input_value()
        field.locator("input").fill(text)
        place = page.locator(".fault", has_text=sentence)
        place.first.wait_for(state="visible")
        field.locator("input").fill(before)
        place.first.wait_for(state="hidden")


def test_link_leads_to_the_exact_situation(open_page: Open) -> None:
    page = open_page("picture=cross-10&kernel=1,0;0,-1&padding=1,0,2,0&stride=2,1&at=0,0,3,4")
    title, line = _title(page), _line(page)
    assert title.startswith("Row 3, column 4:")
    page.get_by_label("kernel, row 0, column 0").fill("7")
    page.wait_for_url(re.compile(r"kernel=7,0;0,-1"))
    again = open_page(page.url.partition("?")[2])
    assert _line(again) == _line(page) != line


def test_language_is_switched_and_kept(open_page: Open) -> None:
    page = open_page("picture=cross-10&stride=2")
    page.get_by_role("link", name="Español").click()
    page.get_by_role("heading", name="Banco de kernels").wait_for()
    assert page.locator("html").get_attribute("lang") == "es"
    page.get_by_text("Mapa de características, 4 × 4", exact=True).wait_for()
    assert "lang=es" in page.url
    page.go_back()
    page.get_by_role("heading", name="Kernel bench").wait_for()


def test_the_other_language_opens_in_a_new_tab(open_page: Open) -> None:
    page = open_page("picture=cross-10&look=other")
    assert page.get_by_label("How the output is coloured").input_value() == "auto"
    page.get_by_label("Stride", exact=True).first.fill("2")
    page.wait_for_url(re.compile("stride=2"))
    again = open_page(page.get_by_role("link", name="Español").get_attribute("href").removeprefix("?"))
    again.get_by_role("heading", name="Banco de kernels").wait_for()
    again.get_by_text("Mapa de características, 4 × 4", exact=True).wait_for()


def test_a_slow_picture_does_not_come_after_a_later_choice(open_page: Open) -> None:
    page = open_page()
    page.wait_for_selector(".sum-line")
    held: list[Any] = []
    page.route("**/pictures/digit-4*", lambda route: held.append(route))
    pick = page.get_by_label("Picture", exact=True)
    pick.select_option("digit-4")
    pick.select_option("drawing")
    page.get_by_text("Picture, 7 × 7").wait_for()
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    page.wait_for_timeout(500)
    assert page.get_by_text("Picture, 7 × 7").is_visible()


def test_keyboard_alone(open_page: Open) -> None:
    page = open_page()
    page.wait_for_selector(".sum-line")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        if (page.evaluate("document.activeElement.getAttribute('aria-label')") or "").startswith("Feature map"):
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert _title(page) == "Row 1, column 1: 3"
    spoken = page.locator("[aria-live=polite]").inner_text()
    assert spoken.startswith("Row 1, column 1: 1×1 + 0×(−1)")
    page.keyboard.press("End")
    assert _title(page) == "Row 1, column 2: 1"
    page.get_by_label("kernel, row 0, column 0").focus()
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "kernel, row 1, column 1"


def test_drawing_with_the_keyboard(open_page: Open) -> None:
    page = open_page("kernel=identity&padding=same")
    page.get_by_label("Picture", exact=True).select_option("drawing")
    page.get_by_label("Drawing pad").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_text("Feature map, 7 × 7").wait_for()
    page.wait_for_url(re.compile("drawing=7"))
    page.locator("figure.map summary").nth(1).click()
    row = page.locator("figure.map").nth(1).locator("tbody tr").nth(3)
    row.wait_for()
    assert row.locator("td").all_inner_texts() == ["0", "0", "0", "1", "1", "0", "0"]
    again = open_page(page.url.partition("?")[2])
    again.get_by_text("Feature map, 7 × 7").wait_for()


@pytest.mark.parametrize(
    "query", ["", "picture=flower&kernel=sobel-x&padding=same&pool=avg", "lang=es&picture=drawing"]
)
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(open_page: Open, query: str, width: int) -> None:
    page = open_page(query, width=width)
    page.wait_for_selector(".sum-line")
    for summary in page.locator("figure.map:visible summary").all():
        summary.click()
    assert violations(page) == []


@pytest.mark.parametrize(
    "query", ["", "picture=temple&kernel=unsharp&padding=same&pool=max", "picture=drawing&lang=es"]
)
def test_narrow_screens_scroll_only_downwards(open_page: Open, query: str) -> None:
    page = open_page(query, width=360, height=640)
    page.wait_for_selector(".sum-line")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_reduced_motion_is_respected(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    page.wait_for_selector(".sum-line")
    page.evaluate("""() => {
        const strokes = CanvasRenderingContext2D.prototype.strokeRect;
        window.fractions = 0;
        CanvasRenderingContext2D.prototype.strokeRect = function (x, y, w, h) {
            if (Math.abs(x - Math.round(x)) > 1e-6) window.fractions += 1;
            return strokes.call(this, x, y, w, h);
        };
    }""")
    page.get_by_role("button", name="Play").click()
    # The last place: a busy machine may skip any other, since time decides how far the window has come.
    page.get_by_role("heading", name="Row 2, column 2: 0").wait_for()
    assert page.evaluate("window.fractions") == 0


def test_uploads_are_read_and_rubbish_is_told(open_page: Open) -> None:
    page = open_page()
    chooser = page.locator("input[type=file]")
    chooser.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"rubbish"})
    page.get_by_text("The file is no picture that can be read").wait_for()
    chooser.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"0" * (11 << 20)})
    page.get_by_text("The file is larger than 10 MB").wait_for()
    buffer = io.BytesIO()
    Image.new("RGB", (9, 6), "red").save(buffer, "PNG")
    chooser.set_input_files({"name": "red.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    page.get_by_text("Picture, 3 × 6 × 9").wait_for()
    page.locator(".fault", has_text="larger").wait_for(state="hidden")


def test_gabor_takes_its_parameters(open_page: Open) -> None:
    page = open_page("picture=digit-3&kernel=gabor&padding=same")
    page.get_by_label("Angle, in degrees").fill("45")
    page.wait_for_url(re.compile("kernel=gabor:.*angle=45"))
    again = open_page(page.url.partition("?")[2])
    assert again.get_by_label("Angle, in degrees").input_value() == "45"
    again.get_by_text("Feature map, 28 × 28", exact=True).wait_for()
    assert again.locator(".fault:visible").count() == 0
    page.get_by_label("Wavelength, in pixels").fill("-1")
    page.locator(".fault:visible", has_text="wavelength").wait_for()


def test_a_late_kernel_does_not_replace_the_one_chosen_meanwhile(open_page: Open) -> None:
    page = open_page("picture=digit-3&kernel=gabor&padding=same")
    angle = page.get_by_label("Angle, in degrees")
    angle.wait_for()
    held = Held(page, "**/kernel?*")
    angle.fill("45")
    held.wait_for(1)
    page.get_by_label("Kernel", exact=True).select_option("sharpen")
    held.release()
    assert page.get_by_label("Kernel", exact=True).input_value() == "sharpen"
    assert page.get_by_label("kernel, row 1, column 1").input_value() == "5"


@pytest.mark.parametrize(
    "size", ["poolSize=99999&poolStride=100000", "poolSize=2&poolDilation=999999999&poolStride=999999999"]
)
def test_a_window_far_beyond_the_picture_is_told(open_page: Open, size: str) -> None:
    page = open_page(f"kernel=none&pool=max&ceil=1&{size}")
    page.locator(".fault:visible", has_text="pixels would be under the windows, and at most 100000000 can").wait_for()


def test_only_the_main_button_draws_and_what_is_cancelled_ends(open_page: Open) -> None:
    page = open_page("picture=drawing")
    pad = page.locator(".pad canvas")
    box = pad.bounding_box()
    pad.click(button="right", position={"x": 10, "y": 10})
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    pad.dispatch_event("pointercancel", {"bubbles": True})
    page.mouse.move(box["x"] + 160, box["y"] + 160, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile(r"drawing=7\.0+f0+(&|$)"))


def test_an_answer_of_another_server_is_told_in_the_readers_language(open_page: Open) -> None:
    page = open_page("lang=es")
    page.route("**/pictures/*", lambda route: route.fulfill(status=502, body="<html>Bad gateway</html>"))
    page.get_by_label("Imagen", exact=True).select_option("cross-10")
    page.locator(".fault:visible", has_text="No se puede leer la respuesta que llegó (estado 502)").wait_for()


def test_a_decimal_comma_is_kept_in_the_link(open_page: Open) -> None:
    page = open_page("kernel=cross")
    page.get_by_label("kernel, row 0, column 1").fill("0,5")
    page.wait_for_url(re.compile(r"kernel=1,0\.5,1;"))
    page.get_by_label("kernel, row 0, column 1").fill("1 2")
    page.wait_for_url(re.compile(r"kernel=1,12,1;"))


def test_a_kernel_computes_with_all_its_digits_and_shows_some(open_page: Open) -> None:
    page = open_page("picture=digit-8&kernel=gabor&at=0,0,12,12")
    picture = find("digit-8").pixels.astype(np.float64)
    expected = cs.kernels["gabor"].numbers
    rows, columns = expected.shape
    value = float((picture[0, 12 : 12 + rows, 12 : 12 + columns] * expected).sum())
    assert float(_title(page).partition(": ")[2].replace("−", "-")) == float(f"{value:.7g}")
    cell = page.get_by_label("kernel, row 0, column 1", exact=True)
    assert len(cell.input_value()) <= 7
    assert float(cell.get_attribute("title")) == expected[0, 1]
    cell.focus()
    assert float(cell.input_value()) == expected[0, 1]
    cell.blur()
    assert len(cell.input_value()) <= 7


def test_a_level_that_was_left_says_nothing_more(open_page: Open, run_server: Server) -> None:
    page = open_page("level=bench", address=run_server.address)
    held: list[Any] = []
    page.route("**/network/see*", lambda route: held.append(route))
    page.get_by_role("link", name="What the model sees").click()
    page.wait_for_function("() => location.search.includes('level=sees')")
    page.get_by_text("Loading", exact=False).wait_for(state="hidden")
    while not held:
        page.wait_for_timeout(50)
    page.get_by_role("link", name="Kernel bench").click()
    page.get_by_text("Picture, 5 × 5", exact=True).wait_for()
    for route in held:
        route.continue_()
    page.wait_for_timeout(800)
    assert "level=bench" in page.url
    assert "Prediction" not in page.locator("body").inner_text()


def test_link_with_a_mistake_still_shows_the_picture(open_page: Open) -> None:
    page = open_page("kernel=1,x;1,1&stride=0")
    page.get_by_text("Picture, 5 × 5", exact=True).wait_for()
    assert page.locator("figure.map:visible").count() == 1
    page.locator(".kernel-figure .fault", has_text="“x” is no number").wait_for()
    page.get_by_label("kernel, row 0, column 1", exact=True).fill("1")
    page.get_by_label("Stride", exact=True).first.fill("1")
    page.get_by_text("Feature map, 4 × 4", exact=True).wait_for()
