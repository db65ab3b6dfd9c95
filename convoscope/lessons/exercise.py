"""An exercise as a student meets it: with its own numbers, asked, hinted at, marked and explained.

exercise = cs.exercise("padding-size")
exercise.check(26)
"""

from __future__ import annotations

import hashlib
import string
from typing import Any

from convoscope.convolution.arrays import Array
from convoscope.convolution.worked import table
from convoscope.core.errors import RequestError
from convoscope.core.messages import Both, language, say, using_language
from convoscope.lessons import progress
from convoscope.lessons.answers import choice_form, choice_told, judge_choice, judge_number, number_form, number_told
from convoscope.lessons.code import judge_code
from convoscope.lessons.markup import exercise_html, text_table
from convoscope.lessons.registry import Kind, Member, registry
from convoscope.lessons.task import Choice, Code, Draw, Figure, Number, Task
from convoscope.lessons.verdict import Verdict, Words

MOST_SEED = 2**32 - 1


def exercise(name: str, seed: int | None = None, lang: str | None = None) -> Exercise:
    """The exercise `name`.

    Args:
        name: one of `convoscope.exercises`.
        seed: which numbers; the student's own, if not given.
        lang: "en" or "es"; the language in use, if not given.

    Raises:
        RequestError: no such exercise or language, a seed that is no whole number from 0 to 4294967295, or the file
            of progress, in which the student's number is kept, can't be read or made.
    """
    member = registry.get(name)
    with using_language(lang if lang is not None else language()):
        if seed is not None and (type(seed) is not int or not 0 <= seed <= MOST_SEED):
            raise RequestError("lessons.seed", field="seed", asked=seed, most=MOST_SEED)
        return Exercise(member, own_seed(name) if seed is None else seed)


