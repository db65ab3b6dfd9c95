"""Gradients of kernels over small maps, laid side by side, for training in bfloat16 on a CPU.

The gradient of a kernel is a sum over all pixels of all maps. PyTorch's library takes it row by row, and where
processors multiply whole blocks of bfloat16 at once (AMX), a row of a few pixels leaves most of a block empty. So the
maps of several pictures are laid into one, with zeros between them as wide as the padding. Through these no kernel sees
two pictures, so the gradient is the same sum, by the same library.

Outputs and the gradient of the inputs are PyTorch's own. What it is worth on a machine: `benchmarks/side_by_side.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convoscope.training.swap import layers_as

WIDEST = 8
"""Columns of a map; wider ones fill enough of a block by themselves."""
ROW = 60
"""The most columns that maps laid together take, zeros included."""


@contextmanager
def side_by_side(model: nn.Module) -> Iterator[None]:
    """Within it, convolutions of `model` that allow it take their kernels' gradients over maps laid side by side."""
    found = [module for module in model.modules() if suits(module) and module.weight.device.type == "cpu"]
    with layers_as(dict.fromkeys(found, SideBySideConv2d)):
        yield


def suits(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether `module` is a convolution of stride 1, without bias, that keeps its maps' size by padding with zeros."""
    if type(module) is not nn.Conv2d or isinstance(module.padding, str):
        return False
    sizes = zip(module.kernel_size, module.padding, strict=True)
    return (
        all(padding and size == 2 * padding + 1 for size, padding in sizes)
        and (module.stride, module.dilation, module.groups) == ((1, 1), (1, 1), 1)
        and module.padding_mode == "zeros"
        and module.bias is None
    )


class SideBySideConv2d(nn.Conv2d):
    """A convolution that, while training in bfloat16, takes its kernels' gradient over maps laid side by side."""

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, K, H, W)."""
        small = inputs.shape[3] <= WIDEST
        if not (small and self.training and torch.is_autocast_enabled("cpu")):
            return super().forward(inputs)
        kind = torch.get_autocast_dtype("cpu")
        outputs: Tensor = _Convolution.apply(inputs.to(kind), self.weight.to(kind), self.padding)  # type: ignore[no-untyped-call]
        return outputs


class _Convolution(torch.autograd.Function):
    """Maps (B, C, H, W), kernels (K, C, kH, kW) and padding -> maps (B, K, H, W)."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, kernels: Tensor, padding: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(inputs, kernels)
        ctx.padding = padding
        return F.conv2d(inputs, kernels, padding=padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        inputs, kernels = ctx.saved_tensors
        of_inputs = of_kernels = None
        if ctx.needs_input_grad[0]:
            of_inputs = _gradient(gradient, inputs, kernels, ctx.padding, 0)
        if ctx.needs_input_grad[1]:
            apart = ctx.padding[1]
            together = pictures_a_row(len(inputs), inputs.shape[3] + apart)
            laid = lay(gradient, together, apart), lay(inputs, together, apart)
            of_kernels = _gradient(*laid, kernels, ctx.padding, 1)
        return of_inputs, of_kernels, None


def pictures_a_row(pictures: int, width: int) -> int:
    """How many maps of `width` columns, zeros included, go into a row, so that rows are full: it divides `pictures`."""
    return next(count for count in range(min(pictures, max(1, ROW // width)), 0, -1) if pictures % count == 0)


def lay(maps: Tensor, together: int, apart: int) -> Tensor:
    """Lay every `together` maps side by side, each with `apart` columns of zeros behind it.

    Args:
        maps: (B, C, H, W).
        together: a divisor of B.
        apart: columns of zeros.

    Returns:
        (B / together, C, H, together · (W + apart)), channels last in memory.
    """
    count, channels, height, width = maps.shape
    rows = maps.new_empty(count // together, height, together, width + apart, channels)
    rows[:, :, :, width:] = 0
    last = maps.permute(0, 2, 3, 1)
    rows[:, :, :, :width] = last.reshape(-1, together, height, width, channels).transpose(1, 2)
    return rows.view(count // together, height, -1, channels).permute(0, 3, 1, 2)


def _gradient(gradient: Tensor, inputs: Tensor, kernels: Tensor, padding: tuple[int, int], place: int) -> Tensor:
    """PyTorch's gradient of a convolution: that of its inputs (place 0) or of its kernels (place 1)."""
    wanted = [place == 0, place == 1, False]
    found: Tensor = torch.ops.aten.convolution_backward(
        gradient, inputs, kernels, None, (1, 1), padding, (1, 1), False, (0, 0), 1, wanted
    )[place]
    return found
