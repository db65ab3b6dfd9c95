"""The classifier's level in a real browser: draw, choose files, in both languages, without a run."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convoscope.shipping.classifier import Classifier
from convoscope.web.app import create_app
from convoscope.web.guard import LOOPBACK
from convoscope.web.straight import straight
from tests.web.conftest import Server, serve
from tests.web.test_bench_page import violations

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def shipped_server(classifier: Classifier) -> Iterator[Server]:
    app = create_app(classifier=classifier, language="en")
    yield from serve(app, straight(app, "en", LOOPBACK))


@pytest.fixture
def open_classify(open_page: Open, shipped_server: Server) -> Open:
    def opened(query: str = "", **options: Any) -> Any:
        page = open_page(f"level=classify{query}", address=shipped_server.address, **options)
        page.wait_for_selector(".bars td span")
        return page

    return opened


def draw_a_seven(page: Any) -> None:
    box = page.locator(".pad canvas").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 40, steps=5)
    page.mouse.move(box["x"] + 100, box["y"] + 200, steps=8)
    page.mouse.up()


def test_a_drawing_is_classified_and_kept_in_the_link(open_classify: Open) -> None:
    page = open_classify()
    before = page.locator(".prediction").inner_text()
    draw_a_seven(page)
    page.wait_for_function("before => document.querySelector('.prediction').textContent !== before", arg=before)
    page.wait_for_url(re.compile(r"drawing=28\.[0-9a-f]{784}"))
    page.wait_for_timeout(1000)  # until the answer to the last stroke is there
    verdict = page.locator(".prediction").inner_text()
    assert page.locator(".bars tbody tr").count() == 10
    again = open_classify("&" + page.url.partition("level=classify&")[2])
    again.locator(".prediction", has_text=verdict).wait_for()


def test_files_are_classified_one_by_one(open_classify: Open) -> None:
    page = open_classify()
    page.get_by_label("Picture", exact=True).select_option("upload")
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 60, 3), 200, np.uint8)).save(buffer, "PNG")
    good = {"name": "good.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    page.locator("input[type=file]").set_input_files(
        [good, {"name": "bad.png", "mimeType": "image/png", "buffer": b"rubbish"}, {**good, "name": "same"}]
    )
    page.get_by_text("Pictures classified: 3.").wait_for()
    cells = [row.inner_text().split("\t") for row in page.locator(".files tbody tr").all()]
    assert [row[0] for row in cells] == ["good.png", "bad.png", "same"]
    assert cells[0][1:] == cells[2][1:]
    assert "no picture that can be read" in cells[1][1]


def test_files_may_be_dropped_anywhere_on_the_page(open_classify: Open) -> None:
    page = open_classify()
    buffer = io.BytesIO()
    Image.fromarray(np.full((28, 28), 200, np.uint8)).save(buffer, "PNG")
    page.evaluate(
        """bytes => {
            const files = new DataTransfer();
            for (const name of ["one.png", "two.png"]) files.items.add(new File([new Uint8Array(bytes)], name));
            const over = new DragEvent("dragover", { dataTransfer: files, bubbles: true, cancelable: true });
            document.body.dispatchEvent(over);
            if (!over.defaultPrevented) throw new Error("the browser would open the file");
            const drop = new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
            document.body.dispatchEvent(drop);
        }""",
        list(buffer.getvalue()),
    )
    page.get_by_text("Pictures classified: 2.").wait_for()
    assert [row.inner_text().split("\t")[0] for row in page.locator(".files tbody tr").all()] == ["one.png", "two.png"]


@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (360, "es")])
def test_axe_finds_nothing_and_nothing_sticks_out(open_classify: Open, width: int, language: str) -> None:
    page = open_classify(f"&lang={language}", width=width)
    draw_a_seven(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("select").first.select_option("upload")
    assert violations(page) == []


def test_without_a_classifier_the_page_says_how_to_get_one(open_page: Open) -> None:
    page = open_page("level=classify")
    page.get_by_text("convoscope train --out runs/mnist").wait_for()
    assert violations(page) == []
