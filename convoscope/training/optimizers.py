"""Optimizers by name, and their rate over the course of a training.

PyTorch's own where it has them. `Muon` is here because ours steps the kernels by Muon and everything else by SGD in one
optimizer, so that a checkpoint has one state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from convoscope.training.recipe import Setting


def make_optimizer(setting: Setting, model: nn.Module) -> Optimizer:
    """The optimizer that `setting` names, over the parameters of `model`.

    Weights (two dimensions and more) decay; biases and normalisation do not. Each group keeps its highest rate as
    ``"peak"``; `set_rate` scales from there.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    kernels = [p for p in trained if p.ndim == 4] if setting.optimizer == "muon" else []
    taken = set(map(id, kernels))
    weights = [p for p in trained if p.ndim >= 2 and id(p) not in taken]
    others = [p for p in trained if p.ndim < 2]
    groups: list[dict[str, Any]] = [
        {"params": weights, "peak": setting.learning_rate, "weight_decay": setting.weight_decay},
        {"params": others, "peak": setting.bias_learning_rate or setting.learning_rate, "weight_decay": 0.0},
    ]
    if kernels:
        muon = {"peak": setting.muon_learning_rate, "momentum": setting.muon_momentum, "orthogonal": True}
        groups.append({"params": kernels, "weight_decay": 0.0, **muon})
    return _KINDS[setting.optimizer]([group for group in groups if group["params"]], setting)


def set_rate(optimizer: Optimizer, factor: float) -> None:
    """Set every group to `factor` of its highest rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def rate_factor(setting: Setting, progress: float) -> float:
    """The share of the highest rate at `progress` (0 to 1): up in a line while warming up, then down.

    One cycle, after L. Smith, N. Topin, "Super-convergence" (2018).
    """
    if progress < setting.warmup:
        return 0.1 + 0.9 * progress / setting.warmup
    left = (1 - progress) / (1 - setting.warmup) if setting.warmup < 1 else 1.0
    return _DECAYS[setting.decay](max(left, 0.0))


_DECAYS: dict[str, Callable[[float], float]] = {
    "linear": lambda left: left,
    "cosine": lambda left: 0.5 - 0.5 * float(torch.cos(torch.tensor(left * torch.pi, dtype=torch.float64))),
    "none": lambda _: 1.0,
}


class Muon(Optimizer):
    """Momentum orthogonalised by Newton-Schulz for kernels, SGD with Nesterov's momentum for all other parameters.

    A kernel (F, C, kH, kW) is taken as a matrix (F, C·kH·kW); its momentum is replaced by the nearest matrix with equal
    singular values, and the kernel is kept at its first norm, so that the rate alone says how far a step turns it.
    K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024).

    Args:
        groups: parameter groups; those with ``"orthogonal": True`` are stepped by Muon.
        momentum: of both parts.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], *, momentum: float) -> None:
        super().__init__(groups, {"lr": 0.0, "momentum": momentum, "weight_decay": 0.0, "orthogonal": False})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """One step from the gradients at hand."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(parameter, parameter.grad, group)

    def _step_one(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        if group["weight_decay"]:
            gradient = gradient.add(parameter, alpha=group["weight_decay"])
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].mul_(group["momentum"]).add_(gradient)
        step = gradient.add(momentum, alpha=group["momentum"])
        if group["orthogonal"]:
            parameter.mul_(len(parameter) ** 0.5 / parameter.norm())
            step = orthogonalise(step.reshape(len(step), -1)).view_as(step)
        parameter.add_(step, alpha=-group["lr"])


def orthogonalise(matrix: Tensor, rounds: int = 3) -> Tensor:
    """A matrix near the orthogonal one nearest to `matrix` (M, N): singular values between about 0.7 and 1.2.

    Newton-Schulz iteration with the quintic of Jordan et al. (2024), tuned to rise steeply from zero.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


def _sgd(groups: list[dict[str, Any]], setting: Setting) -> Optimizer:
    return torch.optim.SGD(groups, lr=0.0, momentum=setting.momentum, nesterov=setting.momentum > 0, fused=True)


def _adamw(groups: list[dict[str, Any]], setting: Setting) -> Optimizer:
    return torch.optim.AdamW(groups, lr=0.0, betas=(setting.momentum, 0.99), fused=True)


def _adadelta(groups: list[dict[str, Any]], setting: Setting) -> Optimizer:  # noqa: ARG001
    return torch.optim.Adadelta(groups, lr=0.0)


def _muon(groups: list[dict[str, Any]], setting: Setting) -> Optimizer:
    return Muon(groups, momentum=setting.momentum)


_KINDS: dict[str, Callable[[list[dict[str, Any]], Setting], Optimizer]] = {
    "sgd": _sgd,
    "adamw": _adamw,
    "adadelta": _adadelta,
    "muon": _muon,
}
