from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec

import pytest

from convoscope.core import display


class Thing:
    def __str__(self) -> str:
        return "a thing"


class Special(Thing):
    pass


@pytest.fixture(autouse=True)
def no_drawers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_drawers", {})
    monkeypatch.setattr(display, "_PROVIDER", "convoscope.nowhere.at_all")


def test_text_when_nobody_can_draw() -> None:
    assert display.mime_bundle(Thing()) == {"text/plain": "a thing"}


def test_the_drawer_of_the_nearest_class_draws() -> None:
    @display.drawer(Thing)
    def draw(thing: Thing) -> dict[str, str]:
        return {"text/html": f"<p>{thing}</p>"}

    assert display.mime_bundle(Special()) == {"text/html": "<p>a thing</p>"}
    display.drawer(Special)(lambda thing: {"text/plain": "special"})
    assert display.mime_bundle(Special()) == {"text/plain": "special"}


def test_a_provider_that_is_there_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = types.ModuleType("drawing_room")
    provider.__spec__ = ModuleSpec("drawing_room", None)
    monkeypatch.setitem(sys.modules, "drawing_room", provider)
    monkeypatch.setattr(display, "_PROVIDER", "drawing_room")
    assert display.mime_bundle(Thing()) == {"text/plain": "a thing"}


def test_a_trace_shows_itself() -> None:
    import convoscope as cs

    trace = cs.convolve([[1, 2]], [[1]])
    assert trace._repr_mimebundle_(include=None, exclude=None) == {"text/plain": "1 2"}
