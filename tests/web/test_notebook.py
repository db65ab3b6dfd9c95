"""Traces that show themselves in a notebook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import convoscope as cs
from convoscope.web.notebook import widget

IMAGE = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_trace_shows_as_widget_drawing_and_text() -> None:
    shown = cs.convolve(IMAGE, cs.kernels["cross"], padding=1)._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(shown)
    assert "<script" not in shown["text/html"]
    assert ">5<" in shown["text/html"]


def test_large_trace_goes_without_the_widget() -> None:
    shown = cs.pool(np.zeros((1100, 1000)), "max", 100)._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}


@pytest.mark.browser
def test_widget_runs_in_a_page(browser: Any) -> None:
    made = widget(cs.convolve(IMAGE, cs.kernels["cross"]))
    page = browser.new_page()
    page.evaluate(
        """async ([script, view]) => {
            const module = await import(URL.createObjectURL(new Blob([script], {type: "text/javascript"})));
            const el = document.createElement("div");
            document.body.append(el);
            module.default.render({ model: { get: () => view }, el });
        }""",
        [str(made._esm), made.view],
    )
    page.wait_for_selector(".sum-line")
    assert page.locator(".sum-line").inner_text().endswith("= 5")
    page.close()
