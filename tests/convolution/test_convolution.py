from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import convoscope as cs
from convoscope.core.errors import RequestError
from tests.convolution.strategies import Request, requests, wide

F = torch.nn.functional


def by_torch(
    image: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, request: Request, groups: int
) -> np.ndarray:
    padded = F.pad(torch.from_numpy(image)[None], request.torch_pad)
    offsets = None if bias is None else torch.from_numpy(bias)
    output = F.conv2d(
        padded, torch.from_numpy(kernel), offsets, stride=request.stride, dilation=request.dilation, groups=groups
    )
    return output[0].numpy()


@wide
@given(
    request=requests(),
    groups=st.integers(1, 3),
    channels=st.integers(1, 2),
    filters=st.integers(1, 2),
    with_bias=st.booleans(),
    image_type=st.sampled_from(["uint8", "int8", "bool", "int32", "int64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_integers_equal_torch_exactly(
    request: Request, groups: int, channels: int, filters: int, with_bias: bool, image_type: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(-128, 256, (groups * channels, *request.size)).astype(image_type)
    kernel = rng.integers(-1000, 1000, (groups * filters, channels, *request.window))
    bias = rng.integers(-1000, 1000, groups * filters) if with_bias else None
    trace = cs.convolve(
        image,
        kernel,
        bias=bias,
        padding=request.padding,
        stride=request.stride,
        dilation=request.dilation,
        groups=groups,
    )
    expected = by_torch(image.astype(np.int64), kernel, bias, request, groups)
    assert trace.output.dtype == np.int64
    np.testing.assert_array_equal(trace.output, expected)
    if request.padding == "same":
        assert trace.geometry.output_size == tuple(
            math.ceil(n / s) for n, s in zip(request.size, request.stride, strict=True)
        )


@wide
@given(
    request=requests(),
    groups=st.integers(1, 3),
    channels=st.integers(1, 3),
    filters=st.integers(1, 3),
    kind=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_floats_equal_torch(request: Request, groups: int, channels: int, filters: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(groups * channels, *request.size)).astype(kind)
    kernel = rng.normal(size=(groups * filters, channels, *request.window)).astype(kind)
    bias = rng.normal(size=groups * filters).astype(kind)
    trace = cs.convolve(
        image,
        kernel,
        bias=bias,
        padding=request.padding,
        stride=request.stride,
        dilation=request.dilation,
        groups=groups,
    )
    assert trace.output.dtype == kind
    expected = by_torch(image, kernel, bias, request, groups)
    # Terms may cancel, so the error is measured against the sum of their absolute values.
    scale = by_torch(abs(image), abs(kernel), abs(bias), request, groups)
    tolerance = 1e-5 if kind == "float32" else 1e-13
    assert (abs(trace.output - expected) <= tolerance * scale).all()


@wide
@given(request=requests(), data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_every_unit_explains_its_output(request: Request, data: st.DataObject, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (4, *request.size))
    kernel = rng.integers(-9, 9, (6, 2, *request.window))
    trace = cs.convolve(
        image,
        kernel,
        bias=rng.integers(-9, 9, 6),
        padding=request.padding,
        stride=request.stride,
        dilation=request.dilation,
        groups=2,
    )
    filters, height, width = trace.output.shape
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    index = data.draw(st.integers(0, filters - 1))
    unit = trace.at(row, column, filter=index)
    assert unit.value == trace.output[index, row, column] == unit.sum + unit.bias
    assert (unit.window * unit.kernel).sum() == unit.products.sum() == unit.sum
    assert unit.first_channel == (0 if index < 3 else 2)
    (top, _), (left, _) = trace.geometry.padding
    seen = trace.padded[unit.first_channel : unit.first_channel + 2][:, unit.rows + top][:, :, unit.columns + left]
    np.testing.assert_array_equal(unit.window, seen)
    np.testing.assert_array_equal(unit.is_padding, trace.is_padding[unit.rows + top][:, unit.columns + left])
    assert not trace.is_ignored[unit.rows[~unit.is_padding.all(axis=1)]].all() or unit.is_padding.all()


def test_a_flat_kernel_filters_each_channel_by_itself() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3, 7, 8), dtype=np.uint8)
    trace = cs.convolve(image, cs.kernels["sharpen"], padding="same")
    assert trace.output.shape == (3, 7, 8)
    for channel in range(3):
        alone = cs.convolve(image[channel], cs.kernels["sharpen"], padding="same")
        assert alone.output.shape == (7, 8)
        np.testing.assert_array_equal(trace.output[channel], alone.output)
    assert trace.kernel.shape == (3, 1, 3, 3)
    assert trace.groups == 3
    unit = trace.at(2, 3, filter=1)
    assert unit.first_channel == 1
    np.testing.assert_array_equal(unit.window[0], image[1, 1:4, 2:5])


@pytest.mark.parametrize(
    ("image", "kernel", "output"),
    [
        ((5, 6), (2, 3), (4, 4)),
        ((1, 5, 6), (2, 3), (1, 4, 4)),
        ((5, 6), (1, 2, 3), (1, 4, 4)),
        ((3, 5, 6), (3, 2, 3), (1, 4, 4)),
        ((5, 6), (7, 1, 2, 3), (7, 4, 4)),
        ((3, 5, 6), (7, 3, 2, 3), (7, 4, 4)),
    ],
)
def test_output_shapes(image: tuple[int, ...], kernel: tuple[int, ...], output: tuple[int, ...]) -> None:
    assert cs.convolve(np.ones(image), np.ones(kernel)).output.shape == output


@pytest.mark.parametrize(
    ("image", "kernel", "result"),
    [
        ("uint8", "int64", "int64"),
        ("bool", "uint8", "int64"),
        ("uint8", "float32", "float32"),
        ("uint8", "float64", "float64"),
        ("int64", "float32", "float64"),
        ("float16", "int64", "float32"),
        ("float32", "float64", "float32"),
        ("float64", "float32", "float64"),
        ("longdouble", "int64", "float64"),
    ],
)
def test_number_types(image: str, kernel: str, result: str) -> None:
    trace = cs.convolve(np.ones((4, 4), image), np.ones((2, 2), kernel))
    assert trace.output.dtype == result
    assert trace.output.tolist() == [[4] * 3] * 3


def test_a_decimal_bias_makes_integers_decimal() -> None:
    trace = cs.convolve([[1, 2], [3, 4]], [[1]], bias=0.5)
    assert trace.output.tolist() == [[1.5, 2.5], [3.5, 4.5]]
    assert str(trace.at(0, 0)) == "1×1 + 0.5 (bias) = 1.5"


@pytest.mark.parametrize("size", [2**20, 2**40, 2**58])
def test_large_integers_stay_exact(size: int) -> None:
    image = np.array([[size + 1, 1 - size], [3, -1]])
    kernel = np.array([[3, 3], [1, 1]])
    assert cs.convolve(image, kernel).output.tolist() == [[8]]


def test_integers_that_could_overflow_are_refused() -> None:
    with pytest.raises(RequestError, match="64"):
        cs.convolve(np.full((2, 2), 2**62), np.ones((2, 2), np.int64))
    with pytest.raises(RequestError, match="64"):
        cs.convolve(np.full((2, 2), 2**63, np.uint64), np.ones((1, 1), np.int64))
    assert cs.convolve(np.full((2, 2), 2.0**62), np.ones((2, 2), np.int64)).output.tolist() == [[2.0**64]]


def test_floats_that_could_overflow_are_refused() -> None:
    with pytest.raises(RequestError, match="float32"):
        cs.convolve(np.full((2, 2), 3e38, np.float32), np.ones((2, 2)))
    with pytest.raises(RequestError, match="float64"):
        cs.convolve(np.full((2, 2), 1e308), np.ones((2, 2)))


def test_the_trace_is_not_changed_by_what_happens_to_the_image() -> None:
    image = np.arange(9).reshape(3, 3)
    trace = cs.convolve(image, [[1, 1]])
    image[:] = 0
    assert trace.at(2, 1).value == trace.at(2, 1).sum == 15


def test_blocks_of_rows_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).normal(size=(3, 40, 9))
    kernel = np.random.default_rng(1).normal(size=(2, 3, 3, 2))
    whole = cs.convolve(image, kernel).output
    monkeypatch.setattr("convoscope.convolution.convolution._BLOCK_BYTES", 8 * 18 * 8 * 7)
    np.testing.assert_allclose(cs.convolve(image, kernel).output, whole, rtol=1e-12)