def own_seed(name: str) -> int:
    """The seed of the student at work for the exercise `name`.

    Raises:
        RequestError: the file of progress can't be read or made.
    """
    digest = hashlib.sha256(f"{progress.student()}\n{name}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


class Exercise:
    """An exercise with its numbers drawn, in the language in use; ``str`` of it is the question.

    Args:
        member: the exercise.
        seed: which numbers.
        recorded: whether attempts and hints go into the student's file of progress.
    """

    def __init__(self, member: Member, seed: int, *, recorded: bool = True) -> None:
        self._member = member
        self.seed = seed
        self.lang = language()
        self._recorded = recorded
        self._step = 0
        draw = Draw(f"{member.name} {seed}")
        self._task: Task = member.pose(draw)
        self._choices, self._right = _shuffled(self._task.answer, draw)

    @property
    def name(self) -> str:
        """How it is asked for."""
        return self._member.name

    @property
    def topic(self) -> str:
        """The chapter of the lecture."""
        return self._member.topic.name

    @property
    def kind(self) -> Kind:
        """What is asked for: "choice", "number" or "code"."""
        return self._member.kind

    @property
    def title(self) -> str:
        """What it is called."""
        return self._said(self._member.title)

    @property
    def question(self) -> str:
        """What is asked, without the choices and figures."""
        return self._said(self._member.question)

    @property
    def form(self) -> str:
        """What an answer looks like."""
        with using_language(self.lang):
            answer = self._task.answer
            if isinstance(answer, Choice):
                return choice_form(self._choices)
            if isinstance(answer, Code):
                return say("lessons.form_code", signature=answer.signature)
            return number_form(answer.digits)

    @property
    def choices(self) -> dict[str, str]:
        """Letter -> answer, of a multiple choice; else empty."""
        return dict(self._choices)

    @property
    def figures(self) -> dict[str, Array]:
        """Name -> numbers that belong to the question: (rows, columns), or a picture (H, W) or (C, H, W)."""
        return {figure.name: figure.numbers.copy() for figure in self._task.figures}

    @property
    def drawn(self) -> tuple[Figure, ...]:
        """The figures with their captions."""
        return tuple(self._task.figures)

    def hint(self, step: int | None = None) -> Words:
        """The next hint; there are two, and the second stays.

        Args:
            step: 1 or 2, to ask for one of them.

        Raises:
            RequestError: another step, or the file of progress can't be written.
        """
        hints = self._member.hints
        asked = min(self._step + 1, len(hints)) if step is None else step
        if type(asked) is not int or not 1 <= asked <= len(hints):
            with using_language(self.lang):
                raise RequestError("lessons.step", field="step", asked=step, most=len(hints))
        self._step = max(self._step, asked)
        self._note("hint", step=asked)
        with using_language(self.lang):
            head = say("lessons.hint_head", step=asked, count=len(hints))
        return Words(f"{head} {self._said(hints[asked - 1])}")

    def check(self, answer: Any) -> Verdict:
        """Mark an answer: a choice's letter or words, a number, or a function.

        Raises:
            RequestError: the file of progress can't be written.
        """
        with using_language(self.lang):
            verdict = self._judge(answer)
            if verdict.usable:
                self._note("attempt", correct=verdict.correct)
            return verdict

    def explain(self) -> Words:
        """The answer, and how it comes about.

        Raises:
            RequestError: the file of progress can't be written.
        """
        self._note("explain")
        with using_language(self.lang):
            return Words(f"{self._answer()}\n\n{self._said(self._member.explanation)}")

    def __str__(self) -> str:
        parts = [f"{self.title} ({self.name})", self.question, *map(self._figure, self._task.figures)]
        if self._choices:
            parts.append("\n".join(f"  {letter}) {words}" for letter, words in self._choices.items()))
        return "\n\n".join([*parts, self.form])

    def __repr__(self) -> str:
        return f"<Exercise {self.name} {self.kind} seed={self.seed}>"

    def _repr_html_(self) -> str:
        with using_language(self.lang):
            return exercise_html(self)

    def _judge(self, given: Any) -> Verdict:
        answer = self._task.answer
        if isinstance(answer, Choice):
            return judge_choice(answer, self._choices, self._right, given)
        if isinstance(answer, Number):
            return judge_number(answer, given)
        return judge_code(answer, Draw(f"{self.name} cases {self.seed}"), given)

    def _answer(self) -> str:
        answer = self._task.answer
        if isinstance(answer, Choice):
            return choice_told(self._right, self._choices)
        if isinstance(answer, Number):
            return number_told(answer)
        return say("lessons.answer_code", solution=answer.solution.strip("\n"))

    def _figure(self, figure: Figure) -> str:
        with using_language(self.lang):
            head = f"{figure.name}: {figure.caption}"
            if figure.kind == "picture":
                return f"{head} ({' × '.join(map(str, figure.numbers.shape))})"
            if figure.kind == "matrix":
                return f"{head}\n{table(figure.numbers)}"
            return f"{head}\n{text_table(figure)}"

    def _said(self, text: Both) -> str:
        with using_language(self.lang):
            return str(text).format(**self._values())

    def _values(self) -> dict[str, Any]:
        answer = self._task.answer
        own = {"answer": answer.written()} if isinstance(answer, Number) else {}
        return {**own, **self._task.values}

    def _note(self, what: Any, **more: Any) -> None:
        if self._recorded:
            progress.add(what, self.name, self.seed, own=self.seed == own_seed(self.name), **more)


def _shuffled(answer: Choice | Number | Code, draw: Draw) -> tuple[dict[str, str], str]:
    """The choices in an order of their own, letter -> words, and the right letter; empty where there are none."""
    if not isinstance(answer, Choice):
        return {}, ""
    right = str(answer.right)
    # A wrong number may come out as another one: each is there once.
    words = list(dict.fromkeys([right, *(str(slip.value) for slip in answer.wrong)]))
    draw.shuffle(words)
    choices = dict(zip(string.ascii_lowercase, words, strict=False))
    return choices, next(letter for letter, said in choices.items() if said == right)
