"""How the filters of a net do over many pictures: dead, saturated, doubled, and what each is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convoscope.data.batches import inputs_from
from convoscope.inspection.filter_banks import Ablation, FilterBank, banks_of, flat_ends
from convoscope.models.shadow import shadow
from convoscope.runs.run import Run

DEAD = 0.01
"""A filter is dead if the standard deviation of its maps is below this share of its layer's median."""
SATURATED = 0.99
"""A filter is saturated if at least this share of its outputs lies on a flat part of its activation."""
DUPLICATE = 0.95
"""A filter is a duplicate if its maps correlate so much with those of an earlier filter of its layer, or more."""

Verdict = Literal["dead", "saturated", "duplicate", "fine"]

_BATCH = 500


@dataclass(frozen=True)
class FilterHealth:
    """One filter over all pictures looked at.

    Args:
        filter: its number in the layer.
        mean: of its maps, where they leave the filter's own layers (`FilterBank.leaves`).
        spread: their standard deviation.
        flat: share of its outputs on a flat part of its activation; NaN without an activation.
        like: the earlier filter that its maps correlate with most, -1 for the first.
        correlation: how much (Pearson).
        errors: pictures that the net gets wrong without it.
        verdict: what is wrong with it, if anything is.
    """

    filter: int
    mean: float
    spread: float
    flat: float
    like: int
    correlation: float
    errors: int
    verdict: Verdict


@dataclass(frozen=True)
class Health:
    """The filters of a net over some pictures.

    Args:
        banks: the convolutions.
        filters: one tuple a convolution.
        errors: pictures that the whole net gets wrong.
        count: pictures looked at.
    """

    banks: tuple[FilterBank, ...]
    filters: tuple[tuple[FilterHealth, ...], ...]
    errors: int
    count: int

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON."""
        layers = []
        for bank, filters in zip(self.banks, self.filters, strict=True):
            told = [
                {
                    **{name: getattr(one, name) for name in ("filter", "mean", "spread", "correlation", "verdict")},
                    "flat": None if np.isnan(one.flat) else one.flat,
                    "like": None if one.like < 0 else one.like,
                    "error_without": one.errors / self.count,
                }
                for one in filters
            ]
            layers.append({"layer": bank.layer.name, "read_after": bank.leaves, "filters": told})
        return {"error": self.errors / self.count, "count": self.count, "layers": layers}


def health_of(
    run: Run,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    *,
    ablate: bool = True,
    duplicate: float = DUPLICATE,
) -> Health:
    """Look at every filter of a run over pictures (N, C, H, W) uint8 with labels (N,).

    Args:
        run: the trained network.
        images: the pictures.
        labels: their classes.
        ablate: count the errors without each filter, which is most of the work; else they stay 0.
        duplicate: from which correlation on a filter is a duplicate.

    Raises:
        RequestError: the weights lead to what is no number.
    """
    model, p = shadow(run.model), run.preprocessing
    banks = banks_of(model, run.layers)
    tallies = [_Tally(bank, model) for bank in banks]
    wrong = 0
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            truth = torch.from_numpy(np.asarray(labels[start : start + _BATCH]))
            inputs = inputs_from(batch, p.scaling, (p.height, p.width), torch.device("cpu"))
            with _listening(model, tallies):
                whole = Ablation(model, inputs)
            if not whole.logits.isfinite().all():
                raise run.folder.damaged(run.folder.weights_file, "NaN")
            wrong += int((whole.logits.argmax(dim=1) != truth).sum())
            for tally in tallies if ablate else ():
                for filter in range(tally.bank.count):
                    guesses = whole.without(tally.bank, filter).argmax(dim=1)
                    tally.errors[filter] += int((guesses != truth).sum())
    return Health(banks, tuple(tally.filters(duplicate) for tally in tallies), wrong, len(images))


class _Tally:
    """Sums over pictures and places, for the mean, the spread and the correlations of a bank's maps."""

    def __init__(self, bank: FilterBank, model: nn.Module) -> None:
        self.bank = bank
        self.errors = np.zeros(bank.count, dtype=np.int64)
        self._ends = None if bank.activation is None else flat_ends(model.get_submodule(bank.activation))
        self._flat = torch.zeros(bank.count, dtype=torch.float64)
        self._activated = 0
        self._shift: Tensor | None = None
        self._sum = torch.zeros(bank.count, dtype=torch.float64)
        self._products = torch.zeros(bank.count, bank.count, dtype=torch.float64)
        self._count = 0

    def activate(self, x: Tensor) -> None:
        """Note what goes into the activation, (B, C, H, W)."""
        low, high = self._ends or (-np.inf, np.inf)
        self._flat += ((x < low) | (x > high)).sum(dim=(0, 2, 3)).double()
        self._activated += x.numel() // self.bank.count

    def leave(self, maps: Tensor) -> None:
        """Note the maps that leave the bank, (B, C, H, W)."""
        rows = maps.movedim(1, 3).reshape(-1, self.bank.count)
        if self._shift is None:
            self._shift = rows.mean(dim=0)
        # Near their mean the numbers are small, and float32 does for the sums of one batch.
        rows = rows - self._shift
        self._sum += rows.sum(dim=0).double()
        self._products += (rows.T @ rows).double()
        self._count += len(rows)

    def filters(self, duplicate: float) -> tuple[FilterHealth, ...]:
        """What the sums say; from the correlation `duplicate` on, a filter is a duplicate."""
        mean = self._sum / self._count
        covariance = (self._products / self._count - torch.outer(mean, mean)).numpy()
        spread = np.sqrt(np.maximum(np.diag(covariance), 0))
        dead = spread <= DEAD * float(np.median(spread))
        scale = np.where(dead, np.inf, spread)
        correlation = np.tril(covariance / np.outer(scale, scale), -1)
        shift = torch.zeros(self.bank.count) if self._shift is None else self._shift
        flat = (self._flat / self._activated).numpy() if self._activated else np.full(self.bank.count, np.nan)
        found = []
        for at in range(self.bank.count):
            like = int(correlation[at, :at].argmax()) if at else -1
            near = float(np.clip(correlation[at, like], -1, 1)) if at else 0.0
            verdict = _verdict(bool(dead[at]), float(flat[at]), near, duplicate)
            numbers = float(mean[at] + shift[at]), float(spread[at]), float(flat[at])
            found.append(FilterHealth(at, *numbers, like, near, int(self.errors[at]), verdict))
        return tuple(found)


def _verdict(dead: bool, flat: float, correlation: float, duplicate: float) -> Verdict:
    if dead:
        return "dead"
    if flat >= SATURATED:
        return "saturated"
    return "duplicate" if correlation >= duplicate else "fine"


class _listening:  # noqa: N801  # a context manager, used as a word
    """A ``with`` block in which the tallies hear what passes through the net."""

    def __init__(self, model: nn.Module, tallies: Sequence[_Tally]) -> None:
        self._model, self._tallies = model, tallies
        self._hooks: list[Any] = []

    def __enter__(self) -> None:
        for tally in self._tallies:
            leaves = self._model.get_submodule(tally.bank.leaves)
            self._hooks.append(leaves.register_forward_hook(lambda _, __, output, tally=tally: tally.leave(output)))
            if tally.bank.activation is not None:
                activation = self._model.get_submodule(tally.bank.activation)
                self._hooks.append(
                    activation.register_forward_pre_hook(lambda _, inputs, tally=tally: tally.activate(inputs[0]))
                )

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()
