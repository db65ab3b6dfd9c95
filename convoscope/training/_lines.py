"""Lines of numbers in compiled loops: whose they are, where they lie, how they are read, written and activated.

Numbers are float32, or bfloat16 as the upper halves of float32 in uint16; computed with is float32. Loops over lines
are few and plain, so that the compiler uses vectors. What is changed here is not compiled anew for the loops of other
files; see `_transforms.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import carray, float32, int32, types, uint16, void
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from convoscope.training.team import BARRIER, THREAD, THREADS, available

Line = NDArray[np.float32]

RELU, GELU = 0, 1

_OPTIONS = {"boundscheck": False, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
compiled = numba.njit(cache=True, nogil=True, **_OPTIONS)
# What is inlined is compiled within its caller alone; a function compiled by itself is compiled again with each caller.
inlined = numba.njit(inline="always", nogil=True, **_OPTIONS)

thread = types.ExternalFunction(THREAD, int32())
threads = types.ExternalFunction(THREADS, int32())
barrier = types.ExternalFunction(BARRIER, void())

_BITS, _FLOAT = ir.IntType(32), ir.FloatType()


@intrinsic
def _power_of_two(typing: Any, exponent: Any) -> Any:  # noqa: ARG001
    """2 to a whole number between -126 and 127, given as float32."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        bits = builder.add(builder.fptosi(given[0], _BITS), _BITS(127))
        return builder.bitcast(builder.shl(bits, _BITS(23)), _FLOAT)

    return float32(float32), code


@intrinsic
def _widened(typing: Any, half: Any) -> Any:  # noqa: ARG001
    """A bfloat16 as float32."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.bitcast(builder.shl(builder.zext(given[0], _BITS), _BITS(16)), _FLOAT)

    return float32(uint16), code


@intrinsic
def _rounded(typing: Any, number: Any) -> Any:  # noqa: ARG001
    """The bfloat16 nearest to a float32; of two, the even one."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        bits = builder.bitcast(given[0], _BITS)
        odd = builder.and_(builder.lshr(bits, _BITS(16)), _BITS(1))
        bits = builder.add(bits, builder.add(odd, _BITS(0x7FFF)))
        return builder.trunc(builder.lshr(bits, _BITS(16)), ir.IntType(16))

    return uint16(float32), code


def read(maps: Any, line: int, room: Line) -> Line:
    """A line of `maps` as float32: itself, or widened in `room`."""
    raise NotImplementedError


def room_for(maps: Any, line: int, room: Line) -> Line:
    """Where to put the numbers of a line of `maps`: there, or in `room` if they are to be rounded."""
    raise NotImplementedError


def put(numbers: Line, maps: Any, line: int) -> None:
    """Round the numbers to the nearest bfloat16 in a line of `maps`; float32 is there already."""
    raise NotImplementedError


@overload(read, strict=False)
@overload(room_for, strict=False)
def _there(maps: Any, line: Any, room: Any) -> Callable[..., Any] | None:  # noqa: ARG001
    if maps.dtype != float32:
        return None

    def found(maps: Any, line: int, room: Line) -> Line:  # noqa: ARG001
        return maps[line]

    return found


@overload(read, strict=False)
def _widened_line(maps: Any, line: Any, room: Any) -> Callable[..., Any] | None:  # noqa: ARG001
    if maps.dtype == float32:
        return None

    def widened(maps: Any, line: int, room: Line) -> Line:
        source = maps[line]
        for i in range(source.size):
            room[i] = _widened(source[i])
        return room

    return widened


@overload(room_for, strict=False)
def _in_room(maps: Any, line: Any, room: Any) -> Callable[..., Any] | None:  # noqa: ARG001
    if maps.dtype == float32:
        return None

    def found(maps: Any, line: int, room: Line) -> Line:  # noqa: ARG001
        return room

    return found


@overload(put, strict=False)
def _rounded_line(numbers: Any, maps: Any, line: Any) -> Callable[..., Any]:  # noqa: ARG001
    if maps.dtype == float32:

        def nothing(numbers: Line, maps: Any, line: int) -> None:
            pass

        return nothing

    def rounded(numbers: Line, maps: Any, line: int) -> None:
        target = maps[line]
        for i in range(target.size):
            target[i] = _rounded(numbers[i])

    return rounded


