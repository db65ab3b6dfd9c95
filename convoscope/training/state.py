"""All that changes while a network trains, and how it goes into a checkpoint and comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from convoscope.runs.checkpoint import Checkpoint
from convoscope.training.focus import Focus


@dataclass
class Position:
    """Where a training stands between two steps; JSON-ready by `vars`.

    Attributes:
        epoch: epochs that are done.
        step: steps done in the epoch at hand.
        loss_sum: sum of the training losses of the epoch so far, over `seen` images.
        seconds: time spent training, over all sittings.
        best_error: the lowest validation error so far, reached after `best_epoch` epochs with loss `best_loss`.
        curves: one dict for each epoch done.
        finished: no more steps are to be taken (all epochs done, or stopped early).
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seen: int = 0
    seconds: float = 0.0
    best_error: float | None = None
    best_loss: float | None = None
    best_epoch: int = 0
    flops: float = 0.0
    finished: bool = False
    curves: list[dict[str, Any]] = field(default_factory=list)

    def is_better(self, error: float, loss: float) -> bool:
        """Whether a validation error, and on a tie its loss, beats the best so far."""
        if self.best_error is None or self.best_loss is None:
            return True
        return (error, loss) < (self.best_error, self.best_loss)


_average_with: Callable[[float], Any] = get_ema_multi_avg_fn  # untyped in PyTorch


class State:
    """Network, optimizer, moving average and position.

    Args:
        model: the bare network, as `models.build` made it.
        optimizer: over its parameters.
        ema: decay of the moving average, 0 for none.
        focus: what decides how often each picture is shown, where something does.
    """

    def __init__(self, model: nn.Module, optimizer: Optimizer, ema: float, focus: Focus | None = None) -> None:
        self.focus = focus
        self.model, self.optimizer, self.position = model, optimizer, Position()
        self.average: AveragedModel | None = None
        if ema:
            self.average = AveragedModel(model, multi_avg_fn=_average_with(ema), use_buffers=True)

    @property
    def judged(self) -> nn.Module:
        """The network that is validated and kept: the moving average where there is one."""
        return self.model if self.average is None else self.average.module

    def after_step(self) -> None:
        """Move the average."""
        if self.average is not None:
            self.average.update_parameters(self.model)

    def to_checkpoint(self) -> Checkpoint:
        """Everything, flat."""
        tensors = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        if self.average is not None:
            tensors |= {f"average/{name}": tensor for name, tensor in self.average.state_dict().items()}
        if self.focus is not None:
            tensors |= {f"focus/{name}": tensor for name, tensor in self.focus.state_dict().items()}
        for index, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{name}": value for name, value in values.items() if value is not None}
        return Checkpoint(tensors, dict(vars(self.position)))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put everything back as it was."""
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "focus": {}, "optimizer": {}}
        for name, tensor in checkpoint.tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = tensor
        self.model.load_state_dict(parts["model"])
        if self.average is not None:
            self.average.load_state_dict(parts["average"])
        if self.focus is not None:
            self.focus.load_state_dict(parts["focus"])
        optimizer_state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimizer"].items():
            index, _, key = name.partition("/")
            optimizer_state.setdefault(int(index), {})[key] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": optimizer_state, "param_groups": groups})
        _lay_as_parameters(self.optimizer)
        self.position = Position(**checkpoint.facts)


def _lay_as_parameters(optimizer: Optimizer) -> None:
    """Lay what `optimizer` remembers of each parameter in memory as that parameter lies.

    PyTorch's fused optimizers walk both in the order of memory. A file holds plain strides, and a convolution's kernels
    lie channels last: unchanged, each weight would be moved by the averages of another.
    """
    for parameter, remembered in optimizer.state.items():
        for name, value in remembered.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                remembered[name] = torch.empty_like(parameter).copy_(value)
