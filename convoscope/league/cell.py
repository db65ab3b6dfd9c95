"""One row with one seed, in a process of its own: so its peak memory is its own, and its crash ends nothing else.

A task comes as one JSON line on standard input; standard output carries JSON lines with the share that is done, what
went wrong, if anything did, and how the task ended. When standard input ends, whoever asked is gone, and the task ends.

On Linux the process loads the libraries and the pictures once, and divides for each task. Elsewhere a process can't
divide safely: it does one task, and its own end is the end of the task.

    python -m convoscope.league.cell
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from convoscope.core.cores import usable_cores
from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES
from convoscope.data import ImageData
from convoscope.league.identity import file_of, key_of
from convoscope.league.pictures import Pictures
from convoscope.league.results import Results
from convoscope.league.row import Row, Work, registry
from convoscope.league.words import in_all_languages
from convoscope.runs.environment import commit_of, hardware, versions


@dataclass(frozen=True)
class Task:
    """What one process does.

    Attributes:
        pictures: the fields of `Pictures`.
        row: its short name.
        seed: of all that is drawn.
        key: what the result depends on, as the asking process sees it.
        folder: the league's.
    """

    pictures: dict[str, Any]
    row: str
    seed: int
    key: str
    folder: str

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self)) + "\n"


def key(row: Row, data: ImageData, quick: bool, seed: int) -> str:
    """What the result of a row and seed depends on."""
    settings = row.learner.settings(data, quick)
    return key_of(data.fingerprint, settings, row.learner.code(data), seed)


_load = lru_cache(maxsize=1)(Pictures.load)


def _prepare(task: Task) -> None:
    """Load all that measuring needs.

    Raises:
        RequestError: data that are no longer what they were.
    """
    pictures, row = Pictures(**task.pictures), registry.get(task.row)
    if key(row, _load(pictures), pictures.quick, task.seed) != task.key:
        raise RequestError("league.changed_meanwhile", row=task.row)
    for library in row.learner.libraries:
        import_module(library)


def _measure(task: Task) -> None:
    """Measure, and write the result down.

    Raises:
        RequestError: what the learner refused.
    """
    pictures, row = Pictures(**task.pictures), registry.get(task.row)
    data = _load(pictures)
    results = Results(Path(task.folder))
    code = row.learner.code(data)
    state = commit_of(Path(__file__).parent, [str(file_of(module)) for module in code])
    work = Work(task.seed, pictures.quick, results.run_folder(task.row, task.seed, task.key), _Told())
    measured = row.learner.measure(data, work)
    wrong = int((measured.predictions != data.test.labels).sum())
    figures = {
        "error": wrong / len(data.test),
        "errors": wrong,
        "seconds": round(measured.seconds, 3),
        "predict_seconds": round(measured.predict_seconds, 3),
        "peak_memory_bytes": peak_memory(),
        "size_bytes": measured.size_bytes,
        "parameters": measured.parameters,
        "train_flops": measured.train_flops,
        "precision": measured.precision,
        "settings": row.learner.settings(data, pictures.quick),
        "data": data.fingerprint,
        "hardware": hardware(),
        "threads": measured.threads or os.environ.get("OMP_NUM_THREADS", str(usable_cores())),
        "versions": versions(),
        "commit": state,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    stated = {name: value for name, value in figures.items() if value is not None}
    results.write(task.row, task.seed, task.key, stated, np.asarray(measured.predictions, np.int64))


def peak_memory() -> int | None:
    """The most memory, in bytes, that this process has held; None where nobody says."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    try:
        # getrusage would count what the asking process held when it started this one.
        status = Path("/proc/self/status").read_text("ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class _Told:
    """Tells the share that is done, at most a hundred times."""

    def __init__(self) -> None:
        self._last = -1

    def __call__(self, share: float) -> None:
        percent = int(100 * share)
        if percent > self._last:
            self._last = percent
            _tell({"progress": percent / 100})


def _tell(message: dict[str, Any]) -> None:
    sys.__stdout__.write(json.dumps(message) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def _end_with_the_asker() -> None:
    def wait() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Do the tasks that come on standard input, each in a process of its own."""
    sys.stdout = sys.stderr  # what a library prints is no message
    for line in iter(sys.stdin.readline, ""):
        task = Task(**json.loads(line))
        code = _ended() if _succeeds(_prepare, task) else 0
        if code is None:
            _end_with_the_asker()
            _succeeds(_measure, task)
            return
        _tell({"ended": code})


def _ended() -> int | None:
    """Divide, and wait for the other process; returns its exit code, and None in the process that is to measure."""
    if sys.platform != "linux":
        return None
    gc.freeze()  # what is there is let alone, so that the child need not copy it only to take it apart at its end
    child = os.fork()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if child else None


def _succeeds(part: Callable[[Task], None], task: Task) -> bool:
    """Whether a part of a task could be done; why not is told."""
    try:
        part(task)
    except RequestError as error:
        _tell({"failed": in_all_languages(error)})
    except MemoryError as error:
        _tell({"failed": in_all_languages(RequestError("league.no_memory", reason=str(error) or "MemoryError"))})
    except Exception as error:
        if os.environ.get("CONVOSCOPE_TRACEBACK"):
            raise
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        _tell({"failed": dict.fromkeys(LANGUAGES, detail)})
    else:
        return True
    return False


if __name__ == "__main__":
    main()
