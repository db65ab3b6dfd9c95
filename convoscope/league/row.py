"""The registry of the league's rows, and what a row says; its own module, so that a row's file can register itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from convoscope.core.messages import language
from convoscope.core.registry import Registry
from convoscope.data import ImageData

SEEDS = 3
"""Seeds of a row that depends on chance, if nobody asks for another number."""


@dataclass(frozen=True)
class Work:
    """What a learner is told when it is measured.

    Attributes:
        seed: decides all that is drawn.
        quick: whether a smaller budget is wanted; see `Row`.
        folder: where it may keep what a later process goes on from; made by whoever needs it.
        progress: called with the share that is done, from 0 to 1, by learners that know it.
    """

    seed: int
    quick: bool
    folder: Path
    progress: Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Measured:
    """What a learner did.

    Attributes:
        predictions: (N,) class numbers of the test pictures.
        seconds: of learning.
        predict_seconds: of predicting the test set.
        size_bytes: of what was learned.
        parameters: learned numbers, where a method has a fixed number of them.
        train_flops: floating-point operations of learning, where they are known.
        precision: what a network's products were computed in while it learned.
        threads: on how many it learned, where the learner itself says so.
    """

    predictions: NDArray[np.int64]
    seconds: float
    predict_seconds: float
    size_bytes: int
    parameters: int | None = None
    train_flops: float | None = None
    precision: str | None = None
    threads: str | None = None


class Learner(Protocol):
    """What learns in a row.

    Attributes:
        libraries: modules that measuring imports only then, and that take long to load.
    """

    libraries: ClassVar[tuple[str, ...]]

    def settings(self, data: ImageData, quick: bool) -> dict[str, Any]:
        """All parameters that decide the result, JSON-ready."""

    def code(self, data: ImageData) -> set[str]:
        """The modules whose code decides the result."""

    def check(self, data: ImageData) -> None:
        """Refuse data that the method can't take.

        Raises:
            RequestError: with the reason.
        """

    def measure(self, data: ImageData, work: Work) -> Measured:
        """Learn from the training pictures, and predict the test pictures."""


@dataclass(frozen=True)
class Row:
    """A row of the league.

    Attributes:
        place: where it stands in the table, smallest first.
        names: language -> what the table calls it.
        learner: what learns.
        stochastic: whether it depends on chance, so that it is run with several seeds.
        seconds: about how long one seed takes on two cores, on the whole of MNIST and with ``--quick``; the forecast of
            the time left is made of these and of what is measured.
        published_error: a share; None where nobody's figure is cited.
        published_on: the data set, all of it, on which that figure was reached.
        source: where that figure, or the method, was published.
        notes: language -> what must be said beside the figure.
    """

    place: int
    names: Mapping[str, str]
    learner: Learner
    stochastic: bool
    seconds: tuple[float, float]
    published_error: float | None = None
    source: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    published_on: str = "mnist"

    @property
    def name(self) -> str:
        """The name in the language in use."""
        return self.names[language()]

    @property
    def note(self) -> str:
        """What must be said beside the figure, in the language in use; empty where nothing must."""
        return self.notes.get(language(), "")

    def published_for(self, data_set: str | None) -> float | None:
        """The published error, if it is one on `data_set`; with errors on other pictures it can't be compared."""
        return self.published_error if data_set == self.published_on else None

    def seeds(self, asked: int | None) -> range:
        """The seeds to run: as many as asked for, and one where nothing depends on chance."""
        return range((asked or SEEDS) if self.stochastic else 1)


registry: Registry[Row] = Registry("league_row", "convoscope.league.rows")


def ordered() -> list[str]:
    """The names of all rows, in the order of the table."""
    return sorted(registry, key=lambda name: registry.get(name).place)


def find_row(asked: str) -> str:
    """The short name of the row that `asked` names: by its short name, or by the words of the table in a language.

    Raises:
        RequestError: no such row.
    """
    words = asked.strip().casefold()
    for name in ordered():
        if words in (name, *(spoken.casefold() for spoken in registry.get(name).names.values())):
            return name
    registry.get(asked)  # raises, and lists the rows
    raise AssertionError(asked)
