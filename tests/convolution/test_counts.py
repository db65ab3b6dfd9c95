from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convoscope.convolution import (
    Count,
    count_activation,
    count_batch_norm,
    count_convolution,
    count_dense,
    count_pooling,
    dense_beside_convolution,
)
from convoscope.core.errors import RequestError
from tests.convolution.strategies import Request, requests, wide


def check(count: Count, module: nn.Module, input_shape: tuple[int, ...]) -> None:
    """Compare with what torch has and does: its parameters, buffers, output shape and floating-point operations."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = module.eval()(torch.zeros((1, *input_shape)))
    assert count.output_shape == tuple(output.shape[1:])
    assert count.parameters == sum(parameter.numel() for parameter in module.parameters())
    assert count.buffers == sum(buffer.numel() for buffer in module.buffers() if buffer.ndim)
    assert count.output_bytes == output.numel() * 4
    assert count.parameter_bytes == 4 * (count.parameters + count.buffers)
    if isinstance(module, nn.Conv2d | nn.Linear):
        assert 2 * count.macs == counter.get_total_flops()


@wide
@given(
    request=requests(),
    groups=st.integers(1, 3),
    channels=st.integers(1, 3),
    filters=st.integers(1, 3),
    bias=st.booleans(),
)
def test_convolutions(request: Request, groups: int, channels: int, filters: int, bias: bool) -> None:
    (top, bottom), (left, right) = request.sides
    assume(top == bottom and left == right)
    shape = (groups * channels, *request.size)
    count = count_convolution(
        shape,
        groups * filters,
        request.window,
        padding=request.padding,
        stride=request.stride,
        dilation=request.dilation,
        groups=groups,
        bias=bias,
    )
    module = nn.Conv2d(
        groups * channels,
        groups * filters,
        request.window,
        request.stride,
        (top, left),
        request.dilation,
        groups,
        bias,
    )
    check(count, module, shape)


@pytest.mark.parametrize("bias", [True, False])
def test_dense(bias: bool) -> None:
    check(count_dense(784, 800, bias=bias), nn.Linear(784, 800, bias=bias), (784,))


def test_the_lectures_dense_net() -> None:
    sizes = [784, 2500, 2000, 1500, 1000, 500, 10]
    counts = [count_dense(one, other) for one, other in itertools.pairwise(sizes)]
    assert sum(count.parameters for count in counts) == 11_972_510


@pytest.mark.parametrize("ceil_mode", [True, False])
def test_poolings(ceil_mode: bool) -> None:
    count = count_pooling((3, 15, 17), (2, 3), padding=1, ceil_mode=ceil_mode)
    check(count, nn.MaxPool2d((2, 3), padding=1, ceil_mode=ceil_mode), (3, 15, 17))
    assert (count.parameters, count.macs) == (0, 0)


def test_batch_norm() -> None:
    count = count_batch_norm((8, 5, 4))
    check(count, nn.BatchNorm2d(8), (8, 5, 4))
    assert count.macs == 0


def test_activation() -> None:
    check(count_activation((8, 5, 4)), nn.ReLU(), (8, 5, 4))


def test_counts_do_not_overflow() -> None:
    beside = dense_beside_convolution(10**10, 10**10, units=10**6)
    assert beside.dense_weights == 3 * 10**26


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: count_convolution((3, 5, 5), 4, 3, groups=2), "groups"),
        (lambda: count_convolution((3, 5, 5), 0, 3), "filters"),
        (lambda: count_convolution((3, 5, 5), 1, 7), "size"),
        (lambda: count_convolution((0, 5, 5), 1, 7), "input_shape"),
        (lambda: count_dense(0, 5), "inputs"),
        (lambda: count_dense(5, 1.5), "units"),  # type: ignore[arg-type]
        (lambda: dense_beside_convolution(0, 1), "rows"),
        (lambda: dense_beside_convolution(1, -1), "columns"),
    ],
)
def test_bad_numbers_name_the_argument(call: object, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.values["field"] == field
