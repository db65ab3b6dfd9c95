from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convoscope.convolution import parse_kernel, parse_padding, parse_pair, read_kernel
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language


@pytest.mark.parametrize(
    "text",
    [
        "1,-1,1;-1,1,-1;1,-1,1",
        " 1, -1, 1 ; -1 ,1,-1;1,-1,1; ",
        "1 -1 1\n-1 1 -1\n1 -1 1\n",
        "1 −1 1; −1 1 −1; 1 −1 1",
        "+1,-1,1;-1,1,-1;1,-1,1",
    ],
)
def test_the_cross_however_it_is_typed(text: str) -> None:
    kernel = parse_kernel(text)
    assert kernel.dtype == np.int64
    assert kernel.tolist() == [[1, -1, 1], [-1, 1, -1], [1, -1, 1]]


def test_fractions_and_decimals() -> None:
    assert parse_kernel("1/9,-1/9;0.5,1e-3").tolist() == [[1 / 9, -1 / 9], [0.5, 1e-3]]
    assert parse_kernel("1/2, 1").dtype == np.float64
    assert parse_kernel("7").tolist() == [[7]]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "typed_empty"),
        (" ; ;\n", "typed_empty"),
        ("1,2;3", "typed_ragged"),
        ("1,,2", "typed_number"),
        ("1,x", "typed_number"),
        ("nan", "typed_number"),
        ("inf,1", "typed_number"),
        ("1/0", "typed_number"),
        ("1e999", "typed_number"),
        ("1e999999999", "typed_number"),
        ("9" * 5000, "typed_number"),
        ("1_0", "typed_number"),
        ("1/2/3", "typed_number"),
        ("1;" * 300_000, "typed_many"),
    ],
)
def test_what_is_no_kernel_is_refused(text: str, key: str) -> None:
    for language in ("en", "es"):
        with using_language(language), pytest.raises(RequestError) as caught:
            parse_kernel(text)
        assert caught.value.key == f"convolution.{key}"
        assert str(caught.value).startswith("kernel: ")
        assert caught.value.values["field"] == "kernel"


@settings(deadline=None)
@given(text=st.text(alphabet="0123456789.,;-/e \n+x", max_size=30))
def test_nothing_typed_breaks_it(text: str) -> None:
    try:
        kernel = parse_kernel(text)
    except RequestError:
        return
    assert kernel.ndim == 2
    assert np.isfinite(kernel).all()


def test_names_and_numbers() -> None:
    assert read_kernel("sharpen").tolist() == [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    assert read_kernel(" gabor:angle=45,wavelength=6 ").shape == (15, 15)
    assert read_kernel("1,2;3,4").tolist() == [[1, 2], [3, 4]]
    with pytest.raises(RequestError, match="sharpen"):
        read_kernel("sharpn")


@pytest.mark.parametrize(
    ("text", "padding"),
    [
        ("valid", "valid"),
        (" Same ", "same"),
        ("0", 0),
        ("1,2", (1, 2)),
        ("1,2,3,4", ((1, 2), (3, 4))),
        ("-1", -1),
    ],
)
def test_padding(text: str, padding: object) -> None:
    assert parse_padding(text) == padding


@pytest.mark.parametrize("text", ["", "full", "1,2,3", "1.5", "1,,2"])
def test_bad_padding(text: str) -> None:
    with pytest.raises(RequestError, match="padding"):
        parse_padding(text)


def test_pairs() -> None:
    assert parse_pair("2", "stride") == 2
    assert parse_pair("2, 1", "stride") == (2, 1)
    for text in ("", "x", "1,2,3", "1.0"):
        with pytest.raises(RequestError, match="stride"):
            parse_pair(text, "stride")
