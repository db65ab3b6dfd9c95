from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import convoscope as cs
from convoscope.core.errors import RequestError
from tests.convolution.strategies import Request, pairs, requests, wide

F = torch.nn.functional
GONE = np.iinfo(np.int64).min


@wide
@given(
    request=requests(), seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["uint8", "int64", "float32", "float64"])
)
def test_max_equals_torch_over_explicit_padding(request: Request, seed: int, kind: str) -> None:
    image = np.random.default_rng(seed).integers(-5 if kind != "uint8" else 0, 200, (2, *request.size)).astype(kind)
    padded = F.pad(torch.from_numpy(image.astype(np.float64))[None], request.torch_pad, value=-np.inf)
    expected = F.max_pool2d(padded, request.window, request.stride, dilation=request.dilation)[0].numpy()
    arguments = {"stride": request.stride, "padding": request.padding, "dilation": request.dilation}
    if np.isinf(expected).any():
        with pytest.raises(RequestError, match="padding"):
            cs.pool(image, "max", request.window, **arguments)
        return
    trace = cs.pool(image, "max", request.window, **arguments)
    assert trace.output.dtype == (kind if kind.startswith("float") else "int64")
    np.testing.assert_array_equal(trace.output, expected)


@wide
@given(request=requests(), seed=st.integers(0, 2**32 - 1), count_include_pad=st.booleans())
def test_average_equals_sums_over_counts(request: Request, seed: int, count_include_pad: bool) -> None:
    image = np.random.default_rng(seed).normal(size=(2, *request.size))
    ones = torch.ones((1, 1, *request.window), dtype=torch.float64)

    def sums(pixels: torch.Tensor, fill: float) -> np.ndarray:
        padded = F.pad(pixels[:, None], request.torch_pad, value=fill)
        return F.conv2d(padded, ones, stride=request.stride, dilation=request.dilation)[:, 0].numpy()

    counts = sums(torch.ones((2, *request.size), dtype=torch.float64), float(count_include_pad))
    assume((counts > 0).all())
    trace = cs.pool(
        image,
        "avg",
        request.window,
        stride=request.stride,
        padding=request.padding,
        dilation=request.dilation,
        count_include_pad=count_include_pad,
    )
    np.testing.assert_allclose(trace.output, sums(torch.from_numpy(image), 0.0) / counts, rtol=1e-12, atol=1e-14)


@st.composite
def torch_poolings(draw: st.DrawFn) -> dict[str, tuple[int, int]]:
    """What torch accepts itself: padding of at most half the window."""
    window = draw(pairs(1, 5))
    padding = tuple(draw(st.integers(0, side // 2)) for side in window)
    return {"size": draw(pairs(1, 12)), "window": window, "padding": padding, "stride": draw(pairs(1, 7))}


@wide
@given(case=torch_poolings(), ceil_mode=st.booleans(), count_include_pad=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_poolings_equal_torch(
    case: dict[str, tuple[int, int]], ceil_mode: bool, count_include_pad: bool, seed: int
) -> None:
    image = np.random.default_rng(seed).normal(size=(3, *case["size"])).astype(np.float32)
    given = torch.from_numpy(image)
    arguments = {"stride": case["stride"], "padding": case["padding"], "ceil_mode": ceil_mode}
    try:
        largest = F.max_pool2d(given, case["window"], **arguments).numpy()
        mean = F.avg_pool2d(given, case["window"], **arguments, count_include_pad=count_include_pad).numpy()
    except RuntimeError:
        with pytest.raises(RequestError):
            cs.pool(image, "max", case["window"], **arguments)
        return
    assume(np.isfinite(largest).all())
    np.testing.assert_array_equal(cs.pool(image, "max", case["window"], **arguments).output, largest)
    ours = cs.pool(image, "avg", case["window"], **arguments, count_include_pad=count_include_pad).output
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, mean, rtol=1e-5, atol=1e-6)


@wide
@given(
    request=requests(2),
    ceil_mode=st.booleans(),
    count_include_pad=st.booleans(),
    kind=st.sampled_from(["max", "avg"]),
    data=st.data(),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_unit_explains_its_output(
    request: Request, ceil_mode: bool, count_include_pad: bool, kind: str, data: st.DataObject, seed: int
) -> None:
    image = np.random.default_rng(seed).integers(-9, 9, (2, *request.size))
    try:
        trace = cs.pool(
            image,
            kind,
            request.window,
            stride=request.stride,
            padding=request.padding,
            dilation=request.dilation,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
        )
    except RequestError as error:
        if error.key != "convolution.only_padding":
            raise
        return
    channels, height, width = trace.output.shape
    channel = data.draw(st.integers(0, channels - 1))
    unit = trace.at(data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1)), filter=channel)
    assert unit.value == trace.output[channel, unit.row, unit.column]
    numbers = unit.window[0][unit.takes_part]
    if kind == "max":
        assert unit.winner is not None
        assert image[channel][unit.winner] == unit.value == numbers.max()
        assert unit.winner[0] in unit.rows
        assert unit.winner[1] in unit.columns
    else:
        assert unit.divisor == len(numbers)
        assert unit.value == unit.sum / unit.divisor
        assert unit.sum == numbers.sum()


def test_padding_never_wins() -> None:
    assert cs.pool([[-3, -2], [-5, -4]], "max", 2, padding=1).output.tolist() == [[-3, -2], [-5, -4]]


def test_the_first_of_equals_wins_and_padding_is_not_it() -> None:
    unit = cs.pool([[0, 0], [0, 0]], "max", 2, padding=1, stride=1).at(0, 0)
    assert unit.winner == (0, 0)
    assert str(unit) == "max(0) = 0 (row 0, column 0)"


def test_means_written_out() -> None:
    image = [[1, 2], [3, 5]]
    assert str(cs.pool(image, "avg", 2).at(0, 0)) == "(1 + 2 + 3 + 5) / 4 = 2.75"
    assert str(cs.pool(image, "avg", 2, padding=1).at(1, 1)) == "(5) / 1 = 5"
    counted = cs.pool(image, "avg", 2, padding=1, count_include_pad=True)
    assert str(counted.at(1, 1)) == "(5 + 0 + 0 + 0) / 4 = 1.25"


def test_stride_is_the_window_unless_said() -> None:
    assert cs.pool(np.ones((6, 6)), "avg", (2, 3)).output.shape == (3, 2)
    assert cs.pool(np.ones((6, 6)), "avg", (2, 3), stride=1).output.shape == (5, 4)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"kind": "min"}, "kind"),
        ({"size": 0}, "size"),
        ({"size": 9}, "size"),
        ({"size": 1.5}, "size"),
        ({"stride": 0}, "stride"),
        ({"dilation": 0}, "dilation"),
        ({"padding": -1}, "padding"),
        ({"padding": 5}, "padding"),
        ({"image": [[1, None]]}, "image"),
    ],
)
def test_bad_requests_name_the_argument(arguments: dict[str, object], field: str) -> None:
    request: dict[str, object] = {"image": np.ones((4, 4)), "kind": "max", "size": 2} | arguments
    with pytest.raises(RequestError) as caught:
        cs.pool(**request)  # type: ignore[arg-type]
    assert caught.value.values["field"] == field
