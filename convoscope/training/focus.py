"""Which training pictures an epoch shows more than once and which not at all: those that the network misses come first.

After the first epochs most pictures are classified with ease and teach little. An epoch then shows as many pictures as
before, but draws each in proportion to how far the network missed its class when it last saw it; no extra pass is
needed to know that. In the spirit of A. Jiang et al., "Accelerating deep learning by focusing on the biggest losers"
(2019), who select by loss within a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEAST = 0.1
"""Added to every miss, so that what is known is seen again now and then."""


class Focus:
    """The misses of all training pictures: 1 minus the probability that the network gave to the true class.

    What an epoch finds out counts from the next one on, so that an epoch's order is fixed when it begins.

    Args:
        images: N, how many pictures the training set has.
        strength: the power of the miss that a picture is drawn in proportion to; 0 shows each once.
    """

    def __init__(self, images: int, strength: float) -> None:
        self.strength = strength
        self.missed = torch.ones(images)
        self.forget()

    def forget(self) -> None:
        """Drop what the epoch at hand has shown."""
        # A miss is a multiple of 2^-24, so that sums in float64 are exact, in whatever order and parts they are taken.
        self._sum, self._times = (torch.zeros(len(self.missed), dtype=torch.float64) for _ in range(2))

    def weights(self) -> NDArray[np.float64]:
        """(N,): how often to show each picture, relative to the others."""
        return np.asarray((self.missed.double() + LEAST).pow(self.strength).numpy())

    @torch.no_grad()
    def note(self, places: NDArray[np.int64], logits: Tensor, labels: Tensor) -> None:
        """Remember how far the pictures at `places` (b,) were missed: `logits` (b, classes), `labels` (b,)."""
        missed = 1 - logits.float().softmax(dim=1).gather(1, labels[:, None])[:, 0]
        where = torch.from_numpy(places)
        self._sum.index_add_(0, where, missed.cpu().double())
        self._times.index_add_(0, where, torch.ones(len(where), dtype=torch.float64))

    def gather(self, fabric: Any) -> None:
        """Bring what all processes noted to the first, which writes the checkpoints; all must call this together."""
        if fabric.world_size == 1:
            return
        self._add_up(fabric)
        if fabric.global_rank > 0:
            self.forget()

    def end_epoch(self, fabric: Any) -> None:
        """Let what the epoch showed count: the mean of a picture's misses, over all processes."""
        if fabric.world_size > 1:
            self._add_up(fabric)
        mean = (self._sum / self._times.clamp(min=1)).to(self.missed)
        self.missed = torch.where(self._times > 0, mean, self.missed)
        self.forget()

    def _add_up(self, fabric: Any) -> None:
        both = torch.stack([self._sum, self._times]).to(fabric.device)
        self._sum, self._times = fabric.all_reduce(both, reduce_op="sum").cpu().unbind()

    def state_dict(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return {"missed": self.missed, "sum": self._sum, "times": self._times}

    def load_state_dict(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `state_dict` gave."""
        self.missed = tensors["missed"]
        self._sum, self._times = tensors["sum"].double(), tensors["times"].double()
