"""What all views have in common when they are written: to a terminal, to a page, to a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from convoscope.core import display
from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically

T = TypeVar("T")

SUFFIXES = (".html", ".png")


def write_view(view: T, path: Path | str, draw: Callable[[T], bytes]) -> Path:
    """Write `view` as a page that works from disk (``.html``), or as the picture that `draw` makes (``.png``).

    Raises:
        RequestError: another suffix, or the file can't be written.
    """
    target = check_suffix(path)
    content = display.page(view).encode() if target.suffix.lower() == ".html" else draw(view)
    write_atomically(target, content)
    return target


def check_suffix(path: Path | str) -> Path:
    """`path`, if a view can be written to a file of its suffix.

    Raises:
        RequestError: it can't.
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise RequestError("inspection.out_suffix", field="out", file=str(path))
    return target
