"""Has rows measured, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import IO

from convoscope.core.children import pipes, python_path
from convoscope.core.errors import RequestError
from convoscope.league.cell import Task
from convoscope.league.words import Words, in_all_languages

PROGRAM = "from convoscope.league.cell import main; main()"
_LAST_WORDS = 2000


class Measuring:
    """A process that takes tasks and has each done by a child; see `convoscope.league.cell`.

    It is started when it is first needed, and again where it has ended. Whatever ends the block ends it and its child.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Measuring:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.__exit__(kind, error, at)  # its orders end, and with them the child that waits for their end
        self._complaints.close()

    def measure(self, task: Task, progress: Callable[[float], None]) -> Words | None:
        """Have a task done.

        Args:
            task: what.
            progress: called with the share that is done.

        Returns:
            why it could not be done, in each language; None if it was.
        """
        self._complaints.seek(0)
        self._complaints.truncate()
        process = self._process = self._process or start(self._complaints)
        orders, answers = pipes(process)
        failure: Words | None = None
        code = 0
        with suppress(BrokenPipeError):  # it ended at once; its last words say why
            orders.write(task.line())
            orders.flush()  # and left open: the end of its orders would end the process
        for line in answers:
            message = json.loads(line)
            if "ended" in message:
                code = message["ended"]
                break
            if "progress" in message:
                progress(message["progress"])
            failure = message.get("failed", failure)
        else:
            self._process = None
            with process:
                code = process.wait()
        return in_all_languages(RequestError("league.crashed", reason=self._last_words(code))) if code else failure

    def _last_words(self, code: int) -> str:
        """The signal that ended a process, or the last line that it wrote."""
        if code < 0:
            return signal.Signals(-code).name
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace")[-_LAST_WORDS:].strip().splitlines()
        return lines[-1] if lines else f"exit code {code}"


def start(complaints: IO[bytes]) -> subprocess.Popen[str]:
    """Start such a process; what it complains of goes to `complaints`."""
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-c", PROGRAM],
        stdin=pipe,
        stdout=pipe,
        stderr=complaints,
        text=True,
        env={**os.environ, "PYTHONPATH": python_path(), **_threads()},
    )


def _threads() -> dict[str, str]:
    """What holds the libraries that don't ask OpenMP (Numba, joblib) to as many threads as OpenMP is told to use."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return dict.fromkeys(("NUMBA_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), told) if told.isdecimal() else {}
