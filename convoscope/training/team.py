"""PyTorch's own threads, for loops that are compiled here.

Threads of another pool would share the cores with PyTorch's, which go on spinning for some milliseconds after each of
their tasks, in wait for the next one; a loop that takes one millisecond would wait longer than it works. So the loops
run on the same threads: those of GNU's OpenMP, which PyTorch brings along on Linux.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

THREAD, THREADS, BARRIER = "convoscope_thread", "convoscope_threads", "convoscope_barrier"
"""What compiled loops call to know which thread of how many they run on, and to wait for the others."""


def available() -> bool:
    """Whether PyTorch's threads can be had here."""
    return _openmp() is not None


def run(loop: Any, threads: int, *tensors: Tensor) -> None:
    """Call ``loop(table)`` on `threads` of PyTorch's threads at once, and wait for all.

    Args:
        loop: a Numba ``cfunc``; it asks `THREAD` and `THREADS` which share of the work is its own.
        threads: at most; there may be fewer.
        tensors: contiguous; `table` holds the addresses of their numbers in this order.
    """
    table = (ctypes.c_void_p * len(tensors))(*(tensor.data_ptr() for tensor in tensors))
    _openmp().GOMP_parallel(ctypes.c_void_p(loop.address), table, threads, 0)


@cache
def _openmp() -> Any:
    """The library, its functions known to Numba's linker by our names; None if it is not there."""
    for path in sorted((Path(torch.__file__).parent / "lib").glob("libgomp*.so*")):
        try:
            library = ctypes.CDLL(str(path))
            calls = {
                THREAD: library.omp_get_thread_num,
                THREADS: library.omp_get_num_threads,
                BARRIER: library.GOMP_barrier,
            }
            library.GOMP_parallel.restype = None
        except (OSError, AttributeError):
            continue
        import llvmlite.binding

        for name, function in calls.items():
            llvmlite.binding.add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)
        return library
    return None
