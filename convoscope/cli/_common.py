"""The options that every command has, and how each answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from convoscope.core.messages import say


def option(name: str, key: str, **settings: Any) -> Any:
    """An option whose help comes from the catalogue of this room."""
    return typer.Option(name, help=say(f"cli.{key}"), show_default=False, **settings)


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output / Un objeto JSON")]
Lang = Annotated[str | None, typer.Option("--lang", metavar="es|en", help="Language / Idioma")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", metavar="DIR", help="Full data sets / Datos completos")]


def answer(as_json: bool, value: dict[str, Any], words: str) -> None:
    """Print one JSON object, or the words for people."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False) if as_json else words)


def tell(words: str) -> None:
    """Human words while a command works: standard error, so that standard output stays the answer."""
    print(words, file=sys.stderr)
