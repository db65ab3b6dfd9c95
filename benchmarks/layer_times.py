"""Seconds of each layer of a network in a real training step, forward and backward, and of what surrounds them.

The step is taken apart at the borders of the layers: each gets the numbers that the one before made, and on the way
back the gradient that the one after made, so sizes, values and memory are those of the training. What a layer costs in
the whole graph but not alone (autograd's own bookkeeping) is in nobody's time; it shows as the rest.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from convoscope.models.modules import Add, MapScale, ScaledTanh, TableConv2d

CONVOLUTIONS = (nn.Conv2d, TableConv2d)
_KINDS: dict[str, tuple[type[nn.Module], ...]] = {
    "convolution": CONVOLUTIONS,
    "normalisation": (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm),
    "pooling": (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, MapScale),
    "activation": (nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.Hardswish, ScaledTanh),
    "head": (nn.Linear, nn.Flatten, nn.Dropout, Add),
}


def kind_of(layer: nn.Module) -> str:
    """What sort of layer it is; "block" for one that holds others."""
    for kind, classes in _KINDS.items():
        if isinstance(layer, classes):
            return kind
    return "block" if any(layer.children()) else "other"


class Times:
    """Seconds by name and direction, several measurements each."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[float]] = defaultdict(list)

    @contextmanager
    def measure(self, name: str, direction: str) -> Iterator[None]:
        """Add the seconds of the ``with`` block."""
        begun = time.perf_counter()
        yield
        self._found[name, direction].append(time.perf_counter() - begun)

    def seconds(self, name: str, direction: str) -> float:
        """The median; 0 for what never happened."""
        found = self._found.get((name, direction))
        return median(found) if found else 0.0

    def forget(self) -> None:
        """Drop what was measured so far: it warmed up."""
        self._found.clear()


def timed_step(
    net: nn.Sequential, optimizer: Optimizer, images: Tensor, labels: Tensor, smoothing: float, times: Times
) -> None:
    """One training step, layer by layer.

    Args:
        net: its direct children are the layers.
        optimizer: over its parameters.
        images: (B, C, H, W), scaled, channels last.
        labels: (B,).
        smoothing: of the labels.
        times: gets a "forward" and a "backward" for each layer and for "loss", and a "step" for "optimizer".
    """
    passed: list[tuple[str, nn.Module, Tensor, Tensor]] = []
    x = images
    for name, layer in net.named_children():
        given = x.detach().requires_grad_(x.requires_grad)
        with times.measure(name, "forward"):
            x = layer(given)
        passed.append((name, layer, given, x))
    logits = x.detach().requires_grad_()
    with times.measure("loss", "forward"):
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    with times.measure("loss", "backward"):
        (gradient,) = torch.autograd.grad(loss, logits)
    del x, logits
    while passed:
        name, layer, given, made = passed.pop()
        trained = [parameter for parameter in layer.parameters() if parameter.requires_grad]
        if not made.requires_grad:
            break
        with times.measure(name, "backward"):
            found = torch.autograd.grad(made, [*trained, *[given] * given.requires_grad], gradient)
        for parameter, own in zip(trained, found, strict=False):
            parameter.grad = own
        if not given.requires_grad:
            break
        gradient = found[-1]
    with times.measure("optimizer", "step"):
        optimizer.step()
        optimizer.zero_grad()


class BareConvolutions:
    """The convolutions of a network and nothing else: each alone, on the input that reaches it in training.

    Args:
        net: the network.
        images: (B, C, H, W), a batch as in training.
    """

    def __init__(self, net: nn.Module, images: Tensor) -> None:
        self._work: list[tuple[nn.Module, Tensor, list[Tensor], Tensor]] = []
        hooks = [
            module.register_forward_hook(self._note) for module in net.modules() if isinstance(module, CONVOLUTIONS)
        ]
        net.train()
        net(images)
        for hook in hooks:
            hook.remove()

    def _note(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        # The first has no gradient of its input, nor has one behind frozen layers alone: as in training.
        given = inputs[0].detach().clone().requires_grad_(inputs[0].requires_grad)
        wanted: list[Tensor] = [parameter for parameter in module.parameters() if parameter.requires_grad]
        wanted += [given] * given.requires_grad
        self._work.append((module, given, wanted, torch.randn_like(output)))

    def seconds(self) -> float:
        """Seconds of one pass, forward and backward through each."""
        begun = time.perf_counter()
        for module, given, wanted, gradient in self._work:
            made = module(given)
            if wanted:
                torch.autograd.grad(made, wanted, gradient)
        return time.perf_counter() - begun
