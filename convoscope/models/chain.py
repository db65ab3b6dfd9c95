"""Layers in one line, each checked against the maps that reach it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import torch
from torch import nn

from convoscope.convolution.shapes import Axis
from convoscope.core.errors import RequestError
from convoscope.models.modules import TableConv2d
from convoscope.models.shadow import ghost, ghost_is_light, meta_ghost


class Chain:
    """Builds an ``nn.Sequential`` of named layers while it walks the shape through them.

    Args:
        input_shape: (C, H, W) of one picture.

    Attributes:
        shape: of what the last layer gives, without the batch: (C, H, W), or (features,) once flattened.
    """

    def __init__(self, input_shape: tuple[int, int, int]) -> None:
        self.input_shape = input_shape
        self.shape: tuple[int, ...] = input_shape
        self._layers: OrderedDict[str, nn.Module] = OrderedDict()

    def add(self, name: str, layer: nn.Module) -> None:
        """Put `layer` at the end.

        Raises:
            RequestError: the maps that reach it are smaller than its window.
        """
        axes = _axes(layer, self.shape)
        if any(axis.outputs < 1 for axis in axes):
            raise RequestError(
                "models.too_small",
                input=_times(self.input_shape),
                layer=name,
                got=_times(self.shape[1:]),
                needed=_times(axis.extent - axis.before - axis.after for axis in axes),
            )
        self.shape = _output_shape(layer, self.shape)
        self._layers[name] = layer

    def net(self) -> nn.Sequential:
        """The layers put in so far, as one module."""
        return nn.Sequential(self._layers)


def _axes(layer: nn.Module, shape: tuple[int, ...]) -> list[Axis]:
    """The windows of `layer` over maps of `shape` (C, H, W), rows and columns; none for layers without a window."""
    if not isinstance(layer, nn.Conv2d | TableConv2d | nn.MaxPool2d | nn.AvgPool2d):
        return []
    both = (layer.kernel_size, layer.stride, getattr(layer, "dilation", 1), layer.padding)
    sizes, strides, dilations, paddings = (value if isinstance(value, tuple) else (value, value) for value in both)
    return [
        Axis(length, size, stride, dilation, padding, padding)
        for length, size, stride, dilation, padding in zip(shape[1:], sizes, strides, dilations, paddings, strict=True)
    ]


def _output_shape(layer: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """What `layer` makes of an input of `shape`, found with no pictures: no arithmetic, and no weight is read."""
    light = ghost_is_light(layer)
    with torch.no_grad():
        copied = ghost(layer) if light else meta_ghost(layer)
        output = copied(torch.empty(0, *shape, device="cpu" if light else "meta"))
    return tuple(output.shape[1:])


def _times(sizes: Iterable[int]) -> str:
    return "x".join(map(str, sizes))
