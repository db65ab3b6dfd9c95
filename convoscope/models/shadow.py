"""Copies of a net to listen to: hooks put on them are heard by nobody else, and its own hooks stay silent."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

_LAID_OUT = 1 << 26
"""Numbers of a kernel, hollow or not, that PyTorch may lay out in memory: a quarter of a gigabyte."""


def shadow(model: nn.Module) -> nn.Module:
    """A copy of the modules of `model`, in evaluation mode, that shares its weights."""
    return _copied(model, lambda tensor: tensor)


def ghost(model: nn.Module) -> nn.Module:
    """A copy of `model`, in evaluation mode, that tells what shapes become of a batch of no pictures."""
    return _copied(model, _hollow)


def ghost_is_light(model: nn.Module) -> bool:
    """Whether a ghost of `model` takes little memory: a convolution lays its kernels out even for no pictures."""
    return all(parameter.numel() <= _LAID_OUT for parameter in model.parameters() if parameter.dim() > 2)


def meta_ghost(model: nn.Module) -> nn.Module:
    """A copy of `model`, in evaluation mode, on the device ``meta``, which knows shapes and computes nothing."""
    return _copied(model, lambda tensor: torch.empty_like(tensor, device="meta"))


def _hollow(tensor: Tensor) -> Tensor:
    """A tensor on the CPU, of the shape and type of `tensor`, that holds a single zero, for all its places."""
    return torch.zeros((), dtype=tensor.dtype, device="cpu").expand(tensor.shape)


def _copied(model: nn.Module, replaced: Callable[[Tensor], Tensor]) -> nn.Module:
    memo: dict[int, object] = {}
    for parameter in model.parameters():
        other = replaced(parameter)
        memo[id(parameter)] = other if other is parameter else nn.Parameter(other, parameter.requires_grad)
    for buffer in model.buffers():
        memo[id(buffer)] = replaced(buffer)
    copied = copy.deepcopy(model, memo)
    for module in copied.modules():
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
    return copied.eval()
