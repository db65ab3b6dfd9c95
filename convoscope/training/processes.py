"""Devices, precision and processes, through Lightning Fabric; the loop never asks how many there are.

One device is the identity case. Several are started here, unless torchrun or SLURM has already started us, in which
case Fabric reads their environment.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from convoscope.core.cores import usable_cores
from convoscope.core.errors import FailedError, RequestError
from convoscope.core.registry import nearest
from convoscope.training.swap import layers_as

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _NEVER = -1, -3, -1  # malloc.h
_LARGEST_BY_ITSELF = 32 << 20
"""Bytes of a block up to which glibc keeps what is freed by itself, once it has seen such blocks."""

_PATIENCE = timedelta(days=7)

_Begun = TypeVar("_Begun")

_FABRICS_NAMES = {"float32": "32-true", "bfloat16": "bf16-mixed"}


def precision_for(asked: str) -> str:
    """What the products of training are computed in: ``float32``, or ``bfloat16`` with weights and sums in float32.

    ``auto`` is bfloat16 where the machine multiplies in it: a GPU that has it, or a CPU with matrix units for it (AMX).

    Raises:
        RequestError: there is no such precision.
    """
    if asked != "auto":
        if asked not in _FABRICS_NAMES:
            raise nearest("precision", asked, ["auto", *_FABRICS_NAMES])
        return asked
    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if torch.cpu.get_capabilities().get("amx_bf16") else "float32"


def make_fabric(devices: int | None, precision: str, *, otherwise: int = 1) -> Any:
    """A Lightning Fabric for `devices` processes on the best accelerator here, with products in `precision`.

    Args:
        devices: as many as were asked for; None for all that torchrun or SLURM started, or `otherwise`.
        precision: "float32" or "bfloat16".
        otherwise: how many, where none were asked for and nobody else has started any.

    Raises:
        RequestError: more devices than the machine has, another number than torchrun or SLURM started, or several from
            within a notebook or an interactive Python.
    """
    with quiet_fabric():
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments.lightning import LightningEnvironment

        given: Any = {"accelerator": "auto", "precision": _FABRICS_NAMES[precision]}
        # What torchrun set for its own, if only for one, processes of ours would take for theirs.
        started = started_elsewhere() or int("LOCAL_RANK" in os.environ)
        if started and devices not in (None, started):
            raise RequestError("training.devices_started", asked=devices, started=started)
        if started > 1:
            here = int(os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("SLURM_NTASKS_PER_NODE") or started)
            return Fabric(devices=here, num_nodes=started // here, strategy="ddp", **given)
        asked = started or (otherwise if devices is None else devices)
        available = torch.cuda.device_count() if torch.cuda.is_available() else usable_cores()
        if not 1 <= asked <= available:
            raise RequestError("training.devices", asked=asked, available=available)
        if asked > 1 and (hasattr(sys, "ps1") or sys.flags.interactive):
            raise RequestError("training.devices_interactive", asked=asked)
        # Not the environment that Fabric would find: within a SLURM job of one task it expects SLURM to start the rest.
        given["plugins"] = LightningEnvironment()
        return Fabric(devices=asked, strategy="auto" if asked == 1 else "ddp_spawn", **given)


def started_elsewhere() -> int:
    """How many processes torchrun or SLURM started, us among them; 0 if neither did."""
    world = int(os.environ.get("WORLD_SIZE") or 0) if "LOCAL_RANK" in os.environ else 0
    if not world and "SLURM_JOB_ID" in os.environ and "SLURM_PROCID" in os.environ:
        world = int(os.environ.get("SLURM_NTASKS") or 0)
    return world if world > 1 else 0


def is_first() -> bool:
    """Whether this process speaks for all: it was started alone, or as the first by torchrun or SLURM."""
    return not started_elsewhere() or int(os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or 0) == 0


def first_begins(fabric: Any, begin: Callable[[], _Begun]) -> _Begun | None:
    """Call `begin` in the process that speaks for all; others that torchrun or SLURM started wait for its end.

    All are joined before, so that none waits for a process that has given up or gone.

    Returns:
        what `begin` gave; None in the other processes.

    Raises:
        RequestError: what `begin` raised, in every process.
    """
    if not started_elsewhere():
        return begin()
    with quiet_fabric():
        fabric.launch()  # joins the process group
    # To read and decode data may take longer than processes wait for each other in a step.
    patient = dist.new_group(timeout=_PATIENCE, backend="gloo")
    found: _Begun | None = None
    wrong: list[RequestError | None] = [None]
    if is_first():
        try:
            found = begin()
        except RequestError as error:
            wrong[0] = error
    dist.broadcast_object_list(wrong, group=patient)
    if wrong[0] is not None:
        dist.destroy_process_group()
        raise wrong[0]
    return found


def run_in_processes(fabric: Any, work: Callable[..., Any], *arguments: Any, resume: str) -> Any:
    """Call ``work(fabric, *arguments)`` in every process and give what rank 0 returned; after `first_begins`.

    Raises:
        RequestError: what a worker raised.
        FailedError: a worker was lost; `resume` is the folder to go on with.
        KeyboardInterrupt: Ctrl-C reached a worker where no step was being taken after which it could stop.
    """
    if fabric.world_size == 1:
        return work(fabric, *arguments)
    if started_elsewhere():
        return _worked(fabric, work, *arguments)
    from torch.multiprocessing.spawn import ProcessException

    wrong = torch.multiprocessing.get_context("spawn").SimpleQueue()
    try:
        with _interrupt_passed_on(), quiet_fabric():
            return fabric.launch(_telling, work, wrong, *arguments)
    except ProcessException as error:
        if not wrong.empty():
            raise wrong.get() from error
        raise FailedError("training.worker_lost", rank=error.error_index, reason=_reason(error), path=resume) from error


def _telling(fabric: Any, work: Callable[..., Any], wrong: Any, *arguments: Any) -> Any:
    """Call `work` in a worker; a wrong request that it finds, or Ctrl-C, goes to the parent whole, not as a text.

    PyTorch lets a worker that raises KeyboardInterrupt end as if it had done its work, and Fabric would wait for the
    result for ever.
    """
    try:
        return _worked(fabric, work, *arguments)
    except RequestError as error:
        wrong.put(error)
        raise
    except KeyboardInterrupt as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's comes to all, and the parent's to us once more
        wrong.put(KeyboardInterrupt())
        raise RuntimeError("interrupted") from error


def _worked(fabric: Any, work: Callable[..., Any], *arguments: Any) -> Any:
    """Call `work`, and leave the process group.

    Its threads must end while the interpreter still stands: one that wants the interpreter's lock, to give back what a
    collective held, once the interpreter is ending, is killed in the middle and takes the process with it ("terminate
    called without an active exception"). A busy machine, where a thread may lag behind, did so.
    """
    found = work(fabric, *arguments)
    dist.destroy_process_group()
    return found


def share_threads(fabric: Any) -> int:
    """Divide the cores among the processes of this machine; the number of threads that each gets."""
    if fabric.world_size > 1:
        torch.set_num_threads(max(1, _share_of_cores(fabric.world_size)))
    return torch.get_num_threads()


def _share_of_cores(processes: int) -> int:
    # A task of SLURM may be bound to its own cores: they are not all of the machine, and nobody else's.
    given = "LOCAL_RANK" not in os.environ and "SLURM_PROCID" in os.environ and started_elsewhere()
    if given and (own := os.environ.get("SLURM_CPUS_PER_TASK")):
        return min(int(own), usable_cores())
    return usable_cores() // max(1, processes // max(1, _nodes()))


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """`keep_freed_memory` within it; after it, all that is free goes back to the system, which a notebook needs."""
    keep_freed_memory()
    try:
        yield
    finally:
        if library := _allocator():
            library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_BY_ITSELF)
            library.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGEST_BY_ITSELF)
            library.malloc_trim(0)


def keep_freed_memory() -> None:
    """Have the C library keep freed memory instead of giving each large block back to the system.

    glibc maps every block beyond 32 MB anew, and the system clears each of its pages; a network's maps are such blocks,
    and come anew at every step. Kept, they cost an eighth less time at 131 MB a map (`benchmarks/train.py`). What is
    free at the end of its heap, glibc gives back too, all of a step of some gigabytes.
    """
    if library := _allocator():
        library.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        library.mallopt(_M_TRIM_THRESHOLD, _NEVER)


def _allocator() -> Any:
    """The C library, if it is glibc."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None


def _nodes() -> int:
    return int(os.environ.get("GROUP_WORLD_SIZE") or os.environ.get("SLURM_NNODES") or 1)


def _reason(error: Any) -> str:
    code = getattr(error, "exit_code", None)
    if code is not None and code < 0:
        return signal.Signals(-code).name
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


@contextmanager
def _interrupt_passed_on() -> Iterator[None]:
    """While workers run, Ctrl-C is theirs: they stop after their step, and the parent waits for them.

    Where there are none, not yet or no more, it is the parent's: there is nothing to wait for.

    Only in the main thread can Python be told what a signal does.
    """
    import multiprocessing

    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def pass_on(number: int, frame: Any) -> None:
        children = multiprocessing.active_children()
        if not children:
            signal.default_int_handler(number, frame)
        for child in children:
            if child.pid:
                os.kill(child.pid, number)

    before = signal.signal(signal.SIGINT, pass_on)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def quiet_fabric() -> Iterator[None]:
    """Fabric advises its own users; ours are told what matters by us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


for _chatty in (
    "lightning_fabric.utilities.distributed",
    "lightning_fabric.utilities.rank_zero",
    "torch.multiprocessing.spawn",
):
    # At import, since worker processes announce themselves before any line of ours runs in them.
    logging.getLogger(_chatty).setLevel(logging.ERROR)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the whole batch of all processes, on any device.

    PyTorch's SyncBatchNorm runs on accelerators only. Mean and variance are those of the global batch, so two processes
    train as one does. S. Ioffe, C. Szegedy, "Batch normalization" (2015).
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        if not self.training:
            return super().forward(inputs)
        axes = [0, 2, 3]
        values = inputs.float()  # sums over a batch are beyond what bfloat16 holds
        size = values.new_tensor(inputs.numel() // inputs.shape[1])
        dist.all_reduce(size)
        mean = _sum(values.sum(axes)) / size
        centred = values - mean[:, None, None]
        variance = _sum(centred.square().sum(axes)) / size
        self._remember(mean.detach(), variance.detach() * (size / (size - 1)))
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        outputs: Tensor = centred * scale[:, None, None]
        return (outputs if self.bias is None else outputs + self.bias[:, None, None]).to(inputs.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


class _Sum(torch.autograd.Function):
    """The sum over all processes; so is its gradient, since each process's loss depends on all of them."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


_sum: Callable[[Tensor], Tensor] = _Sum.apply


def share_batch_norm(model: nn.Module) -> nn.Module:
    """`model` with each BatchNorm2d turned into a `SharedBatchNorm` of the same numbers, in place."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm
    return model


def batch_norm_unshared(model: nn.Module) -> AbstractContextManager[None]:
    """Within it, each process normalises the batch that it has: all of it, where all have the same."""
    return layers_as({module: nn.BatchNorm2d for module in model.modules() if type(module) is SharedBatchNorm})
