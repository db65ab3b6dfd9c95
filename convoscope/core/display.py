"""How things show themselves in a notebook: asked of whoever can draw, else told as text.

A room that holds something to show (a `Trace`, what a view found) calls `mime_bundle` from its ``_repr_mimebundle_``,
and `page` to write itself as one HTML file; the room that can draw registers itself with `drawer` and `pager`. So the
first need not import the second.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, TypeVar

Drawer = Callable[[Any], dict[str, Any]]
D = TypeVar("D", bound=Drawer)

Pager = Callable[[Any], str]
P = TypeVar("P", bound=Pager)

_PROVIDER = "convoscope.web.notebook"
_drawers: dict[type, Drawer] = {}
_pagers: dict[type, Pager] = {}


def drawer(kind: type) -> Callable[[D], D]:
    """Decorator: the function draws things of `kind`; it takes one and returns {MIME type: data}."""

    def add(draw: D) -> D:
        _drawers[kind] = draw
        return draw

    return add


def pager(kind: type) -> Callable[[P], P]:
    """Decorator: the function writes things of `kind` as a page; it takes one and returns the HTML."""

    def add(write: P) -> P:
        _pagers[kind] = write
        return write

    return add


def mime_bundle(thing: object) -> dict[str, Any]:
    """`thing` as {MIME type: data}: from its drawer (its class's or a base class's), else its text."""
    _load_provider()
    for kind in type(thing).__mro__:
        if kind in _drawers:
            return _drawers[kind](thing)
    return {"text/plain": str(thing)}


def page(thing: object) -> str:
    """`thing` as one HTML page that needs no server.

    Raises:
        LookupError: nobody writes pages of things of its kind.
    """
    _load_provider()
    for kind in type(thing).__mro__:
        if kind in _pagers:
            return _pagers[kind](thing)
    raise LookupError(f"nothing writes a {type(thing).__name__} as a page")


def _load_provider() -> None:
    # The package may have been installed without its page; a provider that is there and breaks is not to be hidden.
    try:
        present = importlib.util.find_spec(_PROVIDER) is not None
    except ModuleNotFoundError:
        present = False
    if present:
        importlib.import_module(_PROVIDER)
