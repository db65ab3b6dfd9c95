"""Winograd's convolution: 3x3 kernels with a fifth to a third of the multiplications, for training on a plain CPU.

Seven by seven outputs of a 3x3 convolution need 441 products if each is summed up by itself. S. Winograd ("Arithmetic
Complexity of Computations", 1980) showed that 81 do: with a 9x9 tile d of the input and a kernel g,

    y = A^T [(G g G^T) · (B^T d B)] A,

where · multiplies place by place, and A, B and G hold fixed numbers (`toom_cook.py`). Over the maps, the 81 places are
81 matrix products, and the transforms are sums (A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks",
2016). Turned round, the same gives both gradients: with t = A dy A^T, that of the input is B [(G g G^T) · t] B^T, added
up where tiles overlap, and that of the kernels G^T [(B^T d B) · t] G. Tiles are as large as suits the size of the maps.

Rounding differs from PyTorch's convolution by 1e-6 to 4e-5 of the values, the more the larger a tile is. So only steps
of training are taken this way; validation, tests and everything after them use PyTorch's. What it is worth on a
machine: `benchmarks/winograd.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from convoscope.training import team
from convoscope.training.swap import channels_last, layers_as
from convoscope.training.toom_cook import Tile, best_tile

WORTHWHILE = 48 * 48
"""Input maps times output maps from which the matrix products outweigh the transforms."""
LEAST = 64 * 1024
"""Input maps times output maps times pixels of a map; for less, PyTorch is as fast."""
LEAST_SIDE = 3
"""Rows and columns of a map; of smaller ones, most of a tile lies outside."""
BLOCK = 72 * 1024
"""Places of the tiles that are transformed, multiplied and transformed back at a time."""


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


def pays(channels: int, filters: int, height: int, width: int) -> bool:
    """Whether it is worthwhile for maps of this size."""
    return min(height, width) >= LEAST_SIDE and channels * filters * height * width >= LEAST


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
        if not (suitable and pays(self.in_channels, self.out_channels, *inputs.shape[2:])):
            return super().forward(inputs)
        outputs: Tensor = _Convolution.apply(inputs, self.weight)  # type: ignore[no-untyped-call]
        return outputs if self.bias is None else outputs + self.bias[:, None, None]


class _Convolution(torch.autograd.Function):
    """Maps (B, C, H, W) and kernels (K, C, 3, 3) -> maps (B, K, H, W)."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, kernels: Tensor) -> Tensor:
        maps = channels_last(inputs)
        tile = best_tile(*maps.shape[1:3])
        by = _places_of(kernels, tile)
        outputs = torch.empty(*maps.shape[:3], len(kernels))
        kept = _room(tile, maps, len(maps)) if ctx.needs_input_grad[1] else None
        for first, count in _blocks(maps, tile):
            room = _room(tile, maps, count) if kept is None else kept[first : first + count]
            tiles, products = _Tiles(tile, first, room), _Tiles(tile, first, _room(tile, outputs, count))
            tiles.of_inputs(maps)
            torch.bmm(tiles.matrices, by, out=products.matrices)
            products.to_outputs(outputs)
        ctx.shape = maps.shape
        ctx.save_for_backward(kept, kernels)
        return outputs.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        kept, kernels = ctx.saved_tensors
        gradients = channels_last(gradient)
        tile = best_tile(*gradients.shape[1:3])
        by = _places_of(kernels, tile)
        found = torch.empty(ctx.shape) if ctx.needs_input_grad[0] else None
        sums = torch.zeros_like(by) if kept is not None else None
        for first, count in _blocks(gradients, tile):
            behind = _Tiles(tile, first, _room(tile, gradients, count))
            behind.of_gradients(gradients)
            if found is not None:
                products = _Tiles(tile, first, _room(tile, found, count))
                torch.bmm(behind.matrices, by.transpose(1, 2), out=products.matrices)
                products.to_gradients(found)
            if sums is not None:
                before = _Tiles(tile, first, kept[first : first + count])
                sums.baddbmm_(before.matrices.transpose(1, 2), behind.matrices)
        return (
            None if found is None else found.permute(0, 3, 1, 2),
            None if sums is None else _kernels_of(sums, tile),
        )


def _places_of(kernels: Tensor, tile: Tile) -> Tensor:
    """G g G^T: kernels (K, C, 3, 3) -> for each place, a matrix (C, K)."""
    filters, channels = kernels.shape[:2]
    return (tile.kernel @ kernels.permute(2, 3, 1, 0).reshape(9, -1)).view(-1, channels, filters)


def _kernels_of(places: Tensor, tile: Tile) -> Tensor:
    """G^T s G: for each place, a matrix (C, K) -> kernels (K, C, 3, 3)."""
    channels, filters = places.shape[1:]
    return (tile.kernel.T @ places.view(len(places), -1)).view(3, 3, channels, filters).permute(3, 2, 0, 1)


def _room(tile: Tile, maps: Tensor, images: int) -> Tensor:
    """Where the transformed tiles of so many images of maps (B, H, W, C) go: (images, tiles of each, places², C)."""
    _, height, width, channels = maps.shape
    return torch.empty(images, tile.count(height, width), tile.places**2, channels)


class _Tiles:
    """The transformed tiles of some images: a matrix (tiles, channels) for each place.

    Args:
        tile: what they are like.
        first: the first image.
        room: where they are, or are to be put.
    """

    def __init__(self, tile: Tile, first: int, room: Tensor) -> None:
        self._tile, self._first, self._room = tile, first, room
        self.matrices = room.flatten(0, 1).transpose(0, 1)

    def of_inputs(self, maps: Tensor) -> None:
        """B^T d B of the inputs."""
        self._turn(_loops()[0], maps, self._tile.of_inputs, margin=1)

    def to_outputs(self, maps: Tensor) -> None:
        """A^T m A, the outputs."""
        self._turn(_loops()[1], maps, self._tile.to_outputs)

    def of_gradients(self, maps: Tensor) -> None:
        """A g A^T of the gradients of the outputs."""
        self._turn(_loops()[0], maps, self._tile.to_outputs.T)

    def to_gradients(self, maps: Tensor) -> None:
        """B m B^T, the gradients of the inputs."""
        self._turn(_loops()[1], maps, self._tile.of_inputs.T, margin=1)

    def _turn(self, loop: Any, maps: Tensor, matrix: Tensor, margin: int = 0) -> None:
        tile = self._tile
        pixels = sum(matrix.shape) - tile.places
        sizes = [*maps.shape, self._first, len(self._room), tile.outputs, tile.places, pixels, margin]
        team.run(loop, torch.get_num_threads(), torch.tensor(sizes), maps, self._room, matrix.contiguous())


def _blocks(maps: Tensor, tile: Tile) -> Iterator[tuple[int, int]]:
    """The images of maps (B, H, W, C), some at a time: (the first, how many)."""
    images, height, width = maps.shape[:3]
    together = max(torch.get_num_threads(), BLOCK // (tile.places**2 * tile.count(height, width)))
    for first in range(0, images, together):
        yield first, min(together, images - first)


def _loops() -> tuple[Any, Any]:
    from convoscope.training._winograd import loops  # Numba takes its time, and most trainings don't need it

    return loops()
