"""The numbers of Winograd's convolution: tiles of 3 to 7 pixels to a side, for 3x3 kernels.

Polynomials are multiplied by their values at some points (A. Toom, 1963; S. Cook, 1966), infinity among them: as many
as the product has coefficients. Turned round, this gives m outputs of a convolution with 3 numbers from m + 2 inputs d
with m + 2 products, where the sum of products takes 3 m (S. Winograd, "Arithmetic Complexity of Computations", 1980):

    y = A^T [(G g) · (B^T d)].

The larger a tile, the fewer the products, and the larger the numbers by which rounding errors are multiplied. How large
depends on the points (B. Barabasz and others, "Error Analysis and Improving the Accuracy of Winograd Convolution for
Deep Neural Networks", 2020). Those here gave the least errors of all sets of small fractions that were tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

KERNEL = 3
"""Numbers to a side of a kernel."""

_POINTS = {
    3: "0 3/4 -3/4 -5/2",
    4: "0 3/2 -3/2 2/3 -2/3",
    5: "0 1/2 -1/2 5/4 -5/4 3",
    6: "0 1/2 -1/2 1 -1 2 -2",
    7: "0 2/3 -2/3 5/4 -5/4 5/2 -5/2 1/3",
}
"""Outputs to a side of a tile: the points at which values are taken, besides infinity."""

SIDES = tuple(_POINTS)
"""Outputs to a side of the tiles that there are."""


@dataclass(frozen=True)
class Tile:
    """A square of `outputs` by `outputs` pixels, transformed to `places` by `places` numbers.

    `of_inputs` is B^T and `to_outputs` A^T; `kernel` takes all nine numbers of a kernel to their places: G and G, as a
    Kronecker product (places², 9).
    """

    outputs: int
    of_inputs: Tensor
    to_outputs: Tensor
    kernel: Tensor

    @property
    def places(self) -> int:
        """Numbers to a side of a transformed tile."""
        return self.outputs + KERNEL - 1

    def count(self, height: int, width: int) -> int:
        """How many tiles a map of this size takes; the last ones may lie partly outside."""
        return -(-height // self.outputs) * -(-width // self.outputs)


def best_tile(height: int, width: int) -> Tile:
    """The tile that takes the fewest products for a map of this size; of two, the smaller, which is more exact."""
    return min(map(tile_of, SIDES), key=lambda tile: tile.count(height, width) * tile.places**2)


@cache
def tile_of(outputs: int) -> Tile:
    """The tile with so many outputs to a side, 3 to 7."""
    points = [Fraction(point) for point in _POINTS[outputs].split()]
    matrices = _matrices(points, outputs)
    of_inputs, to_outputs, of_kernels = (
        torch.tensor([[float(number) for number in row] for row in rows], dtype=torch.float64) for rows in matrices
    )
    return Tile(outputs, of_inputs.float(), to_outputs.float(), torch.kron(of_kernels, of_kernels).float())


Rows = list[list[Fraction]]


def _matrices(points: list[Fraction], outputs: int) -> tuple[Rows, Rows, Rows]:
    """B^T, A^T and G.

    With N the polynomial whose zeros are the points and N_p = N / (x - p): B^T has the coefficients of all N_p and of
    N; A^T and G have the powers of each point, those of G divided by N_p(p). Infinity has the highest power alone.
    """
    without = [_with_zeros([q for q in points if q != p]) for p in points]
    of_inputs = [[*row, Fraction(0)] for row in without] + [_with_zeros(points)]
    to_outputs = [[p**power for p in points] + [Fraction(power == outputs - 1)] for power in range(outputs)]
    of_kernels = [
        [p**power / _value(row, p) for power in range(KERNEL)] for p, row in zip(points, without, strict=True)
    ]
    return of_inputs, to_outputs, [*of_kernels, [Fraction(0)] * (KERNEL - 1) + [Fraction(1)]]


def _with_zeros(points: list[Fraction]) -> list[Fraction]:
    """The coefficients of (x - p)(x - q)..., the lowest power first."""
    coefficients = [Fraction(1)]
    for p in points:
        coefficients = [higher - p * same for higher, same in pairwise([Fraction(0), *coefficients, Fraction(0)])]
    return coefficients


def _value(coefficients: list[Fraction], x: Fraction) -> Fraction:
    return sum((factor * x**power for power, factor in enumerate(coefficients)), Fraction(0))
