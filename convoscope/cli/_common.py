"""The options that every command has, and how each answers."""

from __future__ import annotations

import json
import sys
import unicodedata
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer

from convoscope.core.messages import say


def option(name: str, key: str, *, known: str = "", **settings: Any) -> Any:
    """An option whose help comes from the catalogue of this room; `known` are the names that it tells."""
    return typer.Option(name, help=say(f"cli.{key}", known=known), show_default=False, **settings)


def members(*folder: str, suffix: str = ".py") -> str:
    """What a folder of the program holds, one member a file, by name: for a help text, which loads none of them."""
    files = resources.files("convoscope").joinpath(*folder).iterdir()
    names = (each.name.removesuffix(suffix) for each in files if each.name.endswith(suffix))
    return ", ".join(sorted(name.replace("_", "-") for name in names if not name.startswith("_")))


# Their help is put in by `_help`: these are made once, before the language is known.
AsJson = Annotated[bool, typer.Option("--json")]
Lang = Annotated[str | None, typer.Option("--lang", metavar="es|en")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", metavar="DIR")]


def printable(name: str) -> str:
    """A name for people: what would break a line or move the cursor is written as Python writes it."""
    broken = (letter for letter in name if unicodedata.category(letter) in ("Cc", "Zl", "Zp"))
    return name.translate({ord(letter): repr(letter)[1:-1] for letter in broken})


def answer(as_json: bool, value: dict[str, Any], words: str) -> None:
    """Print one JSON object, or the words for people."""
    plain = not (sys.stdout and (sys.stdout.encoding or "").lower().replace("-", "") == "utf8")
    print(json.dumps(value, ensure_ascii=plain, allow_nan=False) if as_json else words)


def tell(words: str) -> None:
    """Human words while a command works: standard error, so that standard output stays the answer."""
    print(words, file=sys.stderr)
