"""Pooling, batch normalisation and activation joined, for training on a CPU.

Layer by layer, each of the three reads and writes all maps in each direction, and a fast small network waits for memory
about as long as it multiplies. Here two passes go forward, one that pools and adds up means and variances and one that
normalises and activates, and two go backward; what lies between is never written. With p the pooled maps (or the maps
themselves), m and v mean and variance of a channel over the N numbers that it has in a batch, g and b the trained scale
and shift, and f the activation:

    y = f(s p + t),   s = g / sqrt(v + eps),   t = b - m s.

Backward, with d = dy f'(s p + t) and q = (p - m) / sqrt(v + eps):

    db = sum d,   dg = sum d q,   dp = s (d - db / N - q dg / N),

and dp goes to the largest of the four numbers that were pooled. S. Ioffe, C. Szegedy, "Batch normalization" (2015);
that the passes can be joined, W. Jung et al., "Restructuring batch normalization to accelerate CNN training" (2019).

Sums are rounded in another order than PyTorch's. So only steps of training are taken this way; validation, tests and
everything after them use PyTorch's layers. What it is worth on a machine: `benchmarks/fused.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from convoscope.models import layers
from convoscope.training import team
from convoscope.training.swap import channels_last, layers_as

LINE = 4096
"""Numbers that are worked on at a time: few enough for the processor's nearest cache."""
WORTHWHILE = 1_200_000_000
"""Numbers that a training normalises from which it saves more than a second. To compile the loops takes some ten, the
first time that they are needed on a machine."""


def worthwhile(model: nn.Module, input_shape: tuple[int, int, int], pictures: int) -> bool:
    """Whether a training of `model` gains by it, that sees so many pictures of this size."""
    numbers = sum(math.prod(layer.input_shape) for layer in layers(model, input_shape) if layer.kind == "BatchNorm2d")
    return pictures * numbers >= WORTHWHILE


@contextmanager
def fused(model: nn.Module) -> Iterator[None]:
    """Within it, pooling, normalisation and activation are trained in one, where they follow one another in `model`.

    Only where PyTorch's threads can be had for it (Linux), on a CPU.
    """
    found = [group for line in model.modules() if type(line) is nn.Sequential for group in _groups(list(line))]
    if not (found and team.available()):
        yield
        return
    kinds: dict[nn.Module, type[nn.Module]] = {}
    for pooling, norm, activation in found:
        norm.pooled, norm.activation = pooling is not None, type(activation)
        kinds |= {norm: FusedBatchNorm2d, activation: _PASSING[type(activation)]}
        if pooling is not None:
            kinds[pooling] = _PASSING[type(pooling)]
    try:
        with layers_as(kinds):
            yield
    finally:
        for _, norm, _ in found:
            del norm.pooled, norm.activation


def _groups(line: list[nn.Module]) -> Iterator[tuple[Any, Any, Any]]:
    """(pooling or None, normalisation, activation) where they follow one another."""
    for at, layer in enumerate(line[:-1]):
        if _is_norm(layer) and _is_activation(line[at + 1]):
            pooling = line[at - 1] if at and _is_pooling(line[at - 1]) else None
            yield pooling, layer, line[at + 1]


def _is_norm(layer: nn.Module) -> bool:
    return (
        type(layer) is nn.BatchNorm2d
        and layer.affine
        and layer.track_running_stats
        and layer.momentum is not None
        and layer.weight.device.type == "cpu"
        and layer.weight.dtype == torch.float32
    )


def _is_activation(layer: nn.Module) -> bool:
    return type(layer) is nn.ReLU or (type(layer) is nn.GELU and layer.approximate == "none")


def _is_pooling(layer: nn.Module) -> bool:
    """Whether it is 2x2, without overlap."""
    return (
        type(layer) is nn.MaxPool2d
        and {layer.kernel_size, layer.stride} <= {2, (2, 2)}
        and (layer.padding, layer.dilation) == (0, 1)
        and not (layer.ceil_mode or layer.return_indices)
    )


class _PassingReLU(nn.ReLU):
    """While training, the normalisation has done its work."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if self.training else super().forward(inputs)


class _PassingGELU(nn.GELU):
    """While training, the normalisation has done its work."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if self.training else super().forward(inputs)


