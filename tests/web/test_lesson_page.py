"""The lesson level in a real browser: steps with links, texts, questions, and what each step opens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from convoscope.lessons.tour_file import find, read
from convoscope.web.app import create_app
from convoscope.web.touring import OpenTour
from tests.web.conftest import Server, serve
from tests.web.test_bench_page import violations

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
STEPS = find("cnn").tour.steps
CNN = "level=lesson&lesson=cnn"

STRANGE = """\
languages: [es]
title: Rara
steps:
  - name: uno
    heading: Uno
    text: |
      <img src=x onerror="document.title='taken'"> <script>document.title = 'taken'</script> y **esto**, [fuera](https://example.org/).
    image: mnist-5k:12
    bench: {kernel: "1,0; 0,-1"}
  - name: dos
    heading: Dos
    text: Un Gabor.
    image: mnist-5k:12
    bench: {kernel: "gabor:angle=45,size=3"}
"""


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a lesson of its own, whose text tries to be more than a text."""
    path = tmp_path_factory.mktemp("lesson") / "rara.yaml"
    path.write_text(STRANGE, "utf-8")
    yield from serve(create_app(language="en", lesson=OpenTour(read(path))))


def heading(page: Any) -> str:
    return str(page.locator(".lesson > h2").inner_text())


def test_keys_links_and_back_change_the_step_and_the_language_keeps_it(open_page: Open) -> None:
    page = open_page("level=lesson")
    page.get_by_role("heading", name=STEPS[0].heading["en"]).wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name=STEPS[1].heading["en"]).wait_for()
    page.wait_for_url(re.compile(r"lesson=cnn&step=dense"))
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert page.title().startswith(STEPS[1].heading["en"])
    page.get_by_role("link", name="Español").click()
    page.get_by_role("heading", name=STEPS[1].heading["es"]).wait_for()
    page.get_by_text("Contenido", exact=True).click()
    page.locator(".contents a").nth(4).click()
    page.get_by_role("heading", name=STEPS[4].heading["es"]).wait_for()
    page.wait_for_selector(".sum-line")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name=STEPS[3].heading["es"]).wait_for()
    page.go_back()
    page.get_by_role("heading", name=STEPS[4].heading["es"]).wait_for()
    page.locator(".lesson-foot .next").click()
    page.get_by_role("heading", name=STEPS[5].heading["es"]).wait_for()


def test_arrow_keys_on_a_map_move_the_window_only(open_page: Open) -> None:
    page = open_page(f"{CNN}&step=kernel")
    page.wait_for_selector(".sum-line")
    page.locator("figure.map .stage").nth(1).focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="Row 0, column 1: −1").wait_for()
    assert heading(page) == STEPS[4].heading["en"]


def test_what_the_reader_changes_is_in_the_link(open_page: Open) -> None:
    page = open_page(f"{CNN}&step=stride")
    page.get_by_text("Feature map, 4 × 4", exact=True).wait_for()
    page.locator(".bench").get_by_label("Stride", exact=True).first.fill("1")
    page.locator(".bench").get_by_label("Padding", exact=True).first.select_option("valid")
    page.get_by_text("Feature map, 8 × 8", exact=True).wait_for()
    page.wait_for_url(re.compile(r"step=stride.*padding=valid&stride=1"))
    again = open_page(page.url.partition("?")[2])
    again.get_by_text("Feature map, 8 × 8", exact=True).wait_for()


def test_a_question_of_the_lesson_is_marked_and_explained(open_page: Open) -> None:
    page = open_page(f"{CNN}&step=filters&lang=es")
    field = page.get_by_label("Respuesta", exact=True)
    field.fill("muchos")
    field.press("Enter")
    page.locator(".question .verdict", has_text="Responda con un número entero").wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("864")
    field.press("Enter")
    page.locator(".question .verdict.differs", has_text="Todavía no").wait_for()
    field.fill("896")
    page.get_by_role("button", name="Comprobar").click()
    page.get_by_text("9 · 32 · 3 + 32 = 896").wait_for()
    assert page.locator(".question .verdict").inner_text() == "✓ Correcto."


