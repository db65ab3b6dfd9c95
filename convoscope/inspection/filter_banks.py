"""The filters of a net, each with the layers that are its alone: where it is read, and what goes on without it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convoscope.models import Layer
from convoscope.models.layers import ACTIVATIONS
from convoscope.models.modules import MapScale, TableConv2d

Convolution = nn.Conv2d | TableConv2d

_MAP_BY_MAP = (
    *(*ACTIVATIONS, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d),
    *(nn.Dropout, nn.Dropout2d, nn.Identity, MapScale),
)


@dataclass(frozen=True)
class FilterBank:
    """The filters of one convolution.

    Args:
        layer: the convolution.
        leaves: the last layer in line that works on its maps one by one: after it they are mixed with others.
        activation: the first activation in that line, where there is one.
    """

    layer: Layer
    leaves: str
    activation: str | None

    @property
    def count(self) -> int:
        """How many filters."""
        return self.layer.output_shape[0]


def banks_of(model: nn.Module, layers: Sequence[Layer]) -> tuple[FilterBank, ...]:
    """The convolutions of a net, in the order in which they work."""
    readers: dict[str, list[Layer]] = defaultdict(list)
    for layer in layers:
        for name in layer.inputs:
            readers[name].append(layer)
    return tuple(
        _bank(model, layer, readers) for layer in layers if isinstance(model.get_submodule(layer.name), Convolution)
    )


def _bank(model: nn.Module, layer: Layer, readers: dict[str, list[Layer]]) -> FilterBank:
    last, activation = layer.name, None
    while len(readers[last]) == 1 and isinstance(model.get_submodule(readers[last][0].name), _MAP_BY_MAP):
        last = readers[last][0].name
        if activation is None and isinstance(model.get_submodule(last), ACTIVATIONS):
            activation = last
    return FilterBank(layer, last, activation)


def flat_ends(activation: nn.Module) -> tuple[float, float]:
    """Below and above which numbers an activation is flat: its slope there is less than a twentieth of its steepest.

    ReLU (0, inf), tanh about (-2.2, 2.2). A unit on a flat part learns nothing (Glorot, Bengio 2010, "Understanding
    the difficulty of training deep feedforward neural networks").
    """
    x = torch.linspace(-12, 12, 4801, requires_grad=True)
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(activation(x.clone()).sum(), x)
    steep = torch.nonzero(slope.abs() >= 0.05 * slope.abs().max()).flatten().tolist()
    places = x.tolist()
    return (
        places[steep[0]] if steep[0] > 0 else -math.inf,
        places[steep[-1]] if steep[-1] < len(places) - 1 else math.inf,
    )


class Ablation:
    """A net's answers to a batch without one of its filters: what follows the filter is worked out anew, no more.

    Args:
        model: in evaluation mode; a chain of stages (``nn.Sequential``), or else one stage.
        inputs: (B, C, H, W), normalised.
    """

    def __init__(self, model: nn.Module, inputs: Tensor) -> None:
        self._model = model
        chained = isinstance(model, nn.Sequential)
        self._stages: list[nn.Module] = list(model.children()) if chained else [model]
        self._places = {name: at for at, (name, _) in enumerate(model.named_children())} if chained else {}
        self._before = [inputs]
        for stage in self._stages:
            # A copy, because the next stage may work in place.
            self._before.append(stage(self._before[-1].clone()))

    @property
    def logits(self) -> Tensor:
        """(B, classes) of the whole net."""
        return self._before[-1]

    def without(self, bank: FilterBank, filter: int) -> Tensor:
        """Logits (B, classes) of the net whose map `filter` of `bank` is 0 where it leaves the bank."""
        at = self._places.get(bank.leaves)
        if at is None:
            return self._masked(bank, filter)
        reader = self._stages[at + 1] if at + 1 < len(self._stages) else None
        if isinstance(reader, nn.Conv2d) and reader.groups == 1 and reader.padding_mode == "zeros":
            # What is missing of the next sums is the convolution of the one map that is gone.
            one = self._before[at + 1][:, filter : filter + 1]
            weight = reader.weight[:, filter : filter + 1]
            part = nn.functional.conv2d(one, weight, None, reader.stride, reader.padding, reader.dilation)
            return self._onward(at + 2, self._before[at + 2] - part)
        maps = self._before[at + 1].clone()
        maps[:, filter] = 0
        return self._onward(at + 1, maps)

    def _masked(self, bank: FilterBank, filter: int) -> Tensor:
        """The same where the maps leave inside of a stage."""

        def silence(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
            silenced = output.clone()
            silenced[:, filter] = 0
            return silenced

        hook = self._model.get_submodule(bank.leaves).register_forward_hook(silence)
        try:
            at = self._places.get(bank.leaves.partition(".")[0], 0)
            return self._onward(at, self._before[at].clone())
        finally:
            hook.remove()

    def _onward(self, at: int, maps: Tensor) -> Tensor:
        for stage in self._stages[at:]:
            maps = stage(maps)
        return maps
