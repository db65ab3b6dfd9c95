"""Winograd's convolution: 3x3 kernels with a quarter of the multiplications, for training on a plain CPU.

Four by four outputs of a 3x3 convolution need 144 products if each is summed up by itself. S. Winograd ("Arithmetic
Complexity of Computations", 1980) showed that 36 do: with a 6x6 tile d of the input and a kernel g,

    y = A^T [(G g G^T) · (B^T d B)] A,

where · multiplies place by place, and A, B and G hold small fixed numbers. Over the maps, the 36 places are 36 matrix
products, and the transforms are sums (A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
The same holds for both gradients: that of the input is a convolution with the turned kernels, that of the kernels is
G^T [(B^T d B)^T (A dy A^T)] G.

Rounding differs from PyTorch's convolution by about 1e-5 of the values. So only steps of training are taken this way;
validation, tests and everything after them use PyTorch's. What it is worth on a machine: `benchmarks/winograd.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from convoscope.training import team
from convoscope.training.swap import channels_last, layers_as

WORTHWHILE = 64 * 128
"""Input maps times output maps from which the matrix products outweigh the transforms."""
LEAST_SIDE = 3
"""Rows and columns of a map; of smaller ones, most of a tile lies outside."""
BLOCK = 1024
"""Tiles that are transformed, multiplied and transformed back at a time: many enough for large matrix products."""
_PLACES = 36
_APART = 16
"""Numbers between the matrices of two places, lest their addresses differ by a power of two and share cache lines."""

# G: what a kernel is turned into, rows first and then columns.
_G = torch.tensor(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
_KERNEL = torch.kron(_G, _G)  # (36, 9)


@contextmanager
def winograd(model: nn.Module) -> Iterator[None]:
    """Within it, the convolutions of `model` that it is worthwhile for are trained by Winograd's algorithm.

    Only where PyTorch's threads can be had for it (Linux), on a CPU.
    """
    found = [module for module in model.modules() if suits(module) and module.weight.device.type == "cpu"]
    with layers_as(dict.fromkeys(found if team.available() else [], WinogradConv2d)):
        yield


def suits(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether Winograd's algorithm computes what `module` does, and is worthwhile."""
    return (
        type(module) is nn.Conv2d
        and (module.kernel_size, module.stride, module.padding, module.dilation) == ((3, 3), (1, 1), (1, 1), (1, 1))
        and module.groups == 1
        and module.padding_mode == "zeros"
        and module.in_channels * module.out_channels >= WORTHWHILE
        and module.weight.dtype == torch.float32
    )


def flops_of_step(channels: int, filters: int, height: int, width: int) -> int:
    """Floating-point operations that one picture costs in a training step, forward and for both gradients.

    A transform of six numbers takes 26 (B^T), 17 (A^T) or 18 (A) of them; one of a tile is 12 or 10 such. By the sum of
    its products alone, the same step takes 54 · `channels` · `filters` · `height` · `width`.
    """
    tiles = -(-height // 4) * -(-width // 4)
    products = 3 * 2 * 36 * channels * filters
    of_inputs, of_outputs, of_gradients = 12 * 26, 10 * 17, 10 * 18
    maps = channels * (2 * of_inputs + of_outputs) + filters * (of_outputs + of_inputs + of_gradients)
    return tiles * (products + maps)


class WinogradConv2d(nn.Conv2d):
    """A 3x3 convolution of stride 1 and padding 1 that is trained by Winograd's algorithm."""

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, K, H, W)."""
        if not self.training or min(inputs.shape[2:]) < LEAST_SIDE or inputs.dtype != torch.float32:
            return super().forward(inputs)
        outputs: Tensor = _Convolution.apply(inputs, self.weight)  # type: ignore[no-untyped-call]
        return outputs if self.bias is None else outputs + self.bias[:, None, None]


class _Convolution(torch.autograd.Function):
    """Maps (B, C, H, W) and kernels (K, C, 3, 3) -> maps (B, K, H, W)."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, kernels: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, kernels)
        return _convolved(inputs, kernels)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        inputs, kernels = ctx.saved_tensors
        of_inputs = of_kernels = None
        if ctx.needs_input_grad[0]:
            of_inputs = _convolved(gradient, kernels.flip(2, 3).transpose(0, 1))
        if ctx.needs_input_grad[1]:
            of_kernels = _kernel_gradient(inputs, gradient)
        return of_inputs, of_kernels


def _convolved(inputs: Tensor, kernels: Tensor) -> Tensor:
    of_inputs, _, of_outputs = _loops()
    filters, channels = kernels.shape[:2]
    transformed = (_KERNEL @ kernels.permute(2, 3, 1, 0).reshape(9, -1)).view(-1, channels, filters)
    maps = channels_last(inputs)
    outputs = torch.empty(*maps.shape[:3], filters)
    for first, count in _blocks(maps):
        tiles, products = _Tiles(first, count, channels), _Tiles(first, count, filters)
        tiles.turn(of_inputs, maps)
        torch.bmm(tiles.matrices, transformed, out=products.matrices)
        products.turn(of_outputs, outputs)
    return outputs.permute(0, 3, 1, 2)


def _kernel_gradient(inputs: Tensor, gradient: Tensor) -> Tensor:
    of_inputs, of_gradients, _ = _loops()
    maps, gradients = channels_last(inputs), channels_last(gradient)
    channels, filters = maps.shape[3], gradients.shape[3]
    sums = torch.zeros(_PLACES, channels, filters)
    for first, count in _blocks(maps):
        tiles, behind = _Tiles(first, count, channels), _Tiles(first, count, filters)
        tiles.turn(of_inputs, maps)
        behind.turn(of_gradients, gradients)
        sums.baddbmm_(tiles.matrices.transpose(1, 2), behind.matrices)
    gathered = _KERNEL.T @ sums.view(_PLACES, -1)
    return gathered.view(3, 3, channels, filters).permute(3, 2, 0, 1)


class _Tiles:
    """Transformed tiles: 36 matrices (tiles, channels), one for each place.

    Args:
        first: the first tile of all, which go through the images row by row.
        count: how many.
        channels: of the maps.
    """

    def __init__(self, first: int, count: int, channels: int) -> None:
        self._first, self._count = first, count
        self._apart = count * channels + _APART
        self._numbers = torch.empty(_PLACES * self._apart)
        self.matrices = self._numbers.as_strided((_PLACES, count, channels), (self._apart, channels, 1))

    def turn(self, loop: Any, maps: Tensor) -> None:
        """Transform maps (B, H, W, C) into the tiles, or the other way about."""
        sizes = torch.tensor([*maps.shape, self._first, self._count, self._apart])
        team.run(loop, torch.get_num_threads(), sizes, maps, self._numbers)


def _blocks(maps: Tensor) -> Iterator[tuple[int, int]]:
    """The tiles of maps (B, H, W, C), some at a time: (the first, how many)."""
    images, height, width = maps.shape[:3]
    tiles = images * -(-height // 4) * -(-width // 4)
    for first in range(0, tiles, BLOCK):
        yield first, min(BLOCK, tiles - first)


def _loops() -> tuple[Any, Any, Any]:
    from convoscope.training._winograd import loops  # Numba takes its time, and most trainings don't need it

    return loops()
