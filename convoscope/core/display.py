"""How things show themselves in a notebook: asked of whoever can draw, else told as text.

A room that holds something to show (a `Trace`, a `Run`) calls `mime_bundle` from its ``_repr_mimebundle_``; the room
that can draw registers itself with `drawer`. So the first need not import the second.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, TypeVar

Drawer = Callable[[Any], dict[str, Any]]
D = TypeVar("D", bound=Drawer)

_PROVIDER = "convoscope.web.notebook"
_drawers: dict[type, Drawer] = {}


def drawer(kind: type) -> Callable[[D], D]:
    """Decorator: the function draws things of `kind`; it takes one and returns {MIME type: data}."""

    def add(draw: D) -> D:
        _drawers[kind] = draw
        return draw

    return add


def mime_bundle(thing: object) -> dict[str, Any]:
    """`thing` as {MIME type: data}: from its drawer (its class's or a base class's), else its text."""
    _load_provider()
    for kind in type(thing).__mro__:
        if kind in _drawers:
            return _drawers[kind](thing)
    return {"text/plain": str(thing)}


def _load_provider() -> None:
    # The package may have been installed without its page; a provider that is there and breaks is not to be hidden.
    try:
        present = importlib.util.find_spec(_PROVIDER) is not None
    except ModuleNotFoundError:
        present = False
    if present:
        importlib.import_module(_PROVIDER)
