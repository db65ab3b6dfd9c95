"""The interface of the exercises: which there are, their questions, marking, hints and explanations.

A question never holds its answer. Progress is the one of whoever started the server, so only that computer reads and
writes it; who asks from elsewhere is marked, and nothing is kept. What a student programs is never run here.
"""

from __future__ import annotations

import random
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt

from convoscope.core.errors import RequestError
from convoscope.lessons import progress
from convoscope.lessons.exercise import MOST_SEED, Exercise, own_seed
from convoscope.lessons.listing import listed
from convoscope.lessons.registry import Kind, registry
from convoscope.lessons.task import Figure
from convoscope.web.faults import FAULTS
from convoscope.web.guard import LOOPBACK

router = APIRouter(prefix="/api/v1/exercises", responses=FAULTS)

Seed = Annotated[int | None, Query(ge=0, le=MOST_SEED, description="Which numbers; your own, if not given.")]


class _Told(BaseModel):
    """Read from what holds the same attributes."""

    model_config = ConfigDict(from_attributes=True)


class StateAnswer(_Told):
    """How far the student is with an exercise."""

    name: Literal["new", "begun", "solved"]
    attempts: int = Field(description="Until the first right answer, that included.")
    hints: int
    explained: bool = Field(description="Whether the explanation was read before it was solved.")
    solved: str | None = Field(description="When, UTC.")


class EntryAnswer(_Told):
    """An exercise in the list."""

    name: str
    topic: str
    topic_title: str
    kind: Kind
    title: str
    state: StateAnswer


class ListAnswer(BaseModel):
    """All exercises in the lecture's order."""

    recorded: bool = Field(description="Whether progress is kept for whoever asks.")
    exercises: list[EntryAnswer]


class ChoiceAnswer(BaseModel):
    """One of the answers to choose from."""

    letter: str
    text: str


class FigureAnswer(BaseModel):
    """Numbers that belong to the question."""

    name: str
    caption: str
    kind: Literal["matrix", "table", "picture"]
    shape: list[int]
    numbers: list[Any] = Field(description="(rows, columns); of a picture (H, W) or (C, H, W), from 0 to 255.")
    columns: list[str] = Field(description="Headings of a table, or none.")
    rows: list[str] = Field(description="What each row of a table is, or none.")


class ExerciseAnswer(BaseModel):
    """An exercise with its numbers, without its answer."""

    name: str
    topic: str
    kind: Kind
    title: str
    seed: int
    question: str
    form: str = Field(description="What an answer looks like.")
    choices: list[ChoiceAnswer]
    figures: list[FigureAnswer]
    hints: int = Field(description="How many steps of hints there are.")
    state: StateAnswer
    notebook: str | None = Field(description="How to do it in a notebook, for exercises that ask for code.")


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seed: int = Field(ge=0, le=MOST_SEED, description="The seed of the question.")


class CheckRequest(_Asked):
    """An answer to mark."""

    answer: Annotated[str, Field(max_length=500)] | StrictInt | StrictFloat = Field(
        description="A choice's letter or words, or a number, also as it is typed."
    )


class HintRequest(_Asked):
    """A hint."""

    step: Literal[1, 2] = 1


class ExplainRequest(_Asked):
    """The answer."""


class VerdictAnswer(BaseModel):
    """What became of an answer."""

    correct: bool
    usable: bool = Field(description="Whether it was an answer at all; one that was not is no attempt.")
    message: str
    explanation: str | None = Field(description="How the answer comes about, once it was right.")
    state: StateAnswer


class WordsAnswer(BaseModel):
    """A hint or an explanation."""

    text: str
    state: StateAnswer


@router.get("")
def exercises(request: Request) -> ListAnswer:
    """The exercises in the lecture's order, with the student's state."""
    recorded = _recorded(request)
    listing = listed(progress.done() if recorded else [])
    return ListAnswer(recorded=recorded, exercises=[EntryAnswer.model_validate(entry) for entry in listing])


@router.get("/{name}")
def exercise(request: Request, name: str, seed: Seed = None) -> ExerciseAnswer:
    """A question with its choices and figures."""
    found = _posed(request, name, seed)
    return ExerciseAnswer(
        name=found.name,
        topic=found.topic,
        kind=found.kind,
        title=found.title,
        seed=found.seed,
        question=found.question,
        form=found.form,
        choices=[ChoiceAnswer(letter=letter, text=text) for letter, text in found.choices.items()],
        figures=[_figure(figure) for figure in found.drawn],
        hints=2,
        state=_state(request, name),
        notebook=_call(found) if found.kind == "code" else None,
    )


@router.post("/{name}/check")
def check(request: Request, name: str, asked: CheckRequest) -> VerdictAnswer:
    """Mark an answer. Code is marked in a notebook: it is never run here."""
    found = _posed(request, name, asked.seed)
    if found.kind == "code":
        raise RequestError("web.exercise_code", field="answer", call=_call(found))
    verdict = found.check(asked.answer)
    return VerdictAnswer(
        correct=verdict.correct,
        usable=verdict.usable,
        message=verdict.message,
        explanation=found.explain() if verdict.correct else None,
        state=_state(request, name),
    )


@router.post("/{name}/hint")
def hint(request: Request, name: str, asked: HintRequest) -> WordsAnswer:
    """A hint, in two steps."""
    text = _posed(request, name, asked.seed).hint(asked.step)
    return WordsAnswer(text=text, state=_state(request, name))


@router.post("/{name}/explain")
def explain(request: Request, name: str, asked: ExplainRequest) -> WordsAnswer:
    """The answer, and how it comes about: for who has solved it, or gives up."""
    text = _posed(request, name, asked.seed).explain()
    return WordsAnswer(text=text, state=_state(request, name))


def _recorded(request: Request) -> bool:
    return request.client is not None and request.client.host in LOOPBACK


def _posed(request: Request, name: str, seed: int | None) -> Exercise:
    """The exercise, in the language of the request.

    Raises:
        RequestError: there is none of that name.
    """
    member, recorded = registry.get(name), _recorded(request)
    if seed is None:
        seed = own_seed(name) if recorded else random.randint(0, MOST_SEED)
    return Exercise(member, seed, recorded=recorded)


def _call(found: Exercise) -> str:
    return f'convoscope.exercise("{found.name}", seed={found.seed})'


def _figure(figure: Figure) -> FigureAnswer:
    return FigureAnswer(
        name=figure.name,
        caption=str(figure.caption),
        kind=figure.kind,
        shape=list(figure.numbers.shape),
        numbers=figure.numbers.tolist(),
        columns=[str(name) for name in figure.columns],
        rows=[str(name) for name in figure.rows],
    )


def _state(request: Request, name: str) -> StateAnswer:
    return StateAnswer.model_validate(progress.state(progress.done() if _recorded(request) else [], name))
