"""Rows that are neural networks: a family, a recipe, and what both say is all there is to them; and committees."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.core.spec import parse_spec
from convoscope.data import ImageData
from convoscope.league.identity import closure
from convoscope.league.row import Measured, Work
from convoscope.runs.evaluation import check_views
from convoscope.runs.run import Run
from convoscope.training.launch import train
from convoscope.training.progress import Listener, Plan
from convoscope.training.recipe import Setting, setting_from
from convoscope.training.worker import split

MEMBER_SEEDS = 1000
"""Seeds of a committee's members lie this far apart from those of another committee's."""

_LEARNING = ("convoscope.league.networks", "convoscope.data.splits")
"""Where the search for the code that decides a result begins, beside the network's family."""
_ROOMS = (
    "convoscope.league.networks",
    *(f"convoscope.{room}." for room in ("convolution", "data", "models", "runs", "training")),
)
_WITHOUT = frozenset({
    # The pictures themselves: their fingerprint is part of what a result depends on.
    *(f"convoscope.data.{name}" for name in ("corrections", "decode", "loading", "sets", "types")),
    "convoscope.data",  # hands all of its room through: of that, what a training uses is taken from its own file
    # What only names, checks, stores, shows or tells. What counts decides: the rate's course follows a step's costs.
    *(f"convoscope.models.{name}" for name in ("_registry", "parameters", "shadow")),
    *(f"convoscope.runs.{name}" for name in ("environment", "folder", "pictures", "views")),
    "convoscope.training.progress",
})  # fmt: skip
"""What can't change a result. A module that isn't named counts, so that none is forgotten."""
_LIBRARIES = ("lightning_fabric",)


