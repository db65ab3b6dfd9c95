"""The exercises there are: one topic a file in `convoscope/lessons/exercises/`, which registers what it holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from convoscope.core.messages import Both
from convoscope.core.registry import Registry
from convoscope.lessons.task import Draw, Task

Kind = Literal["choice", "number", "code"]
Pose = Callable[[Draw], Task]

_places = itertools.count()


@dataclass(frozen=True)
class Topic:
    """A chapter of the lecture.

    Args:
        name: how it is asked for.
        order: its place in the lecture.
        title: what it is called.
    """

    name: str
    order: int
    title: Both

    def exercise(
        self, name: str, kind: Kind, *, title: Both, question: Both, hints: tuple[Both, Both], explanation: Both
    ) -> Callable[[Pose], Pose]:
        """Decorator: the function draws the numbers of the exercise `name`.

        Args:
            name: how it is asked for.
            kind: what is asked for.
            title: what it is called.
            question: names the task's values in braces.
            hints: two steps; neither gives the answer away.
            explanation: how the answer comes about; the answer itself is put before it.
        """

        def add(pose: Pose) -> Pose:
            member = Member(name, self, kind, next(_places), title, question, hints, explanation, pose)
            registry.register(name)(member)
            return pose

        return add


@dataclass(frozen=True)
class Member:
    """An exercise before its numbers are drawn; see `Topic.exercise`."""

    name: str
    topic: Topic
    kind: Kind
    place: int
    title: Both
    question: Both
    hints: tuple[Both, Both]
    explanation: Both
    pose: Pose


registry: Registry[Member] = Registry("exercise", "convoscope.lessons.exercises")


def in_order() -> list[Member]:
    """All exercises in the lecture's order."""
    return sorted((registry.get(name) for name in registry), key=lambda member: (member.topic.order, member.place))
