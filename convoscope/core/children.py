"""What Python processes that we start need to know."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import IO


def python_path() -> str:
    """The ``PYTHONPATH`` with which a process finds this very package.

    Give such a process ``-P``, too: without it the folder that the user works in comes first, and a ``random.py`` there
    is taken for Python's own.
    """
    here = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH")) if part)


def pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    """Where a process that was started with both pipes takes its orders, and where it answers."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both were asked for")
    return process.stdin, process.stdout
