"""What Typer finds wrong with the words of a command line, as one sentence of ours.

Typer keeps the classes of these errors to itself, so they are told apart by name; what only its English sentence says
is read from that, and if another release words it otherwise, the sentence is passed on as it is.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
from typing import Any

import typer

from convoscope.cli._help import placeholders
from convoscope.core.messages import say
from convoscope.core.reasons import in_words

_NO_COMMAND = re.compile(r"No such command '(.*?)'")
_EXTRA = re.compile(r"Got unexpected extra arguments?\(?s?\)? \((.*)\)")
_NEEDS_VALUES = re.compile(r"requires (\d+) arguments")
_CLOSED = re.compile(r"path (.+) is not readable")
_LIMITS = {"greater_than_equal": ("cli.number_small", "ge"), "less_than_equal": ("cli.number_large", "le")}
_NEEDS_VALUE = re.compile(r"requires an argument")
_TAKES_NONE = re.compile(r"does not take a value")


def command_named(command: Any, words: list[str]) -> str:
    """The command that `words` begin with, as it is called: ``convoscope data preview``."""
    path = ["convoscope"]
    for word in words:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        path.append(word)
    return " ".join(path)


def sentence(error: typer.TyperException, called: str) -> str:
    """`error` of the command `called`, told in the language in use: what was asked, what arrived, what to do."""
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        return error.format_message()
    context = getattr(error, "ctx", None)
    command = context.command_path if context else called
    tell = {
        "NoSuchOption": _no_such_option,
        "MissingParameter": _missing,
        "BadParameter": _bad_value,
        "BadOptionUsage": _bad_option,
        "UsageError": _usage,
    }.get(kind, _other)
    return tell(error, command)


def _no_such_option(error: Any, command: str) -> str:
    parameters = error.ctx.command.params if error.ctx else []
    known = [name.lstrip("-") for parameter in parameters for name in parameter.opts]
    near = difflib.get_close_matches(error.option_name.lstrip("-"), known, n=1, cutoff=0.5) or ["help"]
    return say("cli.no_such_option", option=error.option_name, near=f"--{near[0]}", command=command)


def _missing(error: Any, command: str) -> str:
    name = error.param.metavar or error.param.name if error.param else ""
    option = next((known for known in error.param.opts if known.startswith("--")), None) if error.param else None
    name = name if option is None else f"{option} {name}"
    return say("cli.missing", name=placeholders(name), command=command)


def _bad_value(error: Any, command: str) -> str:
    cause, parameter = error.__cause__, error.param
    problems = cause.errors() if hasattr(cause, "errors") else []
    if found := _CLOSED.search(error.message):
        return say("cli.path_closed", path=found[1].strip("'"), reason=in_words(os.strerror(errno.EACCES)))
    if parameter is None or not problems:
        return _other(error, command)
    name = next(iter(parameter.opts), parameter.name)
    value = problems[0]["input"]
    if limit := _LIMITS.get(problems[0]["type"]):
        key, bound = limit
        return say(key, option=name, value=value, limit=problems[0]["ctx"][bound], command=command)
    kind = str(problems[0]["type"]).partition("_")[0]
    if kind not in ("int", "float"):
        return _other(error, command)
    return say("cli.whole_number" if kind == "int" else "cli.number", option=name, value=value, command=command)


def _bad_option(error: Any, command: str) -> str:
    if _NEEDS_VALUE.search(error.message):
        return say("cli.option_needs_value", option=error.option_name, command=command)
    if found := _NEEDS_VALUES.search(error.message):
        return say("cli.option_needs_values", option=error.option_name, count=found[1], command=command)
    if _TAKES_NONE.search(error.message):
        return say("cli.option_takes_none", option=error.option_name, command=command)
    return _other(error, command)


def _usage(error: Any, command: str) -> str:
    if found := _NO_COMMAND.search(error.message):
        known = sorted(getattr(error.ctx.command, "commands", {}))
        near = difflib.get_close_matches(found[1], known, n=1, cutoff=0.5)
        key = "cli.no_such_command_near" if near else "cli.no_such_command"
        return say(key, asked=found[1], near="".join(near), known=", ".join(known), command=command)
    if found := _EXTRA.search(error.message):
        options = {name for parameter in error.ctx.command.params for name in parameter.opts}
        key = "cli.extra_data" if "--data" in options and " " not in found[1] else "cli.extra"
        return say(key, words=found[1], command=command)
    if error.message.startswith("Missing command"):
        known = sorted(getattr(error.ctx.command, "commands", {}))
        return say("cli.command_missing", known=", ".join(known), command=command)
    return _other(error, command)


def _other(error: Any, command: str) -> str:
    return say("cli.usage", problem=error.format_message().rstrip("."), command=command)
