"""Layers that PyTorch doesn't have, as modules, so that each can be seen by its name."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ScaledTanh(nn.Module):
    """f(x) = 1.7159 tanh(2x / 3), the squashing function of LeCun et al. 1998 (appendix A): f(1) = 1, f(-1) = -1."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Add(nn.Module):
    """The sum of two paths of a residual net (He et al. 2015)."""

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Two tensors of one shape to their sum."""
        return one + other


class MapScale(nn.Module):
    """A trainable coefficient and bias for each map; after an average, the subsampling of LeCun et al. 1998.

    Args:
        maps: number of feature maps.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(maps))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(self, x: Tensor) -> Tensor:
        """(B, maps, H, W) to the same shape."""
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class TableConv2d(nn.Module):
    """A convolution in which each output map sees only the input maps that a table gives it (LeCun et al. 1998).

    Only the weights of connections that exist are parameters. The arithmetic is that of a full convolution whose other
    weights are zero, and costs as many multiplications as one: computed connection by connection it would be slower.

    Args:
        table: for each output map, the input maps that it sees.
        kernel_size: rows and columns of each kernel.
    """

    pairs: Tensor
    stride = dilation = (1, 1)
    padding = (0, 0)
    groups = 1

    def __init__(self, table: tuple[tuple[int, ...], ...], kernel_size: int) -> None:
        super().__init__()
        self.in_channels = 1 + max(max(seen) for seen in table)
        self.out_channels = len(table)
        self.kernel_size = (kernel_size, kernel_size)
        pairs = [(output, seen) for output, row in enumerate(table) for seen in row]
        self.register_buffer("pairs", torch.tensor(pairs).T, persistent=False)  # (2, connections)
        # As in nn.Conv2d, uniform between ±1 / sqrt(fan-in), but each map has a fan-in of its own.
        bounds = torch.tensor([(len(seen) * kernel_size**2) ** -0.5 for seen in table])
        uniform = torch.rand(len(pairs), kernel_size, kernel_size) * 2 - 1
        self.connected = nn.Parameter(uniform * bounds[self.pairs[0], None, None])  # (connections, rows, columns)
        self.bias = nn.Parameter((torch.rand(len(table)) * 2 - 1) * bounds)

    @property
    def weight(self) -> Tensor:
        """The full kernel (out, in, rows, columns), zero where there is no connection."""
        full = self.connected.new_zeros(self.out_channels, self.in_channels, *self.kernel_size)
        return full.index_put((self.pairs[0], self.pairs[1]), self.connected)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H - rows + 1, W - columns + 1)."""
        return functional.conv2d(x, self.weight, self.bias)
