"""Many picture files at once: jobs handed out to one process a core."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from convoscope.core.children import pipes, python_path
from convoscope.core.cores import usable_cores
from convoscope.data.decoder import READY, Answer, run_job

CHUNK_BYTES = 4 << 20  # of decoded pictures in one job
CHUNK_FILES = 128
SMALL_FILES, SMALL_BYTES = 1000, 8 << 20  # below both, starting processes takes longer than the work

Job = dict[str, Any]


def chunks(count: int, picture_bytes: int) -> Iterator[range]:
    """Cut `count` files into jobs of bounded memory."""
    step = max(1, min(CHUNK_FILES, CHUNK_BYTES // max(picture_bytes, 1)))
    return (range(start, min(start + step, count)) for start in range(0, count, step))


def run_jobs(jobs: Sequence[Job], *, file_bytes: int, done: Callable[[int], None]) -> list[list[Answer]]:
    """Do `jobs` (see `convoscope.data.decoder`) in as many processes as there are cores.

    A file on which a decoder breaks down (it may crash, as any C library on a crafted file) is answered with the cause
    "crash"; the other files of its job are done again.

    Args:
        jobs: what to do.
        file_bytes: the size of all files together; for little work no process is started.
        done: called from this thread with the number of files of each finished job.

    Returns:
        The answers of each job, in the order of `jobs`.

    Raises:
        OSError: the cache file can't be written.
    """
    files = sum(len(job["files"]) for job in jobs)
    if files < SMALL_FILES and file_bytes < SMALL_BYTES:
        answers = []
        for job in jobs:
            answers.append(run_job(job))
            done(len(job["files"]))
        return answers
    return _in_processes(jobs, done)


def _in_processes(jobs: Sequence[Job], done: Callable[[int], None]) -> list[list[Answer]]:
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    finished: queue.SimpleQueue[tuple[int, list[Answer] | BaseException]] = queue.SimpleQueue()
    for number in range(len(jobs)):
        waiting.put(number)
    stop = threading.Event()

    def serve() -> None:
        with _Decoder() as decoder:
            while not stop.is_set():
                try:
                    number = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    finished.put((number, decoder.run(jobs[number])))
                except BaseException as error:
                    finished.put((number, error))
                    return

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(min(usable_cores(), len(jobs)))]
    for thread in threads:
        thread.start()
    answers: dict[int, list[Answer]] = {}
    try:
        while len(answers) < len(jobs):
            number, result = finished.get()
            if isinstance(result, BaseException):
                raise result
            answers[number] = result
            done(len(jobs[number]["files"]))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return [answers[number] for number in range(len(jobs))]


class _Decoder:
    """One decoder process, started again if it breaks down."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> _Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def run(self, job: Job) -> list[Answer]:
        """The answers to `job`, one a file."""
        if self._process is None and not self._started():
            return run_job(job)  # a Python that can't start another still does the work, on one core
        reply = self._ask(job)
        if reply is not None:
            return reply
        if len(job["files"]) == 1:
            return [["crash", "", None]]
        return [answer for part in _one_by_one(job) for answer in self.run(part)]

    def _started(self) -> bool:
        """Start the process and wait until it says that it is ready."""
        try:
            self._process = _start()
        except OSError:
            return False
        if pipes(self._process)[1].readline() == f"{READY}\n":
            return True
        self._close()
        return False

    def _ask(self, job: Job) -> list[Answer] | None:
        """The answers, or None if the process broke down."""
        assert self._process is not None  # noqa: S101
        to, back = pipes(self._process)
        try:
            to.write(json.dumps(job) + "\n")
            to.flush()
            line = back.readline()
        except BrokenPipeError:
            line = ""
        if not line.endswith("\n"):
            self._close()
            return None
        reply = json.loads(line)
        if "answers" not in reply:
            raise OSError(reply["errno"], reply["detail"], job["array"])
        answers: list[Answer] = reply["answers"]
        return answers

    def _close(self) -> None:
        if self._process is None:
            return
        to, back = pipes(self._process)
        with contextlib.suppress(BrokenPipeError):
            to.close()
        self._process.wait()
        back.close()
        self._process = None


def _one_by_one(job: Job) -> Iterator[Job]:
    picture = 1
    for side in job.get("shape", ()):
        picture *= side
    for row, name in enumerate(job["files"]):
        yield {**job, "files": [name], "offset": job.get("offset", 0) + row * picture}


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "convoscope.data.decoder"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
        env={**os.environ, "PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
