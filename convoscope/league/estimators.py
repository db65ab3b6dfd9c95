"""Rows that are classical learners: scikit-learn estimators of `convoscope.classical`."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from convoscope import classical
from convoscope.core.errors import RequestError
from convoscope.core.memory import usable_memory
from convoscope.core.spec import Spec
from convoscope.data import ImageData
from convoscope.league.identity import closure
from convoscope.league.row import Measured, Work

_ROOMS = ("convoscope.classical.", "convoscope.data.")
_WITHOUT = frozenset({"convoscope.classical._registry", "convoscope.classical._limits"})


@dataclass(frozen=True)
class Estimator:
    """A classical learner with its parameters.

    Attributes:
        name: in the registry of `convoscope.classical`.
        parameters: those that differ from the learner's own.
        quick: those that ``--quick`` changes.
        least: training pictures that it needs.
        memory: bytes that it will hold, where the size of the pictures may make that more than a machine has.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] = field(default_factory=dict)
    least: int = 2
    memory: Callable[[ImageData], int] | None = None

    libraries: ClassVar[tuple[str, ...]] = ()

    def settings(self, data: ImageData, quick: bool) -> dict[str, Any]:  # noqa: ARG002 (the same for all data)
        """The learner's name, and all its parameters but the seed."""
        given = classical.registry.get(self.name).parameters | self._given(quick)
        return {"learner": self.name, **{name: value for name, value in given.items() if name != "random_state"}}

    def code(self, data: ImageData) -> set[str]:  # noqa: ARG002
        """The learner's own file, and what it uses of its room and of the pictures' transformers."""
        return closure([classical.registry.get(self.name).build.__module__], _ROOMS, _WITHOUT)

    def check(self, data: ImageData) -> None:
        """Refuse colour where only grey will do, a single class, too few pictures, and too large ones."""
        learner = classical.registry.get(self.name)
        if not learner.colour and data.shape[0] != 1:
            raise RequestError("league.grey_only", channels=data.shape[0])
        if len(np.unique(data.train.labels)) < 2:
            raise RequestError("league.one_class")
        if len(data.train) < self.least:
            raise RequestError("league.too_few", least=self.least, found=len(data.train))
        needed, there = 0 if self.memory is None else self.memory(data), usable_memory()
        if there is not None and needed > there:
            height, width = data.shape[1:]
            gigabytes = {"needed": f"{needed / 1e9:.0f}", "found": f"{there / 1e9:.0f}"}
            raise RequestError("league.too_large", height=height, width=width, **gigabytes)

    def measure(self, data: ImageData, work: Work) -> Measured:
        """Fit, then predict."""
        given = self._given(work.quick)
        if "random_state" in classical.registry.get(self.name).parameters:
            given["random_state"] = work.seed
        learner = classical.build(Spec(self.name), **given)
        begun = time.perf_counter()
        learner.fit(data.train.images, data.train.labels)
        fitted = time.perf_counter()
        predictions = np.asarray(learner.predict(data.test.images), np.int64)
        done = time.perf_counter()
        return Measured(predictions, fitted - begun, done - fitted, _size(learner))

    def _given(self, quick: bool) -> dict[str, Any]:
        return {**self.parameters, **(self.quick if quick else {})}


class _Counter:
    """A file that only counts what is written to it."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, content: Any) -> int:
        length = memoryview(content).nbytes
        self.bytes += length
        return length


def _size(learner: Any) -> int:
    """Bytes of a fitted learner, as it would be stored; nothing is."""
    counter = _Counter()
    pickle.dump(learner, counter, protocol=5)
    return counter.bytes
