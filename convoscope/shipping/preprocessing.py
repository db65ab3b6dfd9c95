"""A picture's way to the network as an ONNX graph: the same pixels as `convoscope.data.decode.fit`, to the last bit.

``fit`` cuts the largest centred part in the network's proportions out of a picture and resamples it with Pillow's
bicubic filter (Keys 1981, a = -1/2), widened when it shrinks. Pillow works in fixed point: each output is a sum of
pixels times whole numbers of 1/2^22, along one axis, then along the other, each time rounded to 0…255. Here the whole
numbers of all outputs are two matrices, worked out from the size that arrives, and the sums are products of matrices.
In float64 they are exact, so that nothing is lost against Pillow. Pillow 13 begins with the columns where a picture has
to lose more than twice as many rows as columns; so does the graph. Then colour becomes grey by Pillow's whole-number
luma (ITU-R 601), or grey is repeated for a network that takes colour.

Pictures of the network's own form pass by all of this.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from convoscope.core.errors import RequestError

if TYPE_CHECKING:
    import onnx

    from convoscope.runs.run import Preprocessing

OPSET = 20
"""Of the ONNX standard's operators; GELU has been one of them since this version."""

IR_VERSION = 10
"""Of the file format; that of the release in which opset 20 was in force and of the one after it."""

_LUMA = (19595, 38470, 7471)  # of 65536: 0.299, 0.587, 0.114
_HALF_BIT = 2**21
_BITS = 2**22

# The filter's matrix along one axis: (outputs, length) float64, whole numbers of 1/2^22.
# `low` and `high` are float32, as Pillow keeps the part that is cut out.
_AXIS = """
    {a}_low64 = Cast <to = 11> ({a}_low)
    {a}_part = Sub ({a}_high, {a}_low)
    {a}_part64 = Cast <to = 11> ({a}_part)
    {a}_scale = Div ({a}_part64, {a}_outputs)
    {a}_wide = Max ({a}_scale, one)
    {a}_support = Mul ({a}_wide, two)
    {a}_narrow = Div (one, {a}_wide)
    {a}_steps = Mul ({a}_middles, {a}_scale)
    {a}_centres = Add ({a}_low64, {a}_steps)
    {a}_before = Sub ({a}_centres, {a}_support)
    {a}_before_half = Add ({a}_before, half)
    {a}_first = Floor ({a}_before_half)
    {a}_after = Add ({a}_centres, {a}_support)
    {a}_after_half = Add ({a}_after, half)
    {a}_end = Floor ({a}_after_half)
    {a}_pixels = Range (zero, {a}_length, one)
    {a}_away = Sub ({a}_pixels, {a}_centres)
    {a}_away_half = Add ({a}_away, half)
    {a}_signed = Mul ({a}_away_half, {a}_narrow)
    {a}_x = Abs ({a}_signed)
    {a}_near1 = Mul ({a}_x, near1)
    {a}_near2 = Sub ({a}_near1, near2)
    {a}_near3 = Mul ({a}_near2, {a}_x)
    {a}_near4 = Mul ({a}_near3, {a}_x)
    {a}_near = Add ({a}_near4, one)
    {a}_far1 = Sub ({a}_x, five)
    {a}_far2 = Mul ({a}_far1, {a}_x)
    {a}_far3 = Add ({a}_far2, eight)
    {a}_far4 = Mul ({a}_far3, {a}_x)
    {a}_far5 = Sub ({a}_far4, four)
    {a}_far = Mul ({a}_far5, minus_half)
    {a}_is_near = Less ({a}_x, one)
    {a}_is_far = Less ({a}_x, two)
    {a}_outer = Where ({a}_is_far, {a}_far, zero)
    {a}_curve = Where ({a}_is_near, {a}_near, {a}_outer)
    {a}_begun = GreaterOrEqual ({a}_pixels, {a}_first)
    {a}_open = Less ({a}_pixels, {a}_end)
    {a}_inside = And ({a}_begun, {a}_open)
    {a}_weights = Where ({a}_inside, {a}_curve, zero)
    {a}_total = ReduceSum <keepdims = 1> ({a}_weights, last)
    {a}_shares = Div ({a}_weights, {a}_total)
    {a}_fixed = Mul ({a}_shares, bits)
    {a}_size = Abs ({a}_fixed)
    {a}_sign = Sign ({a}_fixed)
    {a}_size_half = Add ({a}_size, half)
    {a}_size_whole = Floor ({a}_size_half)
    {a}_matrix = Mul ({a}_size_whole, {a}_sign)
"""

