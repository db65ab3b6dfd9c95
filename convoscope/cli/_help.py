"""Help pages in the language in use: Typer writes its own words in English only."""

from __future__ import annotations

import re
from typing import Any

import typer

from convoscope.core.messages import catalogue, language, say

_SHARED = {
    "as_json": "cli.json_help",
    "lang": "cli.lang_help",
    "data_dir": "cli.data_dir_help",
    "version": "cli.version_help",
}
_SHOW_HELP = "Show this message and exit."
_REQUIRED = re.compile(r"\[required\]$")
_LIMITS = re.compile(r"\[(\d+)<=x<=(\d+)\]$")
_TYPE = re.compile(r" <[\w\[\]]+>$")  # of an argument, whose place holder says what it is
_CAPITALS = re.compile(r"\b[A-Z]+\b")


class _Formatter(typer.Context.formatter_class):  # type: ignore[misc, valid-type]
    """Typer's formatter, with its headings and place holders from the catalogue."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:  # noqa: ARG002
        super().write_usage(prog, placeholders(args), f"{say('cli.help_usage')}: ")

    def write_heading(self, heading: str) -> None:
        known = f"help_{heading.lower()}"
        super().write_heading(say(f"cli.{known}") if known in catalogue("cli") else heading)

    def write_dl(self, rows: Any, *rest: Any) -> None:
        super().write_dl([(placeholders(_TYPE.sub("", first)), _meaning(second)) for first, second in rows], *rest)


class _Context(typer.Context):
    formatter_class = _Formatter


def translate_help(command: Any) -> None:
    """Have `command` and all that is below it write their help in the language in use."""
    command.context_class = _Context
    for parameter in command.params:
        if parameter.name in _SHARED:
            parameter.help = say(_SHARED[parameter.name])
    for below in getattr(command, "commands", {}).values():
        translate_help(below)


def _meaning(text: str) -> str:
    """The help of a parameter, with what Typer adds to it in the language in use."""
    if text == _SHOW_HELP:
        return say("cli.help_shown")
    text = _LIMITS.sub(lambda found: say("cli.help_limits", low=found[1], high=found[2]), text)
    return _REQUIRED.sub(say("cli.help_required"), text)


def placeholders(text: str) -> str:
    """NAME, FOLDER and their like in the language in use; one that the catalogue doesn't know stays as it is."""

    def translated(found: re.Match[str]) -> str:
        entry = catalogue("cli").get(f"place_{found[0].lower()}")
        return entry[language()] if entry else found[0]

    return _CAPITALS.sub(translated, text)
