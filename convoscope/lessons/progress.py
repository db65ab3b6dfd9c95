"""A student's progress: a small file in which every attempt and hint is one line of JSON, only ever added to.

Lines are added under a lock and written through to the disk, so that two notebooks lose nothing. A file with a line
that can't be read is set aside under another name, and what can be read of it goes on in a new one.
"""

from __future__ import annotations

import datetime
import os
import secrets
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically
from convoscope.core.messages import say
from convoscope.data.cache import locked

MOST_NAME = 100


class Line(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    id: str = Field(pattern=r"^[0-9a-f]{16}$", description="Whose file it is: drawn at random when it is made.")
    student: str | None = Field(default=None, max_length=MOST_NAME, description="The name, where one is set.")
    what: Literal["begin", "attempt", "hint", "explain"]
    exercise: str = Field(default="", max_length=MOST_NAME)
    seed: int = 0
    own: bool = Field(default=True, description="Whether the numbers were the student's own.")
    correct: bool = False
    step: int = 0
    at: str = Field(default="", max_length=40, description="When, UTC.")

    @property
    def who(self) -> str:
        """The student's name, or the number of the file."""
        return self.student or self.id


def progress_file() -> Path:
    """Where progress is kept (`CONVOSCOPE_PROGRESS`, else the system's place for a user's data)."""
    chosen = os.environ.get("CONVOSCOPE_PROGRESS")
    folder = platformdirs.user_data_path("convoscope", appauthor=False)
    return Path(chosen).expanduser() if chosen else folder / "progress.jsonl"


def student() -> str:
    """Who is at work: the name in `CONVOSCOPE_STUDENT`, else the number of the file, which is made if need be.

    Raises:
        RequestError: the file can't be read or made, or the name is too long.
    """
    return student_name() or _lines()[0].id


def student_name() -> str | None:
    """The name in `CONVOSCOPE_STUDENT`, if one is set.

    Raises:
        RequestError: it is too long.
    """
    name = " ".join(os.environ.get("CONVOSCOPE_STUDENT", "").split())
    if len(name) > MOST_NAME:
        raise RequestError("lessons.student_long", most=MOST_NAME, length=len(name))
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") or None


def done() -> list[Line]:
    """What the student at work has done, in order; nothing if there is no file yet.

    Raises:
        RequestError: the file can't be read.
    """
    name = student_name()
    if not progress_file().exists():
        return []
    lines = _lines()
    return [line for line in lines if line.what != "begin" and line.who == (name or lines[0].id)]


def add(
    what: Literal["attempt", "hint", "explain"],
    exercise: str,
    seed: int,
    *,
    own: bool,
    correct: bool = False,
    step: int = 0,
) -> None:
    """Add a line to the file.

    Raises:
        RequestError: it can't be written; what it holds is intact.
    """
    line = Line(
        id=_lines()[0].id,
        student=student_name(),
        what=what,
        exercise=exercise,
        seed=seed,
        own=own,
        correct=correct,
        step=step,
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    file = progress_file()
    try:
        with locked(_lock(file)), open(file, "ab") as opened:
            opened.write(_written([line]))
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise _closed(file, error) from error


@dataclass(frozen=True)
class State:
    """How far a student is with one exercise.

    Args:
        attempts: answers until the first right one, that included.
        hints: steps of hints that were seen before it.
        explained: whether the explanation was read before it.
        own: whether the right answer was to the student's own numbers.
        begun: when the first thing was done.
        solved: when the first right answer came.
    """

    attempts: int = 0
    hints: int = 0
    explained: bool = False
    own: bool = False
    begun: str | None = None
    solved: str | None = None

    @property
    def name(self) -> Literal["new", "begun", "solved"]:
        """In a word."""
        if self.solved:
            return "solved"
        return "begun" if self.begun else "new"


def state(lines: Iterable[Line], exercise: str) -> State:
    """How far the student who did `lines` is with `exercise`."""
    attempts, hints, explained, begun = 0, 0, False, None
    for line in lines:
        if line.exercise != exercise or line.what == "begin":
            continue
        begun = begun or line.at
        attempts += line.what == "attempt"
        hints = max(hints, line.step)
        explained |= line.what == "explain"
        if line.correct:
            return State(attempts, hints, explained, line.own, begun, line.at)
    return State(attempts, hints, explained, False, begun)


def read_lines(content: bytes) -> tuple[list[Line], list[int]]:
    """The lines of a file of progress, and the numbers of those that can't be read."""
    found, bad = [], []
    for number, text in enumerate(content.split(b"\n"), start=1):
        if not text.strip():
            continue
        try:
            found.append(Line.model_validate_json(text))
        except ValidationError:
            bad.append(number)
    return found, bad


def _lines() -> list[Line]:
    """The lines of the student's own file, which is made if there is none, and mended if it is damaged.

    Raises:
        RequestError: it can't be read or made.
    """
    file = progress_file()
    try:
        content = file.read_bytes() if file.exists() else b""
        lines, bad = read_lines(content)
        if lines and not bad and content.endswith(b"\n"):
            return lines
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(_lock(file)):
            # Another process may have made or mended it meanwhile.
            content = file.read_bytes() if file.exists() else b""
            lines, bad = read_lines(content)
            return lines if lines and not bad and content.endswith(b"\n") else _anew(file, content, lines)
    except OSError as error:
        raise _closed(file, error) from error


def _anew(file: Path, content: bytes, lines: list[Line]) -> list[Line]:
    """A new file with the lines that could be read of the old one, which is set aside."""
    try:
        if content:
            # Written before the file itself is: whenever this is cut short, all is still there.
            aside = _aside(file)
            write_atomically(aside, content)
            warnings.warn(say("lessons.progress_damaged", file=file, aside=aside, count=len(lines)), stacklevel=2)
        lines = lines or [Line(id=secrets.token_hex(8), what="begin")]
        write_atomically(file, _written(lines))
    except RequestError as error:
        raise RequestError("lessons.progress_closed", file=file, reason=error.values["reason"]) from error
    return lines


def _aside(file: Path) -> Path:
    number = 1
    while (aside := file.with_name(f"{file.name}.damaged-{number}")).exists():
        number += 1
    return aside


def _written(lines: Iterable[Line]) -> bytes:
    return b"".join(line.model_dump_json(exclude_defaults=True).encode() + b"\n" for line in lines)


def _lock(file: Path) -> Path:
    return file.with_name(f"{file.name}.lock")


def _closed(file: Path, error: OSError) -> RequestError:
    return RequestError("lessons.progress_closed", file=file, reason=error.strerror or str(error))
