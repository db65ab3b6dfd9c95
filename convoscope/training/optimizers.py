"""Optimizers by name, and their rate over the course of a training.

PyTorch's own where it has them; its Muon takes matrices only, and ours kernels, with AdamW for all else in the same
optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.adamw import adamw

from convoscope.training.recipe import Setting

SMALL = 1 << 17
"""Parameters of a network whose steps are taken by one thread."""

TINY = 1e-30
"""Numbers of an optimizer's state that are nearer to 0 move no weight."""

_BETAS = (0.9, 0.99)  # the second is below the usual 0.999: these trainings are short


def make_optimizer(setting: Setting, model: nn.Module) -> Optimizer:
    """The optimizer that `setting` names, over the parameters of `model`.

    Weights (two dimensions and more) decay; biases and normalisation do not. Each group keeps its highest rate as
    ``"peak"``; `set_rate` scales from there.
    """
    kernels = normalised_kernels(model) if setting.optimizer == "muon" else []
    taken = set(map(id, kernels))
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in taken]
    rate, bias_rate = setting.learning_rate, setting.bias_learning_rate or setting.learning_rate
    weights = {"params": [p for p in others if p.ndim >= 2], "peak": rate, "weight_decay": setting.weight_decay}
    biases = {"params": [p for p in others if p.ndim < 2], "peak": bias_rate, "weight_decay": 0.0}
    orthogonal = {"params": kernels, "peak": setting.muon_learning_rate, "weight_decay": 0.0, "orthogonal": True}
    groups = [group for group in (weights, biases, orthogonal) if group["params"]]
    return _KINDS[setting.optimizer](groups, setting)


def normalised_kernels(model: nn.Module) -> list[Tensor]:
    """The kernels that Muon turns: those of convolutions without a bias.

    In `convnet` the output of each is normalised, so that its scale does not matter. In `resnet` that is so of the
    first convolution of a block; what the others make is added up before it is normalised, and Muon keeps these kernels
    at their norm all the same.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Conv2d) and module.bias is None]
    return [layer.weight for layer in layers if layer.weight.requires_grad]


def set_rate(optimizer: Optimizer, factor: float) -> None:
    """Set every group to `factor` of its highest rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def forget_tiny(optimizer: Optimizer) -> None:
    """Set to 0 what an optimizer remembers of weights that no gradient has reached for long.

    AdamW's averages for the weights of a unit that is never active shrink to denormal numbers and stay there, since the
    smallest ones round to themselves; a processor takes many times as long over such numbers.
    """
    for state in optimizer.state.values():
        for numbers in state.values():
            if isinstance(numbers, Tensor):
                numbers.masked_fill_(numbers.abs() < TINY, 0)


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
    """Orthogonalised momentum for kernels, AdamW for all other parameters.

    A kernel (F, C, kH, kW) is taken as a matrix (F, C·kH·kW); its momentum is replaced by the nearest matrix with equal
    singular values, and the kernel is kept at one norm, so that the rate alone says how far a step turns it. A
    normalisation has to come after it, at once or, in `resnet`, after a sum (see `normalised_kernels`); other nets than
    these and `convnet` are stepped by AdamW throughout.
    K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); I. Loshchilov, F. Hutter,
    "Decoupled weight decay regularization" (2017).

    Args:
        groups: parameter groups; those with ``"orthogonal": True`` are stepped by Muon.
        momentum: Muon's.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], *, momentum: float) -> None:
        super().__init__(groups, {"lr": 0.0, "momentum": momentum, "weight_decay": 0.0, "orthogonal": False})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """One step from the gradients at hand."""
        with _few_threads(sum(parameter.numel() for group in self.param_groups for parameter in group["params"])):
            for group in self.param_groups:
                trained = [parameter for parameter in group["params"] if parameter.grad is not None]
                if group["orthogonal"]:
                    for parameter in trained:
                        self._turn(parameter, parameter.grad, group)
                else:
                    self._adamw(trained, group)

    def _turn(self, kernel: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[kernel]
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        momentum = state["momentum"].mul_(group["momentum"]).add_(gradient)
        step = gradient.add(momentum, alpha=group["momentum"])  # Nesterov's
        kernel.mul_(len(kernel) ** 0.5 / kernel.norm())
        kernel.add_(orthogonalise(step.reshape(len(step), -1)).view_as(step), alpha=-group["lr"])

    def _adamw(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        for parameter in parameters:
            state = self.state[parameter]
            if not state:
                state["step"] = torch.tensor(0.0)
                state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        states = [self.state[parameter] for parameter in parameters]
        adamw(
            parameters,
            [parameter.grad for parameter in parameters if parameter.grad is not None],
            [state["mean"] for state in states],
            [state["square"] for state in states],
            [],
            [state["step"] for state in states],
            amsgrad=False,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=1e-8,
            maximize=False,
            fused=all(parameter.device.type == "cpu" for parameter in parameters),  # on a GPU its steps would be there
        )


@contextmanager
def _few_threads(numbers: int) -> Iterator[None]:
    """One thread for the many small products of a small network: to wait for another one costs more than it helps."""
    threads = torch.get_num_threads()
    if numbers < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def orthogonalise(matrix: Tensor, rounds: int = 3) -> Tensor:
    """A matrix near the orthogonal one nearest to `matrix` (M, N): singular values between about 0.7 and 1.2.

    Newton-Schulz iteration with the quintic of Jordan et al. (2024), tuned to rise steeply from zero: x becomes p x
    with p = a + b s + c s s and s = x x^T. As p and s can be exchanged, the next s is p s p; so only the first and the
    last product have the longer side in them.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    square = x @ x.T
    turned = None
    for left in reversed(range(rounds)):
        factor = torch.addmm(square, square, square, beta=b, alpha=c)
        factor.diagonal().add_(a)
        turned = factor if turned is None else factor @ turned
        if left:
            square = factor @ square @ factor
    x = x if turned is None else turned @ x
    return x.T if tall else x


def _sgd(groups: list[dict[str, Any]], setting: Setting) -> Optimizer:
    return torch.optim.SGD(groups, lr=0.0, momentum=setting.momentum, nesterov=setting.momentum > 0, fused=True)


def _adamw(groups: list[dict[str, Any]], setting: Setting) -> Optimizer:  # noqa: ARG001
    return torch.optim.AdamW(groups, lr=0.0, betas=_BETAS, fused=True)


def _adadelta(groups: list[dict[str, Any]], setting: Setting) -> Optimizer:  # noqa: ARG001
    return torch.optim.Adadelta(groups, lr=0.0)


def _muon(groups: list[dict[str, Any]], setting: Setting) -> Optimizer:
    return Muon(groups, momentum=setting.muon_momentum)


_KINDS: dict[str, Callable[[list[dict[str, Any]], Setting], Optimizer]] = {
    "sgd": _sgd,
    "adamw": _adamw,
    "adadelta": _adadelta,
    "muon": _muon,
}