@dataclass(frozen=True)
class Network:
    """A network and how it is trained.

    Attributes:
        recipe: its name, with changes if wished.
        model: its specification; the recipe's own if None.
        quick_epochs: with ``--quick``.
        views: test-time augmentation.
    """

    recipe: str
    model: str | None = None
    quick_epochs: int = 10
    views: str = "none"

    libraries: ClassVar[tuple[str, ...]] = _LIBRARIES

    def settings(self, data: ImageData, quick: bool) -> dict[str, Any]:
        """The recipe's whole setting for pictures of this kind, with the network, the epochs and the views."""
        setting = self._setting(data)
        training, _ = split(data, setting, 0)
        epochs = self.quick_epochs if quick else setting.epochs_for(len(training))
        return {**setting.model_dump(mode="json"), "epochs": epochs, "views": self.views}

    def code(self, data: ImageData) -> set[str]:
        """The family's file with what it is made of, and all that trains and predicts, this file too."""
        family = models.registry.get(parse_spec(self._setting(data).model).name)
        return closure([family.__module__, *_LEARNING], _ROOMS, _WITHOUT)

    def check(self, data: ImageData) -> None:
        """Refuse a single class, pictures too small for the network, and too few to set some aside."""
        if len(np.unique(data.train.labels)) < 2:
            raise RequestError("league.one_class")
        setting = self._setting(data)
        split(data, setting, 0)
        with torch.device("meta"):  # no weights are made: of large pictures they could fill the memory
            models.build(setting.model, data.shape, len(data.classes))

    def measure(self, data: ImageData, work: Work) -> Measured:
        """Train into the folder, going on from where an earlier process was interrupted, then predict."""
        return _measured(data, [(self, work)])

    def trained(self, data: ImageData, work: Work) -> Run:
        """The run in the folder: complete, gone on with, or begun now."""
        listener = _Share(work.progress)
        if (work.folder / "run.json").exists():
            return train(data, resume=work.folder, listener=listener)
        if work.folder.exists():  # killed before it had written down what it is: there is nothing to go on from
            shutil.rmtree(work.folder)
        epochs = self.quick_epochs if work.quick else None
        return train(
            data, self.model, self.recipe, epochs=epochs, seed=work.seed, out=work.folder, listener=listener,
            test_time_augmentation=self.views,
        )  # fmt: skip

    def probabilities(self, run: Run, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, classes)."""
        shares: NDArray[np.float64] = run.logits(images, check_views(self.views)).double().softmax(dim=1).numpy()
        return shares

    def _setting(self, data: ImageData) -> Setting:
        _, setting = setting_from(self.recipe, data.shape[0])
        return setting if self.model is None else setting.model_copy(update={"model": self.model})


@dataclass(frozen=True)
class Committee:
    """Several networks, each trained by itself; the majority decides.

    Source: D. Ciresan, U. Meier, J. Schmidhuber, "Multi-column deep neural networks for image classification" (2012);
    the majority is that of A. Byerly, T. Kalganova, I. Dear, "No routing needed between capsules" (2020).

    Attributes:
        members: each with its own seed, and its own network or recipe if wished.
        quick: how many of them take part with ``--quick``.
    """

    members: tuple[Network, ...]
    quick: int

    libraries: ClassVar[tuple[str, ...]] = _LIBRARIES

    def settings(self, data: ImageData, quick: bool) -> dict[str, Any]:
        """Those of all members."""
        return {"members": [member.settings(data, quick) for member in self._at_work(quick)]}

    def code(self, data: ImageData) -> set[str]:
        """That of all members."""
        return set().union(*(member.code(data) for member in self.members))

    def check(self, data: ImageData) -> None:
        """Refuse what a member refuses."""
        for member in self.members:
            member.check(data)

    def measure(self, data: ImageData, work: Work) -> Measured:
        """Train one member after the other, then have them all predict."""
        members = self._at_work(work.quick)
        count = len(members)

        def passed(number: int, share: float) -> None:
            work.progress((number + share) / count)

        return _measured(data, [
            (member, Work(MEMBER_SEEDS * (work.seed + 1) + at, work.quick, work.folder / str(at), partial(passed, at)))
            for at, member in enumerate(members)
        ])  # fmt: skip

    def _at_work(self, quick: bool) -> tuple[Network, ...]:
        return self.members[: self.quick] if quick else self.members


def _measured(data: ImageData, team: list[tuple[Network, Work]]) -> Measured:
    runs = []
    for member, work in team:
        work.folder.parent.mkdir(parents=True, exist_ok=True)
        run = member.trained(data, work)
        if run.metrics is None or run.metrics["interrupted"]:
            raise RequestError("league.interrupted")
        runs.append((member, run))
    begun = time.perf_counter()
    decided = majority(np.stack([member.probabilities(run, data.test.images) for member, run in runs]))
    seconds = time.perf_counter() - begun
    metrics = [run.metrics or {} for _, run in runs]
    return Measured(
        decided,
        sum(one["seconds"] for one in metrics),
        seconds,
        sum(run.folder.weights_file.stat().st_size for _, run in runs),
        sum(one["parameters"] for one in metrics),
        sum(one["train_flops"] for one in metrics),
        runs[0][1].config["precision"],
        ", ".join(sorted({str(run.config["environment"]["threads"]) for _, run in runs})),
    )


def majority(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """The class that most members say, and of several the one that they find likeliest in the mean.

    Args:
        shares: (members, N, classes), each member's probabilities.

    Returns:
        (N,).
    """
    votes = np.eye(shares.shape[2])[shares.argmax(axis=2)].sum(axis=0)
    most = votes == votes.max(axis=1, keepdims=True)
    chosen: NDArray[np.int64] = np.where(most, shares.mean(axis=0), -1).argmax(axis=1).astype(np.int64)
    return chosen


class _Share(Listener):
    """Passes on what share of the steps is done."""

    def __init__(self, progress: Callable[[float], None]) -> None:
        self._progress = progress

    def on_start(self, plan: Plan, done_steps: int) -> None:
        """Remember the number of steps."""
        self._total, self._done = max(plan.total_steps, 1), done_steps

    def on_step(self, epoch: int, loss: float, images: int) -> None:  # noqa: ARG002
        """One more."""
        self._done += 1
        self._progress(self._done / self._total)
