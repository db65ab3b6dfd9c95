"""What a layer costs: parameters, multiply-accumulates (MACs) and memory, for one image.

A MAC is one multiplication and the addition that takes its product up: two floating-point operations. Counted are the
multiplications by the weights of convolutions and dense layers, as is the custom; comparisons, additions of biases,
batch norm and activations are not.
Memory is that of the layer's output and of its parameters, in float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from convoscope.convolution.shapes import Padding, Pair, output_size, pair, whole_number
from convoscope.core.errors import RequestError

_FLOAT32_BYTES = 4

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Count:
    """What one layer costs for one image.

    Args:
        output_shape: (C, H, W), or (units,).
        weights: learnt numbers that multiply.
        biases: learnt numbers that are added.
        macs: multiply-accumulates.
        buffers: numbers that are kept but not learnt (the running statistics of batch norm).
    """

    output_shape: tuple[int, ...]
    weights: int = 0
    biases: int = 0
    macs: int = 0
    buffers: int = 0

    @property
    def parameters(self) -> int:
        """All learnt numbers."""
        return self.weights + self.biases

    @property
    def output_bytes(self) -> int:
        """Memory of the output, in float32."""
        return math.prod(self.output_shape) * _FLOAT32_BYTES

    @property
    def parameter_bytes(self) -> int:
        """Memory of the parameters and buffers, in float32."""
        return (self.parameters + self.buffers) * _FLOAT32_BYTES


def count_convolution(
    input_shape: Shape,
    filters: int,
    size: Pair,
    *,
    padding: Padding = "valid",
    stride: Pair = 1,
    dilation: Pair = 1,
    groups: int = 1,
    bias: bool = True,
) -> Count:
    """A convolutional layer over an image (C, H, W).

    Each filter has ``kH · kW · C / groups`` weights, used once for each of its outputs.

    Raises:
        RequestError: a number is out of its range, the window doesn't fit, or the groups don't divide.
    """
    channels, height, width = _shape(input_shape)
    filters = whole_number(filters, "filters", least=1)
    groups = whole_number(groups, "groups", least=1)
    if channels % groups or filters % groups:
        raise RequestError("convolution.groups", field="groups", asked=groups, channels=channels, filters=filters)
    rows, columns = pair(size, "size", least=1)
    out = output_size((height, width), size, padding=padding, stride=stride, dilation=dilation)
    weights = filters * (channels // groups) * rows * columns
    return Count((filters, *out), weights, filters if bias else 0, weights * out[0] * out[1])


def count_dense(inputs: int, units: int, *, bias: bool = True) -> Count:
    """A fully connected layer: each of its units has a weight for each input.

    Raises:
        RequestError: a number is below 1.
    """
    inputs, units = whole_number(inputs, "inputs", least=1), whole_number(units, "units", least=1)
    return Count((units,), inputs * units, units if bias else 0, inputs * units)


def count_pooling(
    input_shape: Shape,
    size: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = "valid",
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Count:
    """A pooling layer over an image (C, H, W): it learns nothing and multiplies by no weight.

    Raises:
        RequestError: a number is out of its range, or the window doesn't fit.
    """
    channels, height, width = _shape(input_shape)
    out = output_size(
        (height, width),
        size,
        padding=padding,
        stride=size if stride is None else stride,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )
    return Count((channels, *out))


def count_batch_norm(input_shape: Shape) -> Count:
    """Batch norm over an image (C, H, W): a scale and a shift a channel, and its running mean and variance.

    When predicting, each number is multiplied and shifted once; as is the custom, that is not counted.
    """
    channels, height, width = _shape(input_shape)
    return Count((channels, height, width), channels, channels, buffers=2 * channels)


def count_activation(input_shape: tuple[int, ...]) -> Count:
    """An activation function (or dropout, or flatten's like): nothing learnt, no MACs."""
    return Count(tuple(input_shape))


@dataclass(frozen=True)
class DenseBesideConvolution:
    """How many weights a dense layer needs on an image, and how many a convolution.

    Args:
        inputs: numbers in the image.
        dense_weights: one for each input and unit.
        dense_biases: one a unit.
        convolution_weights: ``kH · kW · C`` for each filter, whatever the image's size.
        convolution_biases: one a filter.
    """

    inputs: int
    dense_weights: int
    dense_biases: int
    convolution_weights: int
    convolution_biases: int

    @property
    def ratio(self) -> float:
        """How many dense weights come on one of the convolution's."""
        return self.dense_weights / self.convolution_weights


def dense_beside_convolution(
    rows: int, columns: int, *, channels: int = 3, size: Pair = 3, filters: int = 1, units: int = 1
) -> DenseBesideConvolution:
    """Compare a dense layer of `units` on a `rows` × `columns` × `channels` image with a convolution of `filters`.

    A dense unit on an n × m × 3 image has n · m · 3 weights; a 3 × 3 filter on the same image has 27, for any n and m.

    Raises:
        RequestError: a number is below 1.
    """
    given = {"rows": rows, "columns": columns, "channels": channels, "filters": filters, "units": units}
    n, m, depth, maps, neurons = (whole_number(value, name, least=1) for name, value in given.items())
    height, width = pair(size, "size", least=1)
    inputs = n * m * depth
    return DenseBesideConvolution(inputs, inputs * neurons, neurons, height * width * depth * maps, maps)


def _shape(shape: Shape) -> Shape:
    channels, height, width = (whole_number(length, "input_shape", least=1) for length in shape)
    return channels, height, width
