"""Precise batch normalisation: at the end its statistics are taken anew, from pictures as they are.

While a network trains, a batch normalisation notes moving averages of what passes it: of distorted pictures, which
interpolation has blurred, and of weights that still change. Pictures that are tested are neither distorted nor blurred.
So the means and variances are taken once more over some undistorted training pictures, with the weights that are kept.

Source: Y. Wu, J. Johnson, "Rethinking 'Batch' in BatchNorm" (2021).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd


@torch.no_grad()
def take_statistics(model: nn.Module, blocks: Iterable[Tensor]) -> None:
    """Set the mean and variance of each batch normalisation of `model` to those of pictures.

    They are averages over the blocks, each by its size; a layer sees what the layers before it make of a block by the
    block's own statistics, as in training. Nothing is left out by dropout. A network
    without batch normalisation takes no picture.

    Args:
        model: on the device of the pictures; afterwards it is in the mode that it was in.
        blocks: scaled pictures (B, C, H, W). One picture alone is passed over: a map of one pixel has no variance then.
    """
    norms, training = _norms(model), model.training
    if not norms:
        return
    kept = [norm.momentum for norm in norms]
    model.train()
    for module in model.modules():
        if isinstance(module, _DropoutNd):
            module.eval()
    seen = 0
    for block in blocks:
        if len(block) == 1:
            continue
        seen += len(block)
        for norm in norms:
            norm.momentum = len(block) / seen
        model(block)
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
    model.train(training)


def _norms(model: nn.Module) -> list[_BatchNorm]:
    return [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
