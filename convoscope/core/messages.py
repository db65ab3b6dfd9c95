"""The message catalogue: every sentence a user reads, in Spanish and English.

One TOML file a room lies in `core/catalogue/`; each entry holds both languages side by side::

    [folder_empty]
    en = "{folder} holds no images."
    es = "{folder} no contiene imágenes."

What registers itself from one file brings its own sentences along, as `Both`.
"""

from __future__ import annotations

import contextlib
import contextvars
import locale
import os
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "es")

_chosen: contextvars.ContextVar[str | None] = contextvars.ContextVar("convoscope_language", default=None)


def language() -> str:
    """The language in use: the one chosen, else the locale's, else English."""
    return _chosen.get() or _from_locale()


def set_language(code: str) -> None:
    """Choose `code` ("en" or "es") for this thread or task from here on."""
    _chosen.set(_known(code))


@contextlib.contextmanager
def using_language(code: str) -> Iterator[None]:
    """Choose `code` for the length of a ``with`` block."""
    token = _chosen.set(_known(code))
    try:
        yield
    finally:
        _chosen.reset(token)


def say(key: str, **values: Any) -> str:
    """The sentence `key` ("room.name") in the language in use, with `values` put in."""
    room, _, name = key.partition(".")
    return catalogue(room)[name][language()].format(**values)


@dataclass(frozen=True)
class Both:
    """A text in both languages, read in the one in use."""

    en: str
    es: str

    def __str__(self) -> str:
        return self.to_dict()[language()]

    def to_dict(self) -> dict[str, str]:
        """Language -> text."""
        return asdict(self)


@cache
def catalogue(room: str) -> dict[str, dict[str, str]]:
    """All sentences of one room: name -> {"en": …, "es": …}."""
    text = (resources.files("convoscope.core") / "catalogue" / f"{room}.toml").read_text("utf-8")
    return tomllib.loads(text)


def catalogue_rooms() -> list[str]:
    """The rooms that have a catalogue file."""
    folder = resources.files("convoscope.core") / "catalogue"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _known(code: str) -> str:
    if code not in LANGUAGES:
        from convoscope.core.errors import RequestError

        raise RequestError("core.language_unknown", asked=code, known=", ".join(LANGUAGES))
    return code


def _from_locale() -> str:
    names = (os.environ.get(variable) for variable in ("LC_ALL", "LC_MESSAGES", "LANG"))
    name = next((value for value in names if value), None) or locale.getlocale()[0] or ""
    return "es" if name.lower().startswith(("es", "spanish")) else "en"
