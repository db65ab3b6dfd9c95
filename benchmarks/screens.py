"""The page as it is seen, in headless Chromium, over a real run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

import convoscope as cs
from benchmarks.page import ARGUMENTS, CHROMIUM, serve
from convoscope.runs import Run
from convoscope.shipping.export import classifier_of
from convoscope.web.app import create_app


def bench(run: Run, language: str) -> bytes:
    """The kernel bench over a small cross, and the kernel that finds it."""
    query = "level=bench&picture=cross-5&kernel=cross&at=0,0,0,0"
    with opened(run, language, query, ".sum-line:not(:empty)") as page:
        return page.screenshot()


def network(run: Run, language: str) -> bytes:
    """A unit of the second convolution, with the sum that made it."""
    with opened(run, language, "level=network&layer=conv2&unit=3,6,6", ".verdict:not(:empty)", (1120, 1000)) as page:
        page.evaluate("document.querySelector('.unit, .sum').scrollIntoView({ block: 'end' })")
        page.wait_for_timeout(300)
        return page.screenshot()


def classify(run: Run, language: str) -> bytes:
    """A drawn digit, and the probability of each class."""
    data = cs.load("mnist-5k").test
    digit = next(image[0] for image, label in zip(data.images, data.labels, strict=True) if label == 5)
    drawing = "".join(f"{round(value / 17):x}" for value in np.asarray(digit).flat)
    with opened(run, language, f"level=classify&drawing={len(digit)}.{drawing}", ".bars td span", (720, 930)) as page:
        return page.screenshot()


@contextmanager
def opened(run: Run, language: str, query: str, ready: str, size: tuple[int, int] = (1120, 900)) -> Iterator[Any]:
    """The page at `query`, once it has come to rest."""
    address = serve(create_app(run, classifier=classifier_of(run, threads=1), language=language))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/?lang={language}&{query}")
        page.wait_for_selector(ready)
        page.wait_for_timeout(500)
        yield page
        browser.close()
