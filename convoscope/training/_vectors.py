"""Vectors of numbers in compiled loops, as code of the compiler underneath Numba (LLVM).

What is written here stays in the processor's registers from the first number to the last; loops over arrays would write
what they add up, and wait for their own counting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import float32, int64, types
from numba.core.cgutils import unpack_tuple
from numba.extending import intrinsic

LANES = 16
"""Channels that are worked on at a time."""
_WIDE = bool(llvmlite.binding.get_host_cpu_features().get("avx512f"))
_VECTOR = 16 if _WIDE else 8
"""Numbers of a vector."""
ROWS = 8 if _WIDE else 4
"""Rows of a block of a product: as many as keep the processor's multipliers busy without running out of registers."""

ADDRESS = types.CPointer(float32)  # type: ignore[no-untyped-call]
KIND = ir.VectorType(ir.FloatType(), _VECTOR)


class Vectors:
    """The vectors of `LANES` numbers, which begin at equal distances from one another."""

    def __init__(self, builder: Any, address: Any, start: Any, step: Any, lane: int) -> None:
        self._builder, self._step = builder, step
        self._first = builder.gep(address, [builder.add(start, ir.Constant(start.type, lane))])

    def load(self, which: Any) -> Any:
        """A vector."""
        return self._builder.load(self._at(which), align=4)

    def store(self, which: Any, vector: Any) -> None:
        """Write a vector."""
        self._builder.store(vector, self._at(which), align=4)

    def _at(self, which: Any) -> Any:
        index = which if isinstance(which, ir.Value) else ir.Constant(self._step.type, which)
        place = self._builder.gep(self._first, [self._builder.mul(self._step, index)])
        return self._builder.bitcast(place, KIND.as_pointer())


def places(numbers: int) -> Any:
    """The type of an address with so many whole numbers, which say where something is."""
    return types.Tuple([ADDRESS, *[int64] * numbers])  # type: ignore[no-untyped-call]


def unpacked(builder: Any, given: Any) -> list[Any]:
    """What a tuple holds."""
    return list(unpack_tuple(builder, given))  # type: ignore[no-untyped-call]


def lanes() -> range:
    """Where the vectors of `LANES` numbers begin."""
    return range(0, LANES, _VECTOR)


def repeated(number: float) -> ir.Constant:
    """A vector of one number."""
    return ir.Constant(KIND, [number] * _VECTOR)


@intrinsic
def moved(typing: Any, address: Any, by: Any) -> Any:  # noqa: ARG001
    """The address of so many numbers further on."""

    def code(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.gep(given[0], [given[1]])

    return ADDRESS(ADDRESS, int64), code


@intrinsic
def copy_lanes(typing: Any, source: Any, start: Any, target: Any, to: Any) -> Any:  # noqa: ARG001
    """Copy `LANES` numbers from ``source[start]`` on to ``target[to]`` and on."""
    return _from_to(lambda _, read, __: read)


@intrinsic
def add_lanes(typing: Any, source: Any, start: Any, target: Any, to: Any) -> Any:  # noqa: ARG001
    """Add `LANES` numbers from ``source[start]`` on to those from ``target[to]`` on."""
    return _from_to(lambda builder, read, there: builder.fadd(read, there))


def _from_to(result: Callable[[Any, Any, Any], Any]) -> tuple[Any, Callable[..., Any]]:
    def code(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        source, start, target, to = given
        for lane in lanes():
            read, write = Vectors(builder, source, start, start, lane), Vectors(builder, target, to, to, lane)
            write.store(0, result(builder, read.load(0), write.load(0)))
        return context.get_dummy_value()

    return types.void(ADDRESS, int64, ADDRESS, int64), code


@intrinsic
def product(typing: Any, depth: Any, left: Any, right: Any, result: Any, more: Any) -> Any:  # noqa: ARG001
    """A block of a matrix product: `ROWS` rows of `LANES` numbers c = a b, or c + a b.

    Each number of c is the sum of `depth` products, at least one. `left` is (a, at, row, step): number k of row r is
    ``a[at + r * row + k * step]``. `right` is (b, at, step): the numbers that belong to number k of a row begin at
    ``b[at + k * step]``. `result` is (c, at, row): row r begins at ``c[at + r * row]``. If `more`, c is added to.
    """

    def code(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        depth, *matrices, more = given
        (a, at, row, step), (b, bt, next_b), (c, to, stride) = (unpacked(builder, each) for each in matrices)
        count, before = depth.type, builder.block
        read = [Vectors(builder, b, bt, next_b, lane) for lane in lanes()]
        write = [Vectors(builder, c, to, stride, lane) for lane in lanes()]
        first = builder.gep(a, [at])
        rows = [builder.gep(first, [builder.mul(row, ir.Constant(count, r))]) for r in range(ROWS)]

        work, done = builder.append_basic_block("work"), builder.append_basic_block("done")
        builder.branch(work)
        builder.position_at_end(work)
        k = builder.phi(count)
        k.add_incoming(ir.Constant(count, 0), before)
        sums = [[builder.phi(KIND) for _ in read] for _ in rows]
        for vectors in sums:
            for vector in vectors:
                vector.add_incoming(repeated(0.0), before)
        columns = [vectors.load(k) for vectors in read]
        offset = builder.mul(step, k)
        for place, vectors in zip(rows, sums, strict=True):
            number = builder.load(builder.gep(place, [offset]), align=4)
            one = builder.insert_element(ir.Constant(KIND, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
            many = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), _VECTOR), [0] * _VECTOR))
            for vector, column in zip(vectors, columns, strict=True):
                term = builder.fmul(many, column, flags=("contract",))
                vector.add_incoming(builder.fadd(vector, term, flags=("contract",)), work)
        following = builder.add(k, ir.Constant(count, 1))
        k.add_incoming(following, work)
        builder.cbranch(builder.icmp_signed("<", following, depth), work, done)
        builder.position_at_end(done)

        results = [[vector.incomings[1][0] for vector in vectors] for vectors in sums]
        with builder.if_else(builder.icmp_signed("!=", more, ir.Constant(more.type, 0))) as (added, written):
            with added:
                for r, vectors in enumerate(results):
                    for place, vector in zip(write, vectors, strict=True):
                        place.store(r, builder.fadd(place.load(r), vector))
            with written:
                for r, vectors in enumerate(results):
                    for place, vector in zip(write, vectors, strict=True):
                        place.store(r, vector)
        return context.get_dummy_value()

    return types.void(int64, places(3), places(2), places(2), int64), code
