"""The interface of lessons: which there are, the steps of one, their pictures, and answers to their own questions."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, using_language
from convoscope.core.messages import language as language_in_use
from convoscope.lessons.tour import ChoiceQuestion, ExerciseQuestion, NumberQuestion, Step
from convoscope.lessons.tour_question import answer_line, choices, form, judge, spoken
from convoscope.lessons.tour_text import Node, read_text
from convoscope.web.api_bench import PictureAnswer, encoded
from convoscope.web.faults import FAULTS
from convoscope.web.touring import Lessons, OpenTour

router = APIRouter(prefix="/api/v1/lessons", responses=FAULTS)


class LessonEntry(BaseModel):
    """A lesson in the list."""

    name: str
    title: dict[str, str]
    languages: list[str]
    steps: int
    given: bool = Field(description="Whether the server was started with it.")


class ExerciseAsked(BaseModel):
    """A question that is one of the exercises."""

    kind: Literal["exercise"] = "exercise"
    exercise: str
    seed: int | None


class OwnQuestion(BaseModel):
    """A question of the lesson's own, without its answer; texts in the reader's language."""

    kind: Literal["choice", "number"]
    ask: list[Node]
    choices: dict[str, str] = Field(description="Letter -> answer; empty where a number is asked for.")
    form: str = Field(description="What an answer looks like.")


class NetworkAsked(BaseModel):
    """The network level of a step."""

    of: str | None = Field(description="For ?of= of the network's interface; null for the run that is served.")
    query: dict[str, str] = Field(description="Layer, unit and test picture, as the page's address has them.")


class LeagueLine(BaseModel):
    """A row of the league."""

    name: str
    title: str
    published_error: float | None = Field(description="A share of the test pictures of MNIST.")
    source: str


class StepAnswer(BaseModel):
    """A step, in the reader's language where the lesson has it."""

    name: str
    heading: str
    text: list[Node]
    image: str | None = Field(description="The name of a picture of the bench.")
    own_image: bool = Field(description="Whether the picture is the step's own: GET …/{step}/picture.")
    bench: dict[str, str] | None = Field(description="The setting of the bench, as the page's address has it.")
    network: NetworkAsked | None
    league: list[LeagueLine] | None
    question: ExerciseAsked | OwnQuestion | None


class LessonAnswer(BaseModel):
    """A lesson with its steps."""

    name: str
    title: str
    language: str = Field(description="The language of its texts: the reader's, if the lesson has it.")
    steps: list[StepAnswer]


class AnswerRequest(BaseModel):
    """An answer to a step's own question."""

    model_config = ConfigDict(extra="forbid")

    answer: str = Field(max_length=200, description="A letter, or a number as it is typed.")


class VerdictAnswer(BaseModel):
    """What became of an answer."""

    correct: bool
    usable: bool = Field(description="Whether it was an answer at all.")
    message: str


class ExplanationAnswer(BaseModel):
    """The right answer, and how it comes about."""

    answer: str
    explanation: list[Node]


@router.get("")
def lessons(request: Request) -> list[LessonEntry]:
    """The lessons there are; the one that the server was started with comes first."""
    known: Lessons = request.app.state.lessons
    return [_entry(known.get(name), known) for name in known.names]


@router.get("/{name}")
def lesson(request: Request, name: str) -> LessonAnswer:
    """A lesson with its steps."""
    opened = _opened(request, name)
    tour = opened.file.tour
    with using_language(_language(tour.languages)):
        return LessonAnswer(
            name=name,
            title=spoken(tour.title),
            language=_language(tour.languages),
            steps=[_step(opened, step) for step in tour.steps],
        )


@router.get("/{name}/{step}/picture")
def step_picture(request: Request, name: str, step: str) -> PictureAnswer:
    """The picture of a step that has one of its own."""
    opened = _opened(request, name)
    asked = opened.file.tour.step(step)
    pixels = opened.picture(asked)
    if pixels is None:
        raise RequestError("web.lesson_no_picture", field="step", asked=step)
    return encoded(pixels)


@router.post("/{name}/{step}/check")
def check_answer(request: Request, name: str, step: str, given: AnswerRequest) -> VerdictAnswer:
    """Mark an answer to a step's own question."""
    verdict = judge(_question(request, name, step), given.answer)
    return VerdictAnswer(correct=verdict.correct, usable=verdict.usable, message=verdict.message)


@router.get("/{name}/{step}/explanation")
def explanation(request: Request, name: str, step: str) -> ExplanationAnswer:
    """The answer to a step's own question, and how it comes about."""
    question = _question(request, name, step)
    return ExplanationAnswer(answer=answer_line(question), explanation=read_text(spoken(question.explanation)))


def _opened(request: Request, name: str) -> OpenTour:
    known: Lessons = request.app.state.lessons
    return known.get(name)


def _question(request: Request, name: str, step: str) -> ChoiceQuestion | NumberQuestion:
    """The step's own question.

    Raises:
        RequestError: it has none.
    """
    question = _opened(request, name).file.tour.step(step).question
    if question is None or isinstance(question, ExerciseQuestion):
        raise RequestError("web.lesson_no_question", field="step", asked=step)
    return question


def _language(languages: list[Literal["en", "es"]]) -> str:
    """The reader's language, if the lesson has it; else the lesson's."""
    return language_in_use() if language_in_use() in languages else languages[0]


def _entry(opened: OpenTour, known: Lessons) -> LessonEntry:
    tour = opened.file.tour
    title = {language: tour.title.get(language) or spoken(tour.title) for language in LANGUAGES}
    return LessonEntry(
        name=opened.file.name,
        title=title,
        languages=list(tour.languages),
        steps=len(tour.steps),
        given=opened is known.given,
    )


def _step(opened: OpenTour, step: Step) -> StepAnswer:
    own = opened.has_own_picture(step)
    return StepAnswer(
        name=step.name,
        heading=spoken(step.heading),
        text=read_text(spoken(step.text)),
        image=None if own else step.image,
        own_image=own,
        bench=None if step.bench is None else step.bench.query(),
        network=_network(opened, step),
        league=None if step.league is None else [_line(name) for name in step.league],
        question=_asked(step),
    )


def _network(opened: OpenTour, step: Step) -> NetworkAsked | None:
    if step.network is None:
        return None
    of = None if step.network.served else f"{opened.file.name}/{step.name}"
    return NetworkAsked(of=of, query=step.network.query())


def _line(name: str) -> LeagueLine:
    from convoscope.league import registry

    row = registry.get(name)
    return LeagueLine(name=name, title=row.name, published_error=row.published_error, source=row.source)


def _asked(step: Step) -> ExerciseAsked | OwnQuestion | None:
    question = step.question
    if question is None:
        return None
    if isinstance(question, ExerciseQuestion):
        return ExerciseAsked(exercise=question.exercise, seed=question.seed)
    kind: Literal["choice", "number"] = "number" if isinstance(question, NumberQuestion) else "choice"
    return OwnQuestion(kind=kind, ask=read_text(spoken(question.ask)), choices=choices(question), form=form(question))
