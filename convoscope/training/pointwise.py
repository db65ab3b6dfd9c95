"""1x1 convolutions with a stride, of few maps, made safe to train on a CPU.

oneDNN, which PyTorch 2.13 convolves with, finds a wrong gradient for the kernels of such a convolution where its input
has fewer maps than a vector of the processor has numbers, and writes beyond its memory (uxlfoundation/oneDNN, issue
6035). A stride only leaves pixels out: left out beforehand, what remains is a convolution without one, which is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch.nn.functional as F
from torch import Tensor, nn

from convoscope.training.swap import layers_as

MOST_MAPS = 15
"""Of the input: one less than the longest vector has numbers."""


@contextmanager
def safe_pointwise(model: nn.Module) -> Iterator[None]:
    """Within it, the 1x1 convolutions of `model` that have a stride and few maps leave pixels out beforehand."""
    with layers_as({module: PointwiseConv2d for module in model.modules() if _is_unsafe(module)}):
        yield


def _is_unsafe(module: nn.Module) -> bool:
    return (
        type(module) is nn.Conv2d
        and (module.kernel_size, module.padding, module.groups) == ((1, 1), (0, 0), 1)
        and max(module.stride) > 1
        and module.in_channels <= MOST_MAPS
        and module.weight.device.type == "cpu"
    )


class PointwiseConv2d(nn.Conv2d):
    """A 1x1 convolution with a stride that, while training, takes only the pixels that it reads."""

    stride: tuple[int, int]

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, K, rows, columns)."""
        if not self.training:
            return super().forward(inputs)
        down, across = self.stride
        return F.conv2d(inputs[:, :, ::down, ::across], self.weight, self.bias)