class _PassingPool(nn.MaxPool2d):
    """While training, the normalisation does its work."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if self.training else super().forward(inputs)


_PASSING: dict[type[nn.Module], type[nn.Module]] = {
    nn.ReLU: _PassingReLU,
    nn.GELU: _PassingGELU,
    nn.MaxPool2d: _PassingPool,
}


class FusedBatchNorm2d(nn.BatchNorm2d):
    """A batch normalisation that, while training, pools before it and activates after it.

    Attributes:
        pooled: whether the largest of each 2x2 numbers goes in.
        activation: the class of the layer whose function comes after it.
    """

    pooled: bool
    activation: type[nn.Module]
    momentum: float
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W), or half of H and W if pooled."""
        if not self.training:
            return super().forward(inputs)
        outputs, now_mean, now_variance = _Fused.apply(  # type: ignore[no-untyped-call]
            inputs, self.weight, self.bias, self.eps, self.pooled, self.activation
        )
        with torch.no_grad():
            count = outputs.numel() // outputs.shape[1]
            self.running_mean.lerp_(now_mean, self.momentum)
            self.running_var.lerp_(now_variance * (count / max(count - 1, 1)), self.momentum)
            self.num_batches_tracked.add_(1)
        result: Tensor = outputs
        return result


class _Fused(torch.autograd.Function):
    """Maps (B, C, H, W), scale (C,), shift (C,) -> outputs, and each channel's mean and variance (C,)."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, eps: float, pooled: bool, activation: type[nn.Module]
    ) -> tuple[Tensor, Tensor, Tensor]:
        from convoscope.training._fused import MEAN, ROWS, VARIANCE, loops
        from convoscope.training._lines import GELU, RELU

        maps = channels_last(inputs)
        ctx.whole = maps.shape
        batch, height, width, channels = maps.shape
        places = torch.empty(0, dtype=torch.uint8)
        values = maps
        if pooled:
            values = maps.new_empty(batch, height // 2, width // 2, channels)
            places = torch.empty(values.shape, dtype=torch.uint8)
        rows = rows_of_line(values.shape)
        size, of_image = rows * values.shape[2] * channels, values.shape[1] // rows
        whole = (2 if pooled else 1) * rows * width * channels
        threads = ctx.threads = torch.get_num_threads()
        kind = GELU if issubclass(activation, nn.GELU) else RELU
        ctx.sizes = torch.tensor([
            *(batch * of_image, size, channels, 2 * threads, kind),
            *(of_image, whole, width * channels, height * width * channels),
        ])  # fmt: skip
        gather, apply, _, _ = ctx.loops = loops(maps.dtype == torch.bfloat16)
        stats, sums, outputs = torch.empty(ROWS, channels), torch.zeros(2 * threads, size), torch.empty_like(values)
        team.run(gather, threads, ctx.sizes, values, stats, sums, maps, places)
        team.run(apply, threads, ctx.sizes, values, stats, sums, weight, bias, torch.tensor([eps]), outputs)
        ctx.save_for_backward(values, places, stats)
        mean, variance = stats[MEAN], stats[VARIANCE]
        ctx.mark_non_differentiable(mean, variance)
        return outputs.permute(0, 3, 1, 2), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        values, places, stats = ctx.saved_tensors
        _, _, blame, give_back = ctx.loops
        sums = torch.zeros(2 * ctx.threads, int(ctx.sizes[1]))
        sloped, of_trained = torch.empty_like(values), torch.empty(2, values.shape[3])
        team.run(blame, ctx.threads, ctx.sizes, values, stats, sums, channels_last(gradient), sloped)
        of_maps = values.new_empty(ctx.whole)
        team.run(give_back, ctx.threads, ctx.sizes, values, stats, sums, sloped, places, of_trained, of_maps)
        of_weight, of_bias = of_trained
        trained = ctx.needs_input_grad
        return (
            of_maps.permute(0, 3, 1, 2),
            of_weight if trained[1] else None,
            of_bias if trained[2] else None,
            *(None, None, None),
        )


def rows_of_line(shape: Sequence[int]) -> int:
    """Into how many rows together maps of `shape` (B, H, W, C) are divided: as many as `LINE` has room for."""
    _, height, width, channels = shape
    fitting = [rows for rows in range(2, height + 1) if height % rows == 0 and rows * width * channels <= LINE]
    return max(fitting, default=1)
