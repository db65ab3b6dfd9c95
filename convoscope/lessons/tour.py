"""What a lesson is: steps on the page, each with a heading, a text, and what it opens and asks.

A lesson is a YAML file; `convoscope.lessons.tour_file` reads one. What its entries mean is in docs/writing-lessons.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    model_validator,
)

from convoscope.convolution import parse_padding, parse_pair, read_kernel
from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES
from convoscope.lessons.exercise import MOST_SEED
from convoscope.lessons.registry import registry as exercises
from convoscope.lessons.tour_text import read_text

MOST_STEPS = 100
SERVED = "served"

_INPUT = r"^[13]x[1-9]\d{0,2}x[1-9]\d{0,2}$"


def _worded(value: Any, info: ValidationInfo) -> dict[str, str]:
    """A text as {language: text}; in a lesson of one language it may be written without the language."""
    languages = (info.context or {}).get("languages", LANGUAGES)
    given = {languages[0]: value} if isinstance(value, str) and len(languages) == 1 else value
    right = isinstance(given, Mapping) and set(given) == set(languages)
    if not right or not all(isinstance(text, str) and text.strip() for text in given.values()):
        raise RequestError("tours.words", languages=", ".join(languages))
    return {language: given[language].strip() for language in languages}


def _short(value: Mapping[str, str]) -> Mapping[str, str]:
    if max(len(text) for text in value.values()) > 200:
        raise RequestError("tours.long", most=200)
    return value


def _text(value: Mapping[str, str]) -> Mapping[str, str]:
    if max(len(text) for text in value.values()) > 8000:
        raise RequestError("tours.long", most=8000)
    for text in value.values():
        read_text(text)
    return value


def _typed(value: Any) -> Any:
    """Whole numbers as the page's address has them: 2, or 2,1."""
    if isinstance(value, list) and value and all(type(one) is int for one in value):
        return ",".join(map(str, value))
    return str(value) if type(value) is int else value


def _padding(value: Any) -> Any:
    typed = _typed(value)
    if isinstance(typed, str):
        parse_padding(typed)
    return typed


def _pair(value: Any, info: ValidationInfo) -> Any:
    typed = _typed(value)
    if isinstance(typed, str):
        parse_pair(typed, str(info.field_name))
    return typed


def _kernel(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(row, list) for row in value):
        value = ";".join(",".join(map(str, row)) for row in value)
    if not isinstance(value, str):
        return value
    read_kernel(value)
    return value.strip()


def _exercise(value: str) -> str:
    exercises.get(value)
    return value


Words: TypeAlias = Annotated[dict[str, str], BeforeValidator(_short), BeforeValidator(_worded)]
Markdown: TypeAlias = Annotated[dict[str, str], BeforeValidator(_text), BeforeValidator(_worded)]
Pair: TypeAlias = Annotated[str, BeforeValidator(_pair)]
Padding: TypeAlias = Annotated[str, BeforeValidator(_padding)]
Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Index: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=100_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Bench(_Part):
    """The kernel bench as a step opens it; the picture is the step's image."""

    kernel: Annotated[str, BeforeValidator(_kernel)] | None = None
    padding: Padding = "valid"
    stride: Pair = "1"
    dilation: Pair = "1"
    channels: Literal["each", "sum"] = "each"
    pool: Literal["max", "avg"] | None = None
    size: Pair = "2"
    pool_stride: Pair | None = None
    pool_padding: Padding = "valid"
    at: tuple[Index, Index] = (0, 0)

    @model_validator(mode="after")
    def _something(self) -> Bench:
        if self.kernel is None and self.pool is None:
            raise RequestError("tours.bench_empty")
        return self

    def query(self) -> dict[str, str]:
        """The setting as the page's address has it."""
        stage = int(self.kernel is not None and self.pool is not None)
        return {
            "kernel": self.kernel or "none",
            "padding": self.padding,
            "stride": self.stride,
            "dilation": self.dilation,
            "channels": self.channels,
            "pool": self.pool or "none",
            "poolSize": self.size,
            "poolStride": self.pool_stride or "",
            "poolPadding": self.pool_padding,
            "at": f"{stage},0,{self.at[0]},{self.at[1]}",
        }


