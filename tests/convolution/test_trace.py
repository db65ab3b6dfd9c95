from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language

RNG = np.random.default_rng(0)


def test_large_outputs_are_shortened() -> None:
    lines = str(cs.convolve(np.arange(10_000).reshape(100, 100), [[1]])).splitlines()
    assert len(lines) == 21
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split()[9:12] == ["9", "…", "90"]


def test_maps_have_titles_in_the_users_language() -> None:
    trace = cs.convolve(np.ones((2, 3, 3)), np.ones((2, 2, 3, 3)))
    with using_language("es"):
        assert str(trace) == "filtro 0\n18\n\nfiltro 1\n18"
    with using_language("en"):
        assert str(cs.pool(np.ones((2, 3, 3)), "max", 3)) == "channel 0\n1\n\nchannel 1\n1"
    assert repr(trace) == "<ConvolutionTrace convolution 2 × 1 × 1>"


def test_sums_over_channels_are_written_channel_by_channel() -> None:
    image = np.arange(8).reshape(2, 2, 2)
    unit = cs.convolve(image, [[[1, -1], [0, 2]], [[-3, 0], [0, 1]]], bias=-4).at(0, 0)
    with using_language("en"):
        assert str(unit).splitlines() == [
            "channel 0: 0×1 + 1×(-1) + 2×0 + 3×2 = 5",
            "channel 1: 4×(-3) + 5×0 + 6×0 + 7×1 = -5",
            "in all: 5 + (-5) + (-4) (bias) = -4",
        ]
    with using_language("es"):
        assert str(unit).splitlines()[2] == "en total: 5 + (-5) + (-4) (sesgo) = -4"


def test_later_groups_name_their_own_channels() -> None:
    unit = cs.convolve(np.ones((4, 2, 2)), np.ones((2, 2, 2, 2)), groups=2).at(0, 0, filter=1)
    with using_language("en"):
        assert [line.split(":")[0] for line in str(unit).splitlines()] == ["channel 2", "channel 3", "in all"]


def test_long_sums_are_wrapped_whole() -> None:
    image = RNG.integers(0, 255, (11, 11))
    text = str(cs.convolve(image, cs.kernels["box-blur:size=11"]).at(0, 0))
    lines = text.splitlines()
    assert len(lines) > 1
    assert max(len(line) for line in lines) <= 100
    assert text.count("×") == 121


def test_rounded_numbers_are_not_called_equal() -> None:
    assert str(cs.convolve([[0.5]], [[2]]).at(0, 0)) == "0.5×2 = 1"
    assert str(cs.convolve([[1, 2]], [[1 / 3, 1 / 3]]).at(0, 0)) == "1×0.3333 + 2×0.3333 ≈ 1"
    half = cs.convolve(np.array([[0.1]], np.float32), np.array([[0.5]], np.float32))
    assert str(half.at(0, 0)) == "0.1×0.5 = 0.05"


def test_numbers_of_half_precision_are_written() -> None:
    assert "= 70" in str(cs.pool(np.float16([[0.5, 70]]), "max", (1, 2)).at(0, 0))


def test_padding_in_a_unit() -> None:
    unit = cs.convolve([[1, 2], [3, 4]], np.ones((2, 2), int), padding=1, stride=2).at(0, 1)
    assert unit.rows.tolist() == [-1, 0]
    assert unit.columns.tolist() == [1, 2]
    assert unit.is_padding.tolist() == [[True, True], [False, True]]
    assert unit.window.tolist() == [[[0, 0], [2, 0]]]


@pytest.mark.parametrize(
    "trace", [cs.convolve(np.ones((2, 4, 5)), np.ones((3, 2, 2, 2))), cs.pool(np.ones((3, 4, 5)), "max", 2, stride=1)]
)
@pytest.mark.parametrize(
    ("place", "field"),
    [((3, 0, 0), "row"), ((-1, 0, 0), "row"), ((0, 4, 0), "col"), ((0, 0, 3), "filter"), ((1.5, 0, 0), "row")],
)
def test_places_that_are_not_there(trace: cs.Trace, place: tuple[int, int, int], field: str) -> None:
    with pytest.raises(RequestError) as caught:
        trace.at(*place)
    assert caught.value.values["field"] == field


