"""Winograd's convolution: 3x3 kernels with a fifth to a third of the multiplications, for training on a plain CPU.

Seven by seven outputs of a 3x3 convolution need 441 products if each is summed up by itself. S. Winograd ("Arithmetic
Complexity of Computations", 1980) showed that 81 do: with a 9x9 tile d of the input and a kernel g,

    y = A^T [(G g G^T) · (B^T d B)] A,

where · multiplies place by place, and A, B and G hold fixed numbers (`toom_cook.py`). Over the maps, the 81 places are
81 matrix products, and the transforms are sums (A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks",
2016). Turned round, the same gives both gradients: with t = A dy A^T, that of the input is B [(G g G^T) · t] B^T, added
up where tiles overlap, and that of the kernels G^T [(B^T d B) · t] G. Tiles are as large as suits the size of the maps.

Rounding differs from PyTorch's convolution by 1e-6 to 4e-5 of the values, the more the larger a tile is. So only steps
of training are taken this way; validation, tests and everything after them use PyTorch's. The loops are compiled
(`_winograd.py`): what is transformed stays in the processor's caches. What it is worth on a machine:
`benchmarks/winograd.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convoscope.models import layers
from convoscope.training import team
from convoscope.training.swap import channels_last, layers_as
from convoscope.training.toom_cook import best_tile

LEAST_MAPS = 16
"""Input maps, and output maps; of fewer, vectors stay half empty."""
LEAST_PAIRS = 16 * 32
"""Input maps times output maps from which the products outweigh the transforms."""
LEAST_SIDE = 3
"""Rows and columns of a map; of smaller ones, most of a tile lies outside."""
LEAST_TILES = 64
"""Tiles of a batch; for fewer, it takes too long to transform the kernels."""
LEAST_WORK = 4_000_000
"""Pixels of a batch times input maps times output maps; less is done before the loops are called."""
LEAST_FLOP = 2_000_000_000_000
"""FLOP that a training takes by sums of products, from which it saves some five seconds. To compile the loops takes
eight, the first time that they are needed on a machine."""
LARGE = 128 * 256
"""Input maps times output maps from which all threads work on the same images, each on some of the places. Matrices of
kernels of this size are read from memory, so they are read once for many tiles."""
FEW, MANY = 32, 512
"""Tiles, at least, that a thread works on at a time, few enough for the caches; and that all threads work on."""


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
        and min(module.in_channels, module.out_channels) >= LEAST_MAPS
        and module.in_channels * module.out_channels >= LEAST_PAIRS
        and module.weight.dtype == torch.float32
    )


def pays(batch: int, channels: int, filters: int, height: int, width: int) -> bool:
    """Whether it is worthwhile for a batch of maps of this size."""
    return (
        min(height, width) >= LEAST_SIDE
        and batch * best_tile(height, width).count(height, width) >= LEAST_TILES
        and batch * channels * filters * height * width >= LEAST_WORK
    )


def saves_time(model: nn.Module, input_shape: tuple[int, int, int], pictures: int) -> bool:
    """Whether a training of `model` gains by it, that sees so many pictures of this size."""
    suited = {name for name, module in model.named_modules() if suits(module)}
    flops = sum(layer.train_flops for layer in layers(model, input_shape) if layer.name in suited)
    return pictures * flops >= LEAST_FLOP


def flops_of_step(channels: int, filters: int, height: int, width: int) -> int:
    """Floating-point operations that one picture costs in a training step, forward and for both gradients.

    By the sum of its products alone, the same step takes 54 · `channels` · `filters` · `height` · `width`.
    """
    tile = best_tile(height, width)
    products = 3 * 2 * tile.places**2 * channels * filters
    inward, outward = _operations(tile.of_inputs), _operations(tile.to_outputs)
    back, forth = _operations(tile.of_inputs.T), _operations(tile.to_outputs.T)
    maps = channels * (2 * inward + back) + filters * (outward + forth)
    return tile.count(height, width) * (products + maps)


def _operations(matrix: Tensor) -> int:
    """Those of M d M^T, for one map."""
    once = 2 * int(matrix.count_nonzero()) - len(matrix)
    return once * sum(matrix.shape)


class WinogradConv2d(nn.Conv2d):
    """A 3x3 convolution of stride 1 and padding 1 that is trained by Winograd's algorithm."""

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, K, H, W)."""
        suitable = self.training and inputs.dtype == torch.float32
        if not (suitable and pays(len(inputs), self.in_channels, self.out_channels, *inputs.shape[2:])):
            return super().forward(inputs)
        outputs: Tensor = _Convolution.apply(inputs, self.weight)  # type: ignore[no-untyped-call]
        return outputs if self.bias is None else outputs + self.bias[:, None, None]


class _Convolution(torch.autograd.Function):
    """Maps (B, C, H, W) and kernels (K, C, 3, 3) -> maps (B, K, H, W)."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, kernels: Tensor) -> Tensor:
        maps = channels_last(inputs)
        work = _Work(maps.shape, len(kernels))
        outputs = torch.empty(*maps.shape[:3], len(kernels))
        work.run(0, maps, _columns(work.places_of(kernels)), outputs)
        ctx.save_for_backward(maps, kernels)
        return outputs.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        maps, kernels = ctx.saved_tensors
        work = _Work(maps.shape, len(kernels))
        of_inputs, of_kernels = ctx.needs_input_grad
        nothing = torch.empty(0)
        turned = _columns(work.places_of(kernels).transpose(1, 2)) if of_inputs else nothing
        found = torch.empty(maps.shape) if of_inputs else nothing
        sums = work.sums() if of_kernels else nothing
        work.run(1, maps, channels_last(gradient), turned, found, sums, wanted=(of_kernels, of_inputs))
        return (
            found.permute(0, 3, 1, 2) if of_inputs else None,
            work.kernels_of(sums) if of_kernels else None,
        )


