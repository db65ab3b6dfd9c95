"""Whether a step of a training fits into memory: said before it begins, or, of a GPU, when it does not.

A system that runs out of memory ends a program without a word: the data were read by then, and perhaps an epoch done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef

from convoscope.core.errors import RequestError
from convoscope.core.memory import usable_memory
from convoscope.core.numerals import grouped
from convoscope.core.spec import Spec
from convoscope.models.layers import FLOAT32_BYTES

COPIES = 3
"""What a training holds of every weight at the least: itself, its gradient and what the optimizer remembers."""
BFLOAT16_SHARE = 0.5
"""What is left at the least of what is kept in float32, where products are computed in bfloat16."""
FEWEST = 2
"""Pictures of a step at the least: normalisations compare them."""
COMFORTABLE = 0.5
"""The share of the memory that the batch which is offered instead fills, so that it fits with all the rest."""


def check_memory(
    model: nn.Module, shape: tuple[int, int, int], batch: int, *, machines: int, recipe: Spec, precision: str
) -> None:
    """Refuse a step that can't fit into this machine's memory.

    Args:
        model: the network, on the device ``meta``.
        shape: (C, H, W) of the largest pictures of the training.
        batch: pictures of a step.
        machines: how many these are divided among at the most.
        recipe: as it was asked for.
        precision: what products are computed in.

    Raises:
        RequestError: what it keeps is more than all the memory that there is.
    """
    there = usable_memory()
    if there is None:
        return
    weights = COPIES * FLOAT32_BYTES * sum(parameter.numel() for parameter in model.parameters())
    picture = kept_of_a_picture(model, shape) * (BFLOAT16_SHARE if precision == "bfloat16" else 1)
    share = batch // machines
    needed, least = weights + share * picture, weights + FEWEST * picture
    if needed <= there:
        return
    said = {"picture": "x".join(map(str, shape)), "found": _gigabytes(there)}
    if least > there:
        raise RequestError("training.memory_network", **said, needed=_gigabytes(least))
    smaller = max(int((there * COMFORTABLE - weights) / picture), FEWEST)
    offered = _with_batch(recipe, smaller * machines)
    raise RequestError("training.memory", **said, batch=grouped(share), needed=_gigabytes(needed), recipe=offered)


@contextmanager
def enough_memory(batch: int, recipe: Spec) -> Iterator[None]:
    """Within it, a GPU that has too little memory for a step of `batch` pictures makes an error that says what to do.

    Raises:
        RequestError: instead of PyTorch's own error.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        smaller = _with_batch(recipe, max(batch // 2, 1))
        raise RequestError("training.device_memory", batch=grouped(batch), recipe=smaller) from error


def _gigabytes(size: float) -> str:
    return grouped(size / 1e9, 1)


def _with_batch(recipe: Spec, size: int) -> Spec:
    return Spec(recipe.name, recipe.parameters | {"batch_size": size})


def kept_of_a_picture(model: nn.Module, shape: tuple[int, int, int]) -> int:
    """Bytes of each picture that a step in float32 keeps from its way forward for its way back.

    Args:
        model: a network in training, on the device ``meta``, where only shapes are computed.
        shape: (C, H, W) of a picture.
    """
    two, three = (_kept(model, torch.empty((count, *shape), device="meta")) for count in (2, 3))
    return three - two  # what is kept once for all pictures is in both


def _kept(model: nn.Module, inputs: Tensor) -> int:
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[StorageWeakRef(storage).cdata] = storage.nbytes()  # type: ignore[no-untyped-call]
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs = model(inputs)
    del outputs  # until here it held all that was kept, so that no two had the same place
    return sum(sizes.values())
