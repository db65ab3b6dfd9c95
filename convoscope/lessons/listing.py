"""All exercises with the student's state, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from convoscope.core.messages import language, say, using_language
from convoscope.core.tables import aligned
from convoscope.lessons import progress
from convoscope.lessons.markup import table_html
from convoscope.lessons.progress import State
from convoscope.lessons.registry import Kind, in_order


@dataclass(frozen=True)
class Entry:
    """An exercise in the list.

    Args:
        name: how it is asked for.
        topic: the chapter of the lecture.
        topic_title: what that is called.
        kind: "choice", "number" or "code".
        title: what it is called.
        state: how far the student is with it.
    """

    name: str
    topic: str
    topic_title: str
    kind: Kind
    title: str
    state: State


class Listing(Sequence[Entry]):
    """The exercises in the lecture's order; ``str`` of it is a table.

    Args:
        entries: the exercises.
        lang: "en" or "es".
    """

    def __init__(self, entries: Sequence[Entry], lang: str) -> None:
        self._entries = tuple(entries)
        self.lang = lang

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Any:
        """An entry, or several."""
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def solved(self) -> int:
        """How many are solved."""
        return sum(entry.state.name == "solved" for entry in self)

    def __str__(self) -> str:
        with using_language(self.lang):
            return "\n".join([*aligned([_head(), *map(_row, self)], len(_head())), "", self._sum()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        with using_language(self.lang):
            return table_html(_head(), [_row(entry) for entry in self]) + f"<p>{self._sum()}</p>"

    def _sum(self) -> str:
        return say("lessons.list_solved", solved=self.solved, count=len(self))


def exercises(lang: str | None = None) -> Listing:
    """All exercises in the lecture's order, with how far the student at work is.

    Args:
        lang: "en" or "es"; the language in use, if not given.

    Raises:
        RequestError: no such language, or the file of progress can't be read.
    """
    with using_language(language() if lang is None else lang):
        return listed(progress.done())


def listed(lines: Sequence[progress.Line]) -> Listing:
    """All exercises, with how far the student who did `lines` is."""
    entries = [
        Entry(
            member.name,
            member.topic.name,
            str(member.topic.title),
            member.kind,
            str(member.title),
            progress.state(lines, member.name),
        )
        for member in in_order()
    ]
    return Listing(entries, language())


def _head() -> list[str]:
    return [say(f"lessons.head_{column}") for column in ("name", "topic", "title", "state", "attempts", "hints")]


def _row(entry: Entry) -> list[str]:
    state = entry.state
    return [
        entry.name,
        entry.topic_title,
        entry.title,
        say(f"lessons.state_{state.name}"),
        str(state.attempts or ""),
        str(state.hints or ""),
    ]