class NetworkLevel(_Part):
    """The network level as a step opens it: with a network that has learned nothing yet, or with a run."""

    model: str | None = None
    input: Annotated[str, StringConstraints(pattern=_INPUT)] = "1x28x28"
    run: str | None = None
    layer: str | None = None
    unit: tuple[Index, Index, Index] | None = None
    sample: Index | None = None

    @model_validator(mode="after")
    def _one(self) -> NetworkLevel:
        if (self.model is None) == (self.run is None):
            raise RequestError("tours.network_one")
        return self

    @property
    def served(self) -> bool:
        """Whether it is the run that the page was opened with."""
        return self.run == SERVED

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of the pictures of `model`."""
        channels, height, width = map(int, self.input.split("x"))
        return channels, height, width

    def query(self) -> dict[str, str]:
        """Layer, unit and test picture as the page's address has them; what is not given is left out."""
        unit = None if self.unit is None else ",".join(map(str, self.unit))
        given = {"layer": self.layer, "unit": unit, "sample": None if self.sample is None else str(self.sample)}
        return {name: value for name, value in given.items() if value is not None}


class ExerciseQuestion(_Part):
    """One of the exercises, with the reader's own numbers or with those of `seed`."""

    exercise: Annotated[str, BeforeValidator(_exercise)]
    seed: Annotated[int, Field(strict=True, ge=0, le=MOST_SEED)] | None = None


class ChoiceQuestion(_Part):
    """A question with several answers, one of which is right: the one that `answer` counts, from 1."""

    ask: Markdown
    choices: Annotated[list[Words], Field(min_length=2, max_length=8)]
    answer: Annotated[int, Field(strict=True, ge=1)]
    explanation: Markdown

    @model_validator(mode="after")
    def _there(self) -> ChoiceQuestion:
        if self.answer > len(self.choices):
            raise RequestError("tours.answer_beyond", answer=self.answer, count=len(self.choices))
        return self


class NumberQuestion(_Part):
    """A question whose answer is a number, with `digits` decimals; a whole one must be met exactly."""

    ask: Markdown
    answer: Annotated[float, Field(strict=True)]
    digits: Annotated[int, Field(strict=True, ge=0, le=6)] = 0
    explanation: Markdown

    @model_validator(mode="after")
    def _whole(self) -> NumberQuestion:
        if not self.digits and self.answer != int(self.answer):
            raise RequestError("tours.digits", answer=self.answer)
        return self


def _kind(value: Any) -> str:
    if isinstance(value, BaseModel):
        return type(value).__name__
    if isinstance(value, Mapping) and "exercise" not in value:
        return "ChoiceQuestion" if "choices" in value else "NumberQuestion"
    return "ExerciseQuestion"


def _named(value: Any) -> Any:
    return {"exercise": value} if isinstance(value, str) else value


Question: TypeAlias = Annotated[
    Annotated[ExerciseQuestion, Tag("ExerciseQuestion")]
    | Annotated[ChoiceQuestion, Tag("ChoiceQuestion")]
    | Annotated[NumberQuestion, Tag("NumberQuestion")],
    Discriminator(_kind),
    BeforeValidator(_named),
]


class Step(_Part):
    """One step: a heading and a text, and what it opens on the page and asks, if anything."""

    name: Name
    heading: Words
    text: Markdown
    image: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    bench: Bench | None = None
    network: NetworkLevel | None = None
    league: Annotated[list[str], Field(min_length=1, max_length=40)] | None = None
    question: Question | None = None

    @model_validator(mode="after")
    def _one_level(self) -> Step:
        opened = [name for name in ("bench", "network", "league") if getattr(self, name) is not None]
        if len(opened) > 1:
            raise RequestError("tours.one_level", levels=", ".join(opened))
        if self.image is not None and opened and opened != ["bench"]:
            raise RequestError("tours.image_beside", level=opened[0])
        return self


class Tour(_Part):
    """A lesson. Its steps have different names."""

    languages: Annotated[list[Literal["en", "es"]], Field(min_length=1, max_length=2)]
    title: Words
    steps: Annotated[list[Step], Field(min_length=1, max_length=MOST_STEPS)]

    def step(self, name: str) -> Step:
        """The step `name`.

        Raises:
            RequestError: there is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise RequestError("tours.no_step", field="step", asked=name, known=", ".join(step.name for step in self.steps))
