"""What a result depends on, as one number: the data, the code of the row, its parameters, the seed."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any


def key_of(fingerprint: str, settings: dict[str, Any], code: Iterable[str], seed: int) -> str:
    """The sha256, in hex, of all that decides a result.

    Args:
        fingerprint: that of the data.
        settings: JSON-ready parameters.
        code: names of modules; only what their code does counts, not comments, docstrings and layout.
        seed: of all that is drawn.
    """
    parts = [fingerprint, json.dumps(settings, sort_keys=True), seed, [_syntax_digest(name) for name in sorted(code)]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def closure(starts: Iterable[str], rooms: tuple[str, ...], without: frozenset[str] = frozenset()) -> set[str]:
    """The modules `starts` with all that they import from `rooms`, directly or not, but for those in `without`."""
    todo, found = list(starts), set[str]()
    while todo:
        name = todo.pop()
        if name in found or name in without or not f"{name}.".startswith(rooms):
            continue
        found.add(name)
        todo += _imported(name)
    return found


def file_of(module: str) -> Path:
    """The file of a module."""
    return Path(inspect.getfile(importlib.import_module(module)))


@cache
def _imported(module: str) -> tuple[str, ...]:
    """Where the names come from that a module takes from this package, wherever they are handed through."""
    homes = []
    for node in ast.walk(ast.parse(file_of(module).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("convoscope."):
            source = importlib.import_module(node.module or "")
            homes += [_home(source, alias.name) for alias in node.names]
    return tuple(homes)


def _home(source: ModuleType, name: str) -> str:
    value = getattr(source, name, None)
    if value is None:
        value = importlib.import_module(f"{source.__name__}.{name}")
    if isinstance(value, ModuleType):
        return value.__name__
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) and home.startswith("convoscope.") else source.__name__


@cache
def _syntax_digest(module: str) -> str:
    tree = ast.parse(file_of(module).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
        if isinstance(node, ast.ClassDef):
            node.decorator_list = []  # names and meanings in both languages stand in there
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
