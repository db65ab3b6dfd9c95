from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convoscope as cs
from convoscope.convolution import geometry, output_size
from convoscope.convolution.shapes import Axis
from convoscope.core.errors import RequestError
from tests.convolution.strategies import Request, requests, wide


@pytest.mark.parametrize(
    ("length", "size", "stride", "dilation", "before", "after"),
    [
        (5, 3, 1, 1, 1, 1),
        (5, 2, 1, 1, 0, 1),
        (13, 6, 5, 1, 1, 2),  # TensorFlow's own example
        (4, 3, 2, 1, 0, 1),
        (5, 3, 2, 1, 1, 1),
        (5, 1, 3, 1, 0, 0),
        (7, 2, 2, 3, 1, 2),
    ],
)
def test_same_puts_the_odd_pixel_after(
    length: int, size: int, stride: int, dilation: int, before: int, after: int
) -> None:
    windows = geometry((length, length), size, stride=stride, dilation=dilation, padding="same")
    assert windows.padding == ((before, after), (before, after))
    assert windows.output_size == (-(-length // stride),) * 2


@pytest.mark.parametrize(
    ("padding", "sides"),
    [
        ("valid", ((0, 0), (0, 0))),
        (2, ((2, 2), (2, 2))),
        ((1, 2), ((1, 1), (2, 2))),
        (((1, 2), (3, 4)), ((1, 2), (3, 4))),
        ([[1, 2], [3, 4]], ((1, 2), (3, 4))),
        (np.array([[1, 2], [3, 4]]), ((1, 2), (3, 4))),
        (np.int64(1), ((1, 1), (1, 1))),
    ],
)
def test_forms_of_padding(padding: object, sides: object) -> None:
    assert geometry((5, 5), 3, padding=padding).padding == sides  # type: ignore[arg-type]


def test_output_size_of_the_lecture() -> None:
    assert output_size((5, 5), 3) == (3, 3)
    assert output_size((28, 28), 5) == (24, 24)
    assert output_size((24, 24), 2, stride=2) == (12, 12)
    assert output_size((7, 9), (3, 2), stride=(2, 3), padding=1) == (4, 4)


@pytest.mark.parametrize(
    ("length", "size", "stride", "padding", "outputs", "overhang"),
    [
        (7, 3, 2, 0, 3, 0),
        (8, 3, 2, 0, 4, 1),
        (3, 4, 4, 0, 1, 1),
        (5, 2, 3, 1, 2, 0),
        (6, 2, 4, 1, 2, 0),
        (5, 1, 4, 2, 2, 0),
    ],
)
def test_ceil_mode(length: int, size: int, stride: int, padding: int, outputs: int, overhang: int) -> None:
    axis = Axis(length, size, stride, 1, padding, padding, ceil_mode=True)
    assert (axis.outputs, axis.overhang) == (outputs, overhang)


@wide
@given(request=requests(), seed=st.integers(0, 2**32 - 1))
def test_ignored_pixels_are_those_that_change_nothing(request: Request, seed: int) -> None:
    image = np.random.default_rng(seed).integers(1, 9, request.size)
    arguments = {"padding": request.padding, "stride": request.stride, "dilation": request.dilation}
    kernel = np.ones(request.window, int)
    trace = cs.convolve(image, kernel, **arguments)
    changed = np.where(trace.is_ignored, 99, image)
    np.testing.assert_array_equal(cs.convolve(changed, kernel, **arguments).output, trace.output)
    changed = np.where(trace.is_ignored, image, 0)
    assert (cs.convolve(changed, kernel, **arguments).output == 0).all()


def test_what_a_stride_leaves_over_and_what_is_padding() -> None:
    trace = cs.convolve(np.ones((6, 5)), np.ones((3, 3)), stride=2, padding=((0, 0), (0, 2)))
    assert trace.output.shape == (2, 3)
    assert np.argwhere(trace.is_ignored).tolist() == [[5, column] for column in range(5)]
    assert trace.padded.shape == (1, 6, 7)
    assert np.argwhere(trace.is_padding).tolist() == [[row, column] for row in range(6) for column in (5, 6)]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"padding": -1}, "padding"),
        ({"padding": ((0, 0), (0, -1))}, "padding"),
        ({"padding": "full"}, "padding"),
        ({"padding": 1.5}, "padding"),
        ({"padding": True}, "padding"),
        ({"padding": (1, 2, 3)}, "padding"),
        ({"padding": None}, "padding"),
        ({"padding": 10**9}, "padding"),
        ({"stride": 0}, "stride"),
        ({"stride": (1, -1)}, "stride"),
        ({"stride": "2"}, "stride"),
        ({"stride": (1, 1, 1)}, "stride"),
        ({"dilation": 0}, "dilation"),
        ({"dilation": np.array([1.0, 1.0])}, "dilation"),
        ({"size": 6}, "size"),
        ({"size": 3, "dilation": 3}, "size"),
        ({"size": (0, 1)}, "size"),
        ({"input_size": (0, 3)}, "input_size"),
    ],
)
def test_bad_numbers_name_the_argument(arguments: dict[str, object], field: str) -> None:
    request: dict[str, object] = {"input_size": (5, 5), "size": 3} | arguments
    with pytest.raises(RequestError) as caught:
        output_size(**request)  # type: ignore[arg-type]
    assert caught.value.values["field"] == field
    assert field in str(caught.value)
