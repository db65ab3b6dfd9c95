"""The exercises level in a real browser: the list with one's progress, and one question at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import convoscope as cs
from convoscope.lessons.registry import in_order
from tests.web.conftest import Held
from tests.web.test_bench_page import violations

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
NAMES = [member.name for member in in_order()]


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOSCOPE_PROGRESS", str(tmp_path / "progress.jsonl"))


def answer(name: str, seed: int | None = None) -> str:
    """The right answer, as anybody finds it: by its explanation."""
    found = re.search(r"The answer is (-?[\d.]+)\.", cs.exercise(name, seed=seed, lang="en").explain())
    assert found
    return found[1]


def test_a_question_is_hinted_marked_explained_and_counted(open_page: Open) -> None:
    right = answer("padding-size", 7)
    page = open_page("level=exercises&exercise=padding-size&seed=7")
    field = page.get_by_label("Answer", exact=True)
    field.wait_for()
    assert page.locator(".topics li").count() == len(NAMES)
    for count in (1, 2):
        page.get_by_role("button", name="Hint").click()
        page.locator(".hints li").nth(count - 1).wait_for()
    page.get_by_role("button", name="Hint").wait_for(state="hidden")
    field.fill("1000000")
    field.press("Enter")
    page.locator(".verdict.differs", has_text="Not yet").wait_for()
    entry = page.locator(".topics li", has_text=cs.exercise("padding-size", lang="en").title)
    assert entry.locator(".unseen").inner_text() == "begun"
    field.fill(right)
    field.press("Enter")
    page.get_by_text("✓ Right.").wait_for()
    page.locator(".explanation", has_text=f"The answer is {right}.").wait_for()
    entry.locator(".unseen", has_text="solved").wait_for(state="attached")
    page.get_by_text(f"1 of {len(NAMES)} solved").wait_for()
    page.get_by_role("button", name="Other numbers").click()
    page.wait_for_url(re.compile(r"exercise=padding-size&seed=\d+$"))
    page.get_by_label("Answer", exact=True).wait_for()
    page.go_back()
    page.wait_for_url(re.compile(r"seed=7$"))


def test_the_list_leads_from_one_to_the_next(open_page: Open) -> None:
    page = open_page("level=exercises&lang=es")
    titles = [cs.exercise(name, lang="es").title.replace("`", "") for name in NAMES[:2]]
    page.get_by_role("heading", name=titles[0]).wait_for()
    page.get_by_role("button", name="Ejercicio siguiente").click()
    page.get_by_role("heading", name=titles[1]).wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H3"
    page.get_by_role("link", name="English").click()
    page.get_by_role("heading", name=cs.exercise(NAMES[1], lang="en").title).wait_for()


def test_what_is_pressed_twice_counts_once(open_page: Open) -> None:
    page = open_page("level=exercises&exercise=padding-size&seed=7")
    hint, field = page.get_by_role("button", name="Hint"), page.get_by_label("Answer", exact=True)
    hint.wait_for()
    hints, checks = Held(page, "**/hint*"), Held(page, "**/check*")
    hint.dblclick()
    hints.wait_for(1)
    hints.release()
    assert page.locator(".hints li").count() == 1
    hint.click()
    hints.wait_for(1)
    hints.release()
    texts = page.locator(".hints li").all_inner_texts()
    assert len(set(texts)) == 2
    field.fill("1000000")
    field.press("Enter")
    field.press("Enter")
    checks.wait_for(1)
    checks.release()
    page.locator(".verdict.differs", has_text="Not yet").wait_for()
    assert hints.waiting == checks.waiting == []


def test_a_late_verdict_is_of_its_own_answer_and_exercise(open_page: Open) -> None:
    page = open_page("level=exercises&exercise=padding-size&seed=7")
    field = page.get_by_label("Answer", exact=True)
    field.wait_for()
    checks = Held(page, "**/check*")
    field.fill("1000000")
    field.press("Enter")
    checks.wait_for(1)
    field.fill(answer("padding-size", 7))
    checks.release()
    assert page.locator(".question .verdict").inner_text() == ""
    field.press("Enter")
    checks.wait_for(1)
    following = cs.exercise(NAMES[NAMES.index("padding-size") + 1], lang="en").title.replace("`", "")
    page.get_by_role("button", name="Next exercise").click()
    page.get_by_role("heading", name=following).wait_for()
    checks.release()
    page.get_by_text(f"1 of {len(NAMES)} solved").wait_for()
    assert page.locator(".topics [aria-pressed=true]").inner_text() == following


def test_choices_pictures_and_code(open_page: Open) -> None:
    page = open_page("level=exercises&exercise=convolution-cross&seed=3")
    page.locator(".choice").first.wait_for()
    assert page.locator(".choice").count() == len(cs.exercise("convolution-cross", seed=3).choices)
    page.get_by_role("button", name="Check").click()
    page.locator(".verdict", has_text="Answer with a letter").wait_for()
    page.get_by_role("button", name=cs.exercise("code-convolve", lang="en").title).click()
    page.locator("pre", has_text='exercise("code-convolve", seed=').wait_for()
    page.get_by_text("is done in a notebook").wait_for()
    assert page.get_by_role("button", name="Check").count() == 0


def test_a_wrong_link_is_told(open_page: Open) -> None:
    page = open_page(f"level=exercises&exercise={NAMES[0]}&seed=many")
    page.locator(".fault:visible").wait_for()
    page.locator(".topics li").first.get_by_role("button").click()
    page.get_by_label("Answer", exact=True).wait_for()


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_and_nothing_is_too_wide(open_page: Open, width: int) -> None:
    page = open_page("level=exercises&exercise=convolution-value&lang=es", width=width)
    page.get_by_role("button", name="Ver la respuesta").click()
    page.wait_for_selector(".explanation:visible")
    assert violations(page) == []
    for name in NAMES if width == 360 else ():
        page.get_by_role("button", name=cs.exercise(name, lang="es").title.replace("`", ""), exact=True).click()
        page.wait_for_url(re.compile(rf"exercise={name}$"))
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.locator(".fault:visible").count() == 0, name