def test_a_choice_can_be_given_up(open_page: Open) -> None:
    page = open_page(f"{CNN}&step=data")
    page.get_by_role("button", name="Show the answer").click()
    page.locator(".explanation", has_text="The answer is c)").wait_for()
    page.get_by_label("To measure, once").check()
    page.get_by_role("button", name="Check").click()
    page.get_by_text("✓ Right.").wait_for()


def test_networks_of_steps_and_the_run_that_is_not_served(open_page: Open) -> None:
    page = open_page(f"{CNN}&step=filters")
    row = page.locator(".layers-table tr.chosen", has_text="conv1")
    row.wait_for()
    assert "896" in row.inner_text()
    page.locator(".lead", has_text="have learned nothing yet").wait_for()
    page.locator(".lesson-level .verdict", has_text="PyTorch").wait_for()
    page.keyboard.press("ArrowRight")
    page.locator("pre", has_text="convoscope serve runs/mnist").wait_for()


def test_a_kernel_with_parameters_opens_with_them(open_page: Open, strange: Server) -> None:
    page = open_page("level=lesson&lesson=rara&step=dos&lang=en", address=strange.address)
    page.wait_for_selector(".sum-line")
    assert page.get_by_label("Angle, in degrees").input_value() == "45"
    assert page.get_by_label("Kernel", exact=True).input_value() == "gabor"
    page.get_by_text("Feature map, 26 × 26", exact=True).wait_for()


def test_html_in_a_text_is_text(open_page: Open, strange: Server) -> None:
    page = open_page("level=lesson&lesson=rara&lang=en", address=strange.address)
    page.wait_for_selector(".sum-line")
    text = page.locator(".lesson-text")
    assert "<script>document.title = 'taken'</script>" in text.inner_text()
    assert text.locator("img, script").count() == 0
    assert page.title().startswith("Uno – Rara")
    link = text.get_by_role("link", name="fuera")
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    assert text.get_attribute("lang") == "es"
    assert page.get_by_label("Picture", exact=True).input_value() == "lesson"
    page.get_by_text("Feature map, 27 × 27", exact=True).wait_for()


def test_several_lessons_are_listed(open_page: Open, strange: Server) -> None:
    page = open_page("level=lesson", address=strange.address)
    page.wait_for_selector(".lessons")
    assert page.locator(".lessons a").all_inner_texts() == ["Rara", "Convolutional neural networks"]
    page.get_by_role("link", name="Rara").click()
    page.get_by_role("heading", name="Uno").wait_for()


@pytest.mark.parametrize("step", ["nothing", "kernel"])
def test_a_wrong_link_says_so_or_begins_at_the_beginning(open_page: Open, step: str) -> None:
    page = open_page(f"level=lesson&lesson={'cnn' if step == 'nothing' else 'cnnn'}&step={step}")
    if step == "nothing":
        page.get_by_role("heading", name=STEPS[0].heading["en"]).wait_for()
    else:
        page.locator(".fault", has_text="There is no lesson 'cnnn'; there are: cnn.").wait_for()


def test_every_step_opens_on_a_phone_and_axe_finds_nothing(open_page: Open) -> None:
    page = open_page(f"{CNN}&lang=es", width=360, height=740, reduced_motion="reduce")
    for at, step in enumerate(STEPS):
        page.get_by_role("heading", name=step.heading["es"], exact=True).first.wait_for()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, step.name
        assert page.locator(".fault:visible").count() == 0, step.name
        if step.name in ("neighbours", "padding", "data", "league"):
            assert violations(page) == [], step.name
        if at + 1 < len(STEPS):
            page.locator(".lesson-foot .next").click()
    assert page.locator(".lesson-foot .next").count() == 0


def test_axe_finds_nothing_on_a_desk(open_page: Open) -> None:
    page = open_page(f"{CNN}&step=kernel")
    page.wait_for_selector(".sum-line")
    page.get_by_text("Contents", exact=True).click()
    page.get_by_role("button", name="Show the answer").click()
    page.wait_for_selector(".explanation:visible")
    assert violations(page) == []


def test_lessons_are_files_beside_the_program() -> None:
    assert Path(find("cnn").path).parent.name == "tours"
