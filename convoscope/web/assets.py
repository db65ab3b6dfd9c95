"""The files of `static/`, held in memory: served to the page, and put together for notebooks and reports."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

_TYPES = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """One file.

    Args:
        text: its content.
        media_type: for the Content-Type header.
        tag: for the ETag header.
    """

    text: str
    media_type: str
    tag: str


@cache
def assets() -> dict[str, Asset]:
    """File name -> file."""
    found = {}
    for entry in sorted((resources.files("convoscope.web") / "static").iterdir(), key=lambda file: file.name):
        suffix = entry.name.rpartition(".")[2]
        if suffix in _TYPES:
            text = entry.read_text("utf-8")
            found[entry.name] = Asset(text, _TYPES[suffix], f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"')
    return found