def test_traces_are_ready_for_json() -> None:
    image = RNG.integers(0, 255, (2, 5, 6), dtype=np.uint8)
    trace = cs.convolve(image, np.ones((3, 2, 2, 3), np.float32), bias=[1, 2, 3], padding="same", stride=2)
    told = json.loads(json.dumps(trace.to_dict(), allow_nan=False))
    assert np.shape(told["image"]) == (2, 5, 6)
    assert np.shape(told["kernel"]) == (3, 2, 2, 3)
    np.testing.assert_array_equal(told["output"], trace.output)
    np.testing.assert_array_equal(told["padded"], trace.padded)
    assert (told["kind"], told["stride"], told["dilation"], told["bias"]) == ("convolution", [2, 2], [1, 1], [1, 2, 3])
    assert told["padding"] == [[0, 1], [0, 1]]
    unit = json.loads(json.dumps(trace.at(1, 1, 2).to_dict(), allow_nan=False))
    assert unit["text"] == str(trace.at(1, 1, 2))
    assert np.shape(unit["products"]) == (2, 2, 3)


def test_pooling_traces_are_ready_for_json() -> None:
    trace = cs.pool([[1, 2], [3, 4]], "max", 2, padding=((0, 0), (0, 1)), stride=1)
    told = json.loads(json.dumps(trace.to_dict(), allow_nan=False))
    assert told["padded"] == [[[1, 2, None], [3, 4, None]]]
    unit = json.loads(json.dumps(trace.at(0, 1).to_dict(), allow_nan=False))
    assert (unit["winner"], unit["takes_part"]) == ([1, 1], [[True, False], [True, False]])
    assert cs.pool([[1]], "avg", 3, padding=1, count_include_pad=True).to_dict()["padded"][0][0] == [0, 0, 0]


def test_what_ceil_mode_reaches_is_shown_as_padding() -> None:
    trace = cs.pool(np.ones((3, 4)), "avg", 2, ceil_mode=True)
    assert trace.padded.shape == (1, 4, 4)
    assert trace.to_dict()["overhang"] == [1, 0]
    assert trace.is_padding[3].all()
    assert trace.at(1, 0).divisor == 2


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64, int])
def test_numpys_small_integers_name_an_output_as_pythons_do(kind: type) -> None:
    trace = cs.convolve(np.ones((3, 300)), np.ones((1, 3)), stride=(1, 2))
    assert trace.at(kind(0), kind(120)).columns.tolist() == [240, 241, 242]
    assert trace.at(0, np.uint8(140)).columns.tolist() == [280, 281, 282]
    pooled = cs.pool(np.ones((256, 1, 4)), "max", (1, 2))
    assert json.loads(json.dumps(pooled.at(0, kind(1), np.uint8(255)).to_dict()))["filter"] == 255
    assert pooled.at(0, 1, np.uint8(255)).window.shape == (1, 1, 2)


@pytest.mark.parametrize(
    "place", [(True, 0), (0, np.True_), (0.0, 0), ("0", 0), (0, 1, None), (-1, 0), (0, np.int8(-1))]
)
def test_what_is_no_number_of_an_output_is_refused(place: tuple[Any, ...]) -> None:
    with using_language("en"), pytest.raises(RequestError) as caught:
        cs.pool([[1, 2]], "max", 1).at(*place)
    assert caught.value.key == "convolution.no_such_output"


def test_output_belongs_to_the_user() -> None:
    trace = cs.convolve([[1, 2]], [[1]])
    trace.output[0, 0] = 7
    assert trace.output.tolist() == [[7, 2]]


def test_the_subject_needs_no_torch() -> None:
    code = (
        "import sys, convoscope as cs; cs.convolve([[1]], [[1]]); cs.kernels['sharpen']; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
