"""The transforms of the lines of Winograd's tiles, for vectors of channels.

A line is multiplied by a matrix of fixed numbers: each row of it is a sum of vectors, written out. Where two columns or
rows of a matrix differ but in signs, as those of points p and -p do, their sum and their difference are computed once
for both.

Numba keeps compiled code, and looks whether the loops' own file has changed (`_winograd.py`), not this one nor
`toom_cook.py`, the numbers of which are in it: whoever changes these must remove what is kept in `__pycache__`
(`tests/training/test_winograd.py` finds it out).
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from llvmlite import ir
from numba import int64, types
from numba.extending import intrinsic

from convoscope.training._vectors import Vectors, lanes, places, repeated, unpacked
from convoscope.training.toom_cook import SIDES, tile_of

Matrix = list[list[float]]

KINDS = ("of_inputs", "to_outputs", "of_gradients", "to_gradients")
"""B^T, A^T, and turned round A and B."""


def number_of(kind: str, outputs: int) -> int:
    """Which transform `transform` is to carry out: one of `KINDS`, for tiles of so many outputs to a side."""
    return SIDES.index(outputs) * len(KINDS) + KINDS.index(kind)


def _matrices() -> list[Matrix]:
    found = []
    for tile in map(tile_of, SIDES):
        found += [tile.of_inputs, tile.to_outputs, tile.to_outputs.T, tile.of_inputs.T]
    return [matrix.tolist() for matrix in found]


@intrinsic
def transform(typing: Any, which: Any, source: Any, target: Any) -> Any:  # noqa: ARG001
    """Multiply vectors by a matrix (M, N).

    `which` is the matrix, from `number_of`. `source` is (a, at, step): vector n of `LANES` begins at
    ``a[at + n * step]``. `target` is (c, at, step) likewise for vector m, and overlaps with none of `source`.
    """

    def code(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        which, source, target = given
        values = [which, *unpacked(builder, source), *unpacked(builder, target)]
        function = builder.module.globals.get(_NAME) or _function(builder.module, [each.type for each in values])
        builder.call(function, values)
        return context.get_dummy_value()

    return types.void(int64, places(2), places(2)), code


_NAME = "convoscope_transform"


def _function(module: Any, kinds: list[Any]) -> Any:
    """`transform`, once for all of its callers: copied into each of them, it would take the compiler many seconds."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), _NAME)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    which, source, start, step, target, to, stride = function.args
    builder = ir.IRBuilder(function.append_basic_block("choice"))
    done = function.append_basic_block("done")
    choice = builder.switch(which, done)
    for number, matrix in enumerate(_matrices()):
        block = function.append_basic_block(f"matrix{number}")
        choice.add_case(ir.Constant(which.type, number), block)
        builder.position_at_end(block)
        for lane in lanes():
            read, write = Vectors(builder, source, start, step, lane), Vectors(builder, target, to, stride, lane)
            for m, result in enumerate(_product(builder, matrix, [read.load(n) for n in range(len(matrix[0]))])):
                write.store(m, result)
        builder.branch(done)
    builder.position_at_end(done)
    builder.ret_void()
    return function


def _product(builder: Any, matrix: Matrix, vectors: list[Any]) -> list[Any]:
    """`matrix` times `vectors`."""
    columns = [list(column) for column in zip(*matrix, strict=True)]
    for j, k in _pairs(columns):
        # a x + a y = a (x + y), and a x - a y = a (x - y).
        signs = [a == b for a, b in zip(columns[j], columns[k], strict=True)]
        x, y = vectors[j], vectors[k]
        vectors[j], vectors[k] = builder.fadd(x, y), builder.fsub(x, y)
        columns[k] = [0.0 if same else a for a, same in zip(columns[j], signs, strict=True)]
        columns[j] = [a if same else 0.0 for a, same in zip(columns[j], signs, strict=True)]
    rows = [list(row) for row in zip(*columns, strict=True)]
    results: dict[int, Any] = {}
    for j, k in _pairs(rows):
        signs = [a == b for a, b in zip(rows[j], rows[k], strict=True)]
        alike = _sum(builder, [a if same else 0.0 for a, same in zip(rows[j], signs, strict=True)], vectors)
        apart = _sum(builder, [0.0 if same else a for a, same in zip(rows[j], signs, strict=True)], vectors)
        results[j], results[k] = builder.fadd(alike, apart), builder.fsub(alike, apart)
    return [results[m] if m in results else _sum(builder, row, vectors) for m, row in enumerate(rows)]


def _pairs(lines: Matrix) -> list[tuple[int, int]]:
    """Lines that differ in the signs of some of their numbers, but not in all; each in one pair at most."""
    found: list[tuple[int, int]] = []
    for j, k in combinations(range(len(lines)), 2):
        numbers = [(a, b) for a, b in zip(lines[j], lines[k], strict=True) if a or b]
        alike = {a == b for a, b in numbers}
        if alike == {True, False} and all(abs(a) == abs(b) for a, b in numbers) and not {j, k} & set(sum(found, ())):
            found.append((j, k))
    return found


def _sum(builder: Any, factors: list[float], vectors: list[Any]) -> Any:
    """The sum of `vectors`, each times its factor; in one operation each where the processor has it."""
    total = None
    for factor, vector in zip(factors, vectors, strict=True):
        if factor:
            term = vector if factor == 1 else builder.fmul(vector, repeated(factor), flags=("contract",))
            total = term if total is None else builder.fadd(term, total, flags=("contract",))
    return total