# A sum of 1/2^22 to 0…255, rounded.
_ROUNDED = """
    {n}_half = Add ({n}_sum, half_bit)
    {n}_share = Div ({n}_half, bits)
    {n}_floor = Floor ({n}_share)
    {n} = Clip ({n}_floor, zero, white)
"""

_FITTED = """
fit () => (uint8[batch, {channels}, {rows}, {columns}] fitted)
<
    double zero = {{0}}, double half = {{0.5}}, double one = {{1}}, double two = {{2}}, double four = {{4}},
    double five = {{5}}, double eight = {{8}}, double minus_half = {{-0.5}}, double near1 = {{1.5}},
    double near2 = {{2.5}}, double white = {{255}}, double bits = {{{bits}}}, double half_bit = {{{half_bit}}},
    int64[1] last = {{-1}},
    double row_outputs = {{{rows}}}, double column_outputs = {{{columns}}},
    double[{rows}, 1] row_middles = {{{row_middles}}}, double[{columns}, 1] column_middles = {{{column_middles}}},
    int64 row_at = {{1}}, int64 column_at = {{2}}, int64 channel_at = {{3}}, int64 deep = {{3}},
    int64[3] all_three = {{0, 1, 2}}, int64[3] only_first = {{0, 0, 0}}{channel_constants}
>
{{
    rows_arrived = Gather <axis = 0> (size, row_at)
    columns_arrived = Gather <axis = 0> (size, column_at)
    channels_arrived = Gather <axis = 0> (size, channel_at)
    row_length = Cast <to = 11> (rows_arrived)
    column_length = Cast <to = 11> (columns_arrived)
    row_ratio = Div (row_length, row_outputs)
    column_ratio = Div (column_length, column_outputs)
    ratio = Min (row_ratio, column_ratio)
    row_taken = Mul (ratio, row_outputs)
    column_taken = Mul (ratio, column_outputs)
    row_left = Sub (row_length, row_taken)
    column_left = Sub (column_length, column_taken)
    row_margin = Div (row_left, two)
    column_margin = Div (column_left, two)
    row_far_side = Add (row_margin, row_taken)
    column_far_side = Add (column_margin, column_taken)
    row_from = Max (row_margin, zero)
    column_from = Max (column_margin, zero)
    row_to = Min (row_far_side, row_length)
    column_to = Min (column_far_side, column_length)
    row_low = Cast <to = 1> (row_from)
    row_high = Cast <to = 1> (row_to)
    column_low = Cast <to = 1> (column_from)
    column_high = Cast <to = 1> (column_to)
    {row_axis}
    {column_axis}
    has_colour = GreaterOrEqual (channels_arrived, deep)
    colours = Where (has_colour, all_three, only_first)
    planes = Transpose <perm = [0, 3, 1, 2]> (images)
    planes64 = Cast <to = 11> (planes)
    across = Transpose <perm = [1, 0]> (column_matrix)
    rows_lost = Sub (row_length, row_outputs)
    columns_lost = Sub (column_length, column_outputs)
    columns_lost_twice = Mul (columns_lost, two)
    much_taller = Greater (rows_lost, columns_lost_twice)
    shrinks = Greater (rows_lost, zero)
    columns_first = And (much_taller, shrinks)
    small = If (columns_first) <
        then_branch = columns_then_rows () => (double[batch, depth, {rows}, {columns}] first)
        {{
            down_sum = MatMul (row_matrix, planes64)
            {down_rounded}
            first_sum = MatMul (down, across)
            {first_rounded}
        }},
        else_branch = rows_then_columns () => (double[batch, depth, {rows}, {columns}] second)
        {{
            along_sum = MatMul (planes64, across)
            {along_rounded}
            second_sum = MatMul (row_matrix, along)
            {second_rounded}
        }}
    >
    coloured = Gather <axis = 1> (small, colours)
    {channels_made}
    fitted = Cast <to = 2> (made)
}}
"""

