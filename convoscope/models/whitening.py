"""A first layer that is not trained but worked out from pictures: it turns patches into uncorrelated numbers.

After K. Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU" (arXiv 2404.00498), who takes it from D. Page
2019, "How to train your ResNet". The kernels are the principal components of the patches, each divided by its
deviation; and their negatives, so that an activation that silences half of each loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

# Keeps components that hardly occur in pictures from being blown up.
_LEAST_VARIANCE = 5e-4


class Whitening(nn.Conv2d):
    """A convolution without padding with 2·C·k·k frozen kernels, and a trainable bias. Random until it is fitted.

    Args:
        channels: C, of the pictures.
        kernel: k, rows and columns of a patch.
        stride: pixels from one patch to the next.
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(channels, 2 * channels * kernel**2, kernel, stride)
        self.weight.requires_grad_(False)

    @torch.no_grad()
    def fit(self, blocks: Iterable[Tensor]) -> None:
        """Work the kernels out from `blocks` of pictures (N, C, H, W), normalised as in training; thousands are enough.

        A block's patches take k·k times its memory.
        """
        rows, columns = self.kernel_size
        products, count = torch.zeros(()), 0
        for pictures in blocks:
            # (N, C, H', W', k, k) -> (patches, C·k·k)
            windows = pictures.unfold(2, rows, 1).unfold(3, columns, 1).permute(0, 2, 3, 1, 4, 5)
            patches = windows.flatten(3).flatten(0, 2)
            products = products + patches.T @ patches
            count += len(patches)
        variances, components = torch.linalg.eigh(products / count)
        kernels = (components / (variances + _LEAST_VARIANCE).sqrt()).T.unflatten(1, self.weight.shape[1:])
        self.weight.copy_(torch.cat([kernels, -kernels]))
        if self.bias is not None:
            self.bias.zero_()


def whitening_biases(net: nn.Module) -> list[Tensor]:
    """What is trained of the whitening layers of `net`: their biases."""
    layers = [module for module in net.modules() if isinstance(module, Whitening)]
    return [layer.bias for layer in layers if layer.bias is not None]


def fit_whitening(net: nn.Module, blocks: Iterable[Tensor]) -> None:
    """Fit the whitening layer of `net` to blocks of normalised pictures (N, C, H, W); if it has none, none is taken."""
    for module in net.modules():
        if isinstance(module, Whitening):
            module.fit(blocks)