class _Work:
    """A convolution of maps of some shape.

    Args:
        shape: of the inputs, (B, H, W, C).
        filters: K.
    """

    def __init__(self, shape: Sequence[int], filters: int) -> None:
        self._shape, self._filters = shape, filters
        self._tile = best_tile(*shape[1:3])
        self._threads = torch.get_num_threads()
        self._shared = shape[3] * filters >= LARGE
        self._tiles = self._tile.count(*shape[1:3])
        self._together = -(-(MANY if self._shared else FEW) // self._tiles)
        self._rooms = 1 if self._shared else self._threads

    def places_of(self, kernels: Tensor) -> Tensor:
        """G g G^T: kernels (K, C, 3, 3) -> for each place, a matrix (C, K)."""
        filters, channels = kernels.shape[:2]
        return (self._tile.kernel @ kernels.permute(2, 3, 1, 0).reshape(9, -1)).view(-1, channels, filters)

    def sums(self) -> Tensor:
        """Where each thread adds up the gradients of the kernels: for each place, a matrix (C, K)."""
        from convoscope.training._winograd import whole  # Numba takes its time, and most trainings don't need it

        return torch.zeros(self._rooms, self._tile.places**2, whole(self._shape[3]), whole(self._filters))

    def kernels_of(self, sums: Tensor) -> Tensor:
        """G^T s G, of what all threads added up: kernels (K, C, 3, 3)."""
        channels, filters = self._shape[3], self._filters
        places = sums.sum(dim=0)[:, :channels, :filters].reshape(len(sums[0]), -1)
        return (self._tile.kernel.T @ places).view(3, 3, channels, filters).permute(3, 2, 0, 1)

    def run(self, which: int, *tensors: Tensor, wanted: tuple[bool, ...] = ()) -> None:
        """Forward (0) or backward (1)."""
        from convoscope.training import _transforms, _winograd

        tile, (images, height, width, channels) = self._tile, self._shape
        sizes = [self._together, height, width, channels, self._filters, tile.outputs, tile.places, images]
        sizes += [self._shared, *(_transforms.number_of(kind, tile.outputs) for kind in _transforms.KINDS), *wanted]
        rooms = [
            _winograd.room_for(tile.places, self._together * self._tiles, maps) for maps in (channels, self._filters)
        ]
        room = torch.empty(self._threads * 2 * _winograd.SQUARE + self._rooms * sum(rooms))
        team.run(_winograd.loops()[which], self._threads, torch.tensor(sizes), *tensors, room)


def _columns(matrices: Tensor) -> Tensor:
    """Matrices (N, M, K), each cut into columns of so many numbers as are multiplied at a time."""
    from convoscope.training._vectors import LANES
    from convoscope.training._winograd import whole

    places, rows, columns = matrices.shape
    return F.pad(matrices, (0, whole(columns) - columns)).view(places, rows, -1, LANES).transpose(1, 2).contiguous()