_COLOUR = "made = Identity (coloured)"
_GREY_CONSTANTS = f""",
    double[1, 3, 1, 1] luma = {{{", ".join(map(str, _LUMA))}}}, int64[1] channel_axis = {{1}},
    double round_luma = {{32768}}, double luma_bits = {{65536}}"""
_GREY = """
    lights = Mul (coloured, luma)
    light_sum = ReduceSum <keepdims = 1> (lights, channel_axis)
    light_half = Add (light_sum, round_luma)
    light_share = Div (light_half, luma_bits)
    made = Floor (light_share)
"""

_GRAPH = """
<ir_version: {ir}, opset_import: ["" : {opset}]>
preprocessing (uint8[batch, height, width, colours] images) => (float[batch, {channels}, {rows}, {columns}] inputs)
<
    int64[3] own = {{{rows}, {columns}, {channels}}},
    float[1, {channels}, 1, 1] mean = {{{mean}}}, float[1, {channels}, 1, 1] deviation = {{{deviation}}}
>
{{
    size = Shape (images)
    form = Shape <start = 1> (images)
    alike = Equal (form, own)
    alike_bits = Cast <to = 6> (alike)
    all_alike = ReduceMin <keepdims = 0> (alike_bits)
    is_own = Cast <to = 9> (all_alike)
    pixels = If (is_own) <
        then_branch = pass () => (uint8[batch, {channels}, {rows}, {columns}] passed)
        {{ passed = Transpose <perm = [0, 3, 1, 2]> (images) }},
        else_branch = {fitted}
    >
    values = Cast <to = 1> (pixels)
    centred = Sub (values, mean)
    inputs = Div (centred, deviation)
}}
"""


def preprocessing_graph(preprocessing: Preprocessing) -> onnx.ModelProto:
    """The graph from ``images`` (N, H, W, C) uint8 of any size to ``inputs`` (N, C, H, W) float32, scaled.

    One or two channels count as grey (a second one is transparency, which is left out), three or four as red, green and
    blue (and transparency).

    Args:
        preprocessing: the channels, size and scaling that the network takes.

    Raises:
        RequestError: the network takes neither grey nor colour.
    """
    import numpy as np
    from onnx import parser

    p = preprocessing
    if p.channels not in (1, 3):
        raise RequestError("shipping.channels", channels=p.channels)
    # As `Scaling.apply` computes them: in float32, for values from 0 to 255.
    mean = np.array(p.scaling.mean, dtype=np.float32) * np.float32(255)
    deviation = np.array(p.scaling.std, dtype=np.float32) * np.float32(255)
    fitted = _FITTED.format(
        channels=p.channels,
        rows=p.height,
        columns=p.width,
        bits=_BITS,
        half_bit=_HALF_BIT,
        row_middles=_listed(at + 0.5 for at in range(p.height)),
        column_middles=_listed(at + 0.5 for at in range(p.width)),
        row_axis=_AXIS.format(a="row"),
        column_axis=_AXIS.format(a="column"),
        **{f"{name}_rounded": _ROUNDED.format(n=name) for name in ("down", "first", "along", "second")},
        channels_made=_GREY if p.channels == 1 else _COLOUR,
        channel_constants=_GREY_CONSTANTS if p.channels == 1 else "",
    )
    text = _GRAPH.format(
        ir=IR_VERSION,
        opset=OPSET,
        channels=p.channels,
        rows=p.height,
        columns=p.width,
        mean=_listed(mean),
        deviation=_listed(deviation),
        fitted=fitted,
    )
    return parser.parse_model(text)


def _listed(numbers: Iterable[Any]) -> str:
    return ", ".join(str(number) for number in numbers)
