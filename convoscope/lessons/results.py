"""The progress of one student or of many as a table for the teacher: a row for each student and exercise."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically
from convoscope.lessons.progress import Line, read_lines, state
from convoscope.lessons.registry import in_order

COLUMNS = (
    *("student", "exercise", "topic", "state", "attempts", "hints", "explained", "own_numbers", "begun", "solved"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")."""


def read_progress(file: Path) -> list[Line]:
    """The lines of a student's file of progress.

    Raises:
        RequestError: it is not there, can't be read, or is no file of progress.
    """
    try:
        lines, bad = read_lines(file.read_bytes())
    except OSError as error:
        raise RequestError("lessons.results_unreadable", file=file, reason=error.strerror or str(error)) from error
    if bad or not lines:
        raise RequestError("lessons.results_form", file=file, line=bad[0] if bad else 1)
    return lines


def results(lines: Sequence[Line]) -> list[dict[str, str | int]]:
    """A row for each student and exercise, students in the order of their names; the same line twice counts once."""
    students: dict[str, list[Line]] = {}
    # The file of one student may be handed in twice, or from two computers.
    for line in sorted(dict.fromkeys(lines), key=lambda line: line.at):
        if line.what != "begin":
            students.setdefault(line.who, []).append(line)
    return [
        _row(student, member.name, member.topic.name, done)
        for student, done in sorted(students.items())
        for member in in_order()
    ]


def write_results(file: Path, rows: Sequence[dict[str, str | int]]) -> None:
    """Write the table as CSV, which spreadsheets open; text that they would take for a formula gets a ``'`` before it.

    Raises:
        RequestError: the file is there already, or can't be written.
    """
    check_place(file)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    # With the mark of UTF-8 at its beginning, since spreadsheets would read it as something else.
    write_atomically(file, text.getvalue().encode("utf-8-sig"))


def check_place(file: Path) -> None:
    """Refuse a file that is there already.

    Raises:
        RequestError: it is.
    """
    if file.exists():
        raise RequestError("lessons.results_exist", file=file)


def _row(student: str, exercise: str, topic: str, done: Sequence[Line]) -> dict[str, str | int]:
    found = state(done, exercise)
    return {
        "student": student,
        "exercise": exercise,
        "topic": topic,
        "state": found.name,
        "attempts": found.attempts,
        "hints": found.hints,
        "explained": int(found.explained),
        "own_numbers": int(found.own),
        "begun": found.begun or "",
        "solved": found.solved or "",
    }


def _harmless(value: str | int) -> str | int:
    if not isinstance(value, str):
        return value
    text = "".join(sign if sign.isprintable() else " " for sign in value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
