"""What every peer's training has in common: batches, an epoch of steps, a checkpoint after each epoch, a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

import convoscope as cs
from convoscope.data.augment import Augmentation
from convoscope.data.batches import Batches, Scaling, seed_of
from convoscope.models import summary
from convoscope.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from convoscope.runs.evaluation import Views, evaluating, predict_logits, score


class Peer:
    """A training as its authors describe it. It learns from all training pictures and chooses nothing by the test.

    Args:
        loaded: the data.
        seed: decides the first weights, the order of the pictures and what is drawn for them.
        epochs: how many; the published number if not given.
        precision: what its products are computed in: "float32" or "bfloat16".

    Attributes:
        epochs_done: how many of the `epochs` are done.
        flops: training FLOP so far, by the count of `convoscope.models.summary`.
        losses: mean loss of each epoch.
    """

    title: ClassVar[str]
    source: ClassVar[str]
    published_epochs: ClassVar[int]
    batch_size: ClassVar[int]
    scaling: ClassVar[Scaling]
    augmentation: ClassVar[Augmentation] = Augmentation()
    views: ClassVar[Views] = "none"
    """What its authors average over in the test, beside the plain reading."""
    label_smoothing: ClassVar[float] = 0.0
    reduction: ClassVar[str] = "mean"
    """Of the loss over a batch; the rates are made for it."""

    def __init__(self, loaded: cs.ImageData, seed: int, epochs: int | None = None, precision: str = "float32") -> None:
        self.loaded, self.seed, self.epochs = loaded, seed, epochs or self.published_epochs
        self.half = precision == "bfloat16"
        self.batches = Batches(
            loaded.train.images,
            loaded.train.labels,
            np.arange(len(loaded.train)),
            batch_size=min(self.batch_size, len(loaded.train)),
            scaling=self.scaling,
            augmentation=self.augmentation,
            mirrored=loaded.mirrored,
            seed=seed,
        )
        torch.manual_seed(seed_of(seed))
        self.model = self.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizers = self.make_optimizers()
        self.epochs_done, self.flops = 0, 0.0
        self.losses: list[float] = []
        self._costs: dict[tuple[bool, ...], int] = {}

    def network(self) -> nn.Module:
        """The network with its first weights: (B, C, H, W) to logits (B, classes)."""
        raise NotImplementedError

    def make_optimizers(self) -> list[Optimizer]:
        """Over the parameters of the network."""
        raise NotImplementedError

    def before_step(self, step: int) -> None:
        """Set the rates for step `step`, counted from the start of the training."""
        raise NotImplementedError

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.epochs * self.batches.steps

    def train_epoch(self) -> None:
        """The next epoch. It depends on the seed and its number alone, so a training may stop between any two."""
        epoch, total, seen = self.epochs_done, 0.0, 0
        self.model.train()
        torch.manual_seed(seed_of(self.seed, epoch))  # for dropout
        for at in range(self.batches.steps):
            self.before_step(epoch * self.batches.steps + at)
            images, labels, count = self.batches.batch(epoch, at)
            loss = self.step(images, labels)
            total += loss * (count if self.reduction == "mean" else 1)
            seen += count
            self.flops += count * self.flops_per_image()
        self.losses.append(total / seen)
        self.epochs_done += 1

    def step(self, images: Tensor, labels: Tensor) -> float:
        """Forward, backward, step; the loss."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            logits = self.model(images)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=self.label_smoothing, reduction=self.reduction)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in self.optimizers:
            optimizer.step()
        return float(loss.detach())

    def flops_per_image(self) -> int:
        """Training FLOP of a picture now; what is frozen by now needs no gradient."""
        key = tuple(parameter.requires_grad for parameter in self.model.parameters())
        if key not in self._costs:
            self._costs[key] = summary(self.model, self.loaded.shape).train_flops_per_image
        return self._costs[key]

    def planned_flops(self) -> float:
        """Training FLOP of all epochs."""
        per_step = len(self.loaded.train) / self.batches.steps
        total = 0.0
        for step in range(self.steps):
            self.before_step(step)  # it only sets what the next call sets anew
            total += per_step * self.flops_per_image()
        return total

    def test(self, views: Views = "none") -> float:
        """The share of the test pictures that is wrong."""
        test = self.loaded.test
        with evaluating(self.model):
            logits = predict_logits(
                self.model, test.images, self.scaling, self.loaded.shape[1:], torch.device("cpu"), views
            )
        error: float = score(logits, test.labels, self.loaded.classes)["error"]
        return error

    def save(self, folder: Path, **facts: Any) -> None:
        """Write a checkpoint with `facts` beside it."""
        tensors = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        for number, optimizer in enumerate(self.optimizers):
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"{number}/{index}/{name}": value for name, value in values.items() if value is not None}
        own = {"epochs_done": self.epochs_done, "flops": self.flops, "losses": self.losses}
        folder.mkdir(parents=True, exist_ok=True)
        save_checkpoint(folder, Checkpoint(tensors, own | facts), run=self._id, total_step=self.epochs_done)

    def restore(self, folder: Path) -> dict[str, Any]:
        """Go on from the newest checkpoint in `folder`; its facts, none if there is no checkpoint."""
        checkpoint, _ = load_checkpoint(folder, run=self._id)
        if checkpoint is None:
            return {}
        tensors = checkpoint.tensors
        self.model.load_state_dict(
            {name.removeprefix("model/"): tensor for name, tensor in tensors.items() if name.startswith("model/")}
        )
        for number, optimizer in enumerate(self.optimizers):
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                part, _, rest = name.partition("/")
                if part == str(number):
                    index, _, key = rest.partition("/")
                    state.setdefault(int(index), {})[key] = tensor
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state, "param_groups": groups})
        facts = checkpoint.facts
        self.epochs_done, self.flops, self.losses = facts["epochs_done"], facts["flops"], facts["losses"]
        return facts

    @property
    def _id(self) -> str:
        return f"{self.title}, {self.loaded.name}, {self.epochs} epochs, seed {self.seed}"