@compiled
def _exponential(x: float) -> float:
    """e^x for x <= 0, as 2^n times a polynomial on half an octave to either side (error 2e-7 of it).

    The polynomial, and ln 2 in two parts, are those of S. Moshier, "Methods and Programs for Mathematical Functions"
    (1989).
    """
    x = max(x, float32(-87))
    n = np.floor(x * float32(1.44269504) + float32(0.5))
    r = x - n * float32(0.693359375) + n * float32(2.12194440e-4)
    p = float32(1.9875691500e-4)
    p = p * r + float32(1.3981999507e-3)
    p = p * r + float32(8.3334519073e-3)
    p = p * r + float32(4.1665795894e-2)
    p = p * r + float32(1.6666665459e-1)
    p = p * r + float32(0.5)
    return (p * r * r + r + float32(1)) * _power_of_two(n)


@compiled
def _normal(x: float) -> tuple[float, float]:
    """The share of the standard normal distribution below x, and its density there.

    Abramowitz, Stegun, "Handbook of Mathematical Functions" (1964), 7.1.26: error 8e-8.
    """
    bell = _exponential(float32(-0.5) * x * x)
    t = float32(1) / (float32(1) + float32(0.3275911 * 0.7071067811865476) * abs(x))
    p = float32(0.5 * 1.061405429)
    p = p * t - float32(0.5 * 1.453152027)
    p = p * t + float32(0.5 * 1.421413741)
    p = p * t - float32(0.5 * 0.284496736)
    p = p * t + float32(0.5 * 0.254829592)
    beyond = p * t * bell
    return float32(1) - beyond if x > 0 else beyond, float32(0.3989422804014327) * bell


@inlined
def activate(values: Line, scale: Line, shift: Line, kind: int, out: Line) -> None:
    """The activation of scale · values + shift."""
    if kind == GELU:
        for i in range(out.size):
            x = scale[i] * values[i] + shift[i]
            out[i] = x * _normal(x)[0]
    else:
        for i in range(out.size):
            x = scale[i] * values[i] + shift[i]
            out[i] = float32(0) if x < 0 else x


@inlined
def slope(values: Line, scale: Line, shift: Line, kind: int, gradient: Line, out: Line) -> None:
    """`gradient` times the slope of the activation at scale · values + shift."""
    if kind == GELU:
        for i in range(out.size):
            x = scale[i] * values[i] + shift[i]
            below, density = _normal(x)
            out[i] = gradient[i] * (below + x * density)
    else:
        for i in range(out.size):
            passed = gradient[i]
            out[i] = passed if scale[i] * values[i] + shift[i] > 0 else float32(0)


@intrinsic
def numbers_at(typing: Any, address: Any, kind: Any) -> Any:  # noqa: ARG001
    """An address of float32 as one of numbers of the type of `kind`."""

    def code(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.bitcast(given[0], context.get_value_type(kind).as_pointer())

    return types.CPointer(kind)(address, kind), code


@inlined
def maps_at(table: Any, at: int, rows: int, columns: int, kind: Any) -> Any:
    """Maps of the type of `kind`, (rows, columns)."""
    return carray(numbers_at(table[at], kind), (rows, columns))


@inlined
def share(lines: int) -> tuple[int, int]:
    """This thread's lines, first and behind the last."""
    part, parts = thread(), threads()
    return lines * part // parts, lines * (part + 1) // parts


def for_team(*loops: Callable[[Any], None]) -> tuple[Any, ...]:
    """Functions of a table of addresses, compiled for `convoscope.training.team.run`.

    Each must stand at the top of its module: Numba finds the code of a function made within another in its cache in no
    other process.
    """
    if not available():  # else the linker would end the process
        raise RuntimeError("PyTorch's threads can't be had here")
    kind = void(types.CPointer(types.CPointer(float32)))
    return tuple(numba.cfunc(kind, cache=True, nopython=True, **_OPTIONS)(loop) for loop in loops)
