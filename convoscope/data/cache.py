"""Where Convoscope keeps what it downloads and decodes, and how it writes there: whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from convoscope.core.errors import RequestError
from convoscope.core.locks import lock


def cache_folder() -> Path:
    """The user's cache folder for Convoscope (`CONVOSCOPE_CACHE`, else the system's place for caches)."""
    chosen = os.environ.get("CONVOSCOPE_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("convoscope", appauthor=False)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Turn a system's refusal to write in the cache into a sentence that says what to do.

    Raises:
        RequestError: the disk is full, or the cache folder can't be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RequestError("data.cache_full", folder=cache_folder()) from error
        detail = error.strerror or str(error)
        raise RequestError("data.cache_closed", folder=cache_folder(), detail=detail) from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, so that of several processes one does the work and the others find it done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        with contextlib.suppress(OSError):  # some network file systems have no locks; work done twice is still right
            lock(file, wait=True)
        yield  # closing the file gives the lock back
