"""The subject itself: kernels, exact convolution and pooling with their trace, shapes, receptive fields, counts.

NumPy only: nothing here needs PyTorch.
"""

from __future__ import annotations

from convoscope.convolution.convolution import ConvolutionTrace, ConvolutionUnit, convolve
from convoscope.convolution.counts import (
    Count,
    DenseBesideConvolution,
    count_activation,
    count_batch_norm,
    count_convolution,
    count_dense,
    count_pooling,
    dense_beside_convolution,
)
from convoscope.convolution.kernel import Kernel, kernels, named_kernel
from convoscope.convolution.pooling import PoolTrace, PoolUnit, pool
from convoscope.convolution.receptive import ReceptiveField, Span, Whole, Window, input_field, receptive_fields
from convoscope.convolution.shapes import Geometry, Padding, Pair, geometry, output_size
from convoscope.convolution.trace import Trace, Unit
from convoscope.convolution.typed import parse_kernel, parse_padding, parse_pair, read_kernel

__all__ = [
    "ConvolutionTrace",
    "ConvolutionUnit",
    "Count",
    "DenseBesideConvolution",
    "Geometry",
    "Kernel",
    "Padding",
    "Pair",
    "PoolTrace",
    "PoolUnit",
    "ReceptiveField",
    "Span",
    "Trace",
    "Unit",
    "Whole",
    "Window",
    "convolve",
    "count_activation",
    "count_batch_norm",
    "count_convolution",
    "count_dense",
    "count_pooling",
    "dense_beside_convolution",
    "geometry",
    "input_field",
    "kernels",
    "named_kernel",
    "output_size",
    "parse_kernel",
    "parse_padding",
    "parse_pair",
    "pool",
    "read_kernel",
    "receptive_fields",
]
