"""The network level and what the model sees, in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.web.conftest import Held, Server
from tests.web.test_bench_page import violations

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


@pytest.fixture
def open_run(open_page: Open, run_server: Server) -> Open:
    """Opens a level of the server with a run."""

    def opened(query: str, **options: Any) -> Any:
        page = open_page(query, address=run_server.address, **options)
        ready = ".bars td span" if "level=sees" in query else ".verdict:not(:empty)"
        page.wait_for_selector(ready)
        return page

    return opened


def test_unit_opens_with_its_sum(open_run: Open) -> None:
    page = open_run("level=network&sample=4")
    first = page.locator(".layers-table tbody button").first.inner_text()
    title = page.locator(".sum h3").inner_text()
    assert title.startswith(f"{first} (0, ")
    assert page.locator(".verdict").inner_text().startswith("PyTorch: same to 1e-6")
    assert "(bias)" in page.locator(".sum-line").last.inner_text()
    stage = page.locator("figure.map .stage").first
    box = stage.bounding_box()
    stage.click(position={"x": box["width"] - 4, "y": box["height"] - 4})
    page.wait_for_function("before => document.querySelector('.sum h3').textContent !== before", arg=title)
    assert "Outlined: the receptive field" in page.locator(".sum .hint").inner_text()


def test_every_layer_opens(open_run: Open) -> None:
    page = open_run("level=network")
    for button in page.locator(".layers-table tbody button").all():
        name = button.inner_text()
        button.click()
        page.wait_for_function(
            "name => document.querySelector('.sum h3').textContent.startsWith(name + ' (')", arg=name
        )
        assert page.locator(".verdict").inner_text().startswith("PyTorch: same")
        if name == "f6":
            lens = page.locator("figure.map .lens").first.bounding_box()
            assert lens["height"] < lens["width"] / 2, "a lens over 3 rows has empty ones"


def test_link_leads_to_the_unit(open_run: Open) -> None:
    page = open_run("level=network&sample=7")
    layer = page.locator(".layers-table tbody button").nth(2)
    layer.click()
    page.locator(".sum h3", has_text=f"{layer.inner_text()} (0, ").wait_for()
    page.locator(".gallery").last.get_by_role("radio").nth(2).click()
    page.locator(".sum h3", has_text=f"{layer.inner_text()} (2, ").wait_for()
    page.wait_for_url(re.compile(r"unit=2,"))
    title = page.locator(".sum h3").inner_text()
    again = open_run(page.url.partition("?")[2])
    assert again.locator(".sum h3").inner_text() == title


def test_keyboard_alone(open_run: Open) -> None:
    page = open_run("level=network&unit=0,3,3")
    before = page.locator(".sum h3").inner_text()
    page.locator(".layers-table tbody button").first.focus()
    page.keyboard.press("Enter")
    # The layer is open when its middle unit is: before that, its maps may still replace those that are there.
    page.wait_for_function("before => document.querySelector('.sum h3').textContent !== before", arg=before)
    before = page.locator(".sum h3").inner_text()
    gallery = page.locator(".gallery").last.get_by_role("radio")
    gallery.first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('.sum h3').textContent !== before", arg=before)
    assert gallery.nth(1).get_attribute("aria-checked") == "true"
    before = page.locator(".sum h3").inner_text()
    page.locator("figure.map .stage").first.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("before => document.querySelector('.sum h3').textContent !== before", arg=before)
    assert "PyTorch: same" in page.locator("[aria-live=polite]").last.inner_text()


def test_the_focus_stays_among_the_maps_when_others_come(open_run: Open) -> None:
    page = open_run("level=network")
    held = Held(page, "**/network/maps*")
    layer = page.locator(".layers-table tbody button").nth(2)
    layer.click()
    held.wait_for(1)
    page.locator(".gallery").last.get_by_role("radio").first.focus()
    held.release()
    assert layer.inner_text() in page.locator(".layer h3").inner_text()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "map 0"


def test_unit_leads_to_the_bench(open_run: Open) -> None:
    page = open_run("level=network&unit=0,5,5")
    value = page.locator(".sum h3").inner_text().partition("= ")[2]
    bias = float(
        re.search(r"\+ \(?([−0-9.e]+)\)? \(bias\)", page.locator(".sum-line").last.inner_text())[1].replace("−", "-")
    )
    page.get_by_role("button", name="Open the strongest channel").click()
    page.get_by_role("heading", name="Kernel bench").wait_for()
    page.wait_for_selector(".sum-line")
    shown = page.locator(".sum h3").inner_text()
    assert shown.startswith("Row 5, column 5:")
    total = float(shown.partition(": ")[2].replace("−", "-"))
    assert total + bias == pytest.approx(float(value.replace("−", "-")), rel=1e-3, abs=1e-4)
    page.wait_for_url(re.compile("picture=handed"))
    page.reload()
    page.get_by_text("The picture of this link is no longer here").wait_for()


@pytest.mark.parametrize(("level", "stages"), [("network", ["application", "img"]), ("sees", ["img", "img"])])
def test_pictures_that_are_only_looked_at_are_no_tab_stops(open_run: Open, level: str, stages: list[str]) -> None:
    page = open_run(f"level={level}")
    found = page.locator("figure.map .stage")
    assert found.evaluate_all("(all) => all.map((one) => one.getAttribute('role'))")[: len(stages)] == stages
    for at, role in enumerate(stages):
        assert found.nth(at).get_attribute("tabindex") == ("0" if role == "application" else None)
        assert (found.nth(at).get_attribute("aria-label") or "").strip()


def test_a_layer_that_fails_is_told_and_not_chosen(open_run: Open) -> None:
    page = open_run("level=network")
    first, title = page.locator(".layers-table tr.chosen button").inner_text(), page.locator(".layer h3").inner_text()
    page.route("**/network/maps*", lambda route: route.abort())
    page.locator(".layers-table tbody button").nth(2).click()
    page.locator(".network > .fault", has_text="server").wait_for()
    assert page.locator(".layers-table tr.chosen button").inner_text() == first
    assert page.locator(".layer h3").inner_text() == title


def test_a_late_picture_does_not_take_the_place_of_the_last_one(open_run: Open) -> None:
    page = open_run("level=network&sample=2")
    samples = page.locator(".given").get_by_role("radio")
    held = Held(page, "**/network/look*")
    for at in (3, 4):
        samples.nth(at).click()
        held.wait_for(at - 2)
    held.release(1)
    page.locator(".verdict:not(:empty)").wait_for()
    page.wait_for_url(re.compile("sample=4"))
    strip = "document.querySelector('.layers-table .strip canvas').toDataURL()"
    last = page.evaluate(strip)
    held.release()
    assert page.evaluate(strip) == last


def test_the_bench_opens_only_for_those_who_still_wait_for_it(open_run: Open) -> None:
    page = open_run("level=network&unit=0,5,5")
    held = Held(page, "**/network/look*")
    page.get_by_role("button", name="Open the strongest channel").click()
    held.wait_for(1)
    page.locator(".levels").get_by_role("link", name="What the model sees").click()
    page.wait_for_selector(".bars td span")
    held.release()
    assert "level=sees" in page.url
    assert page.get_by_role("heading", name="Kernel bench").count() == 0


@pytest.mark.parametrize("level", ["network", "sees"])
def test_a_picture_that_fails_leaves_no_verdict(open_run: Open, level: str) -> None:
    page = open_run(f"level={level}&sample=2")
    verdict = page.locator(".prediction").inner_text()
    kind = page.get_by_label("Picture", exact=True)
    kind.select_option("upload")
    page.locator("input[type=file]").set_input_files({"name": "x.txt", "mimeType": "text/plain", "buffer": b"rubbish"})
    page.get_by_text("The file is no picture that can be read").wait_for()
    assert page.locator(".prediction").inner_text() == ""
    assert page.locator(".bars:visible, .layers-table:visible").count() == 0
    kind.select_option("sample")
    page.locator(".prediction", has_text=verdict).wait_for()
    page.wait_for_url(re.compile("sample=2"))


def test_drawing_goes_to_the_prediction(open_run: Open) -> None:
    page = open_run("level=sees")
    page.get_by_label("Picture", exact=True).select_option("drawing")
    pad = page.locator(".pad canvas")
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 40, steps=4)
    page.mouse.move(box["x"] + 90, box["y"] + 150, steps=6)
    page.mouse.up()
    page.get_by_text(re.compile("Centre of mass, 28 × 28")).first.wait_for()
    assert page.locator(".steps li").count() == 5
    page.wait_for_url(re.compile(r"drawing=28\.[0-9a-f]{784}"))
    page.wait_for_timeout(1000)  # until the answer to the last stroke is there
    verdict = page.locator(".prediction").inner_text()
    again = open_run(page.url.partition("?")[2])
    again.locator(".prediction", has_text=verdict).wait_for()
    again.get_by_role("button", name="Follow it through the network").click()
    again.wait_for_selector(".verdict:not(:empty)")


def test_upload_goes_to_the_prediction(open_run: Open) -> None:
    page = open_run("level=sees")
    page.get_by_label("Picture", exact=True).select_option("upload")
    chooser = page.locator("input[type=file]")
    chooser.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"rubbish"})
    page.get_by_text("The file is no picture that can be read").wait_for()
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 60, 3), 200, np.uint8)).save(buffer, "PNG")
    chooser.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    page.get_by_text("4. Grey, 28 × 28").wait_for()
    page.get_by_label(re.compile("Dark ink on light paper")).check()
    page.get_by_text("2. Light and dark swapped").wait_for()


@pytest.mark.parametrize("level", ["network", "sees"])
@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (360, "es")])
def test_axe_finds_nothing_and_nothing_sticks_out(open_run: Open, level: str, width: int, language: str) -> None:
    page = open_run(f"level={level}&lang={language}", width=width)
    for summary in page.locator("summary:visible").all():
        summary.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("level", ["network", "sees"])
def test_without_a_run_the_page_says_how_to_get_one(open_page: Open, level: str) -> None:
    page = open_page(f"level={level}")
    page.get_by_text("convoscope train --out runs/mnist").wait_for()
    assert violations(page) == []
