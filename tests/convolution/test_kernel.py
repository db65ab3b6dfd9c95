from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language

BEYOND_THE_LECTURE = [
    "gaussian-3",
    "gaussian-5",
    "sobel-x",
    "sobel-y",
    "prewitt-x",
    "prewitt-y",
    "scharr-x",
    "scharr-y",
    "laplacian-of-gaussian",
    "emboss",
    "unsharp",
    "motion-blur",
    "gabor",
]


@pytest.mark.parametrize("name", sorted(cs.kernels))
def test_every_kernel_is_complete(name: str) -> None:
    kernel = cs.kernels[name]
    assert kernel.numbers.ndim == 2
    assert kernel.numbers.dtype in (np.int64, np.float64)
    assert np.isfinite(kernel.numbers).all()
    assert kernel.spec == name
    for words in (kernel.names, kernel.meanings, kernel.sources):
        assert set(words) == {"en", "es"}
        assert all(words.values())
        assert "\n" not in "".join(words.values())
    assert kernel.meanings["en"].endswith(".")
    assert kernel.meanings["en"] != kernel.meanings["es"]
    assert len(str(kernel).splitlines()) == kernel.shape[0]
    image = np.arange(400).reshape(20, 20)
    np.testing.assert_array_equal(cs.convolve(image, kernel).output, cs.convolve(image, np.asarray(kernel)).output)


def test_all_that_was_promised_are_there() -> None:
    assert set(BEYOND_THE_LECTURE) <= set(cs.kernels)
    assert len(cs.kernels) == len(list(cs.kernels))


SUMS = {1: ["box-blur", "gaussian-3", "gaussian-5", "unsharp", "motion-blur", "emboss", "sharpen"]}
SUMS |= {0: ["sobel-x", "sobel-y", "prewitt-y", "scharr-x", "laplacian-of-gaussian", "gabor", "edges-8"]}


@pytest.mark.parametrize(("name", "total"), [(name, total) for total, names in SUMS.items() for name in names])
def test_sums(name: str, total: int) -> None:
    assert np.asarray(cs.kernels[name]).sum() == pytest.approx(total, abs=1e-12)


def test_well_known_numbers() -> None:
    assert np.asarray(cs.kernels["sobel-x"]).tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert np.asarray(cs.kernels["sobel-y"]).tolist() == [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
    assert np.asarray(cs.kernels["unsharp"])[2, 2] * 256 == 476
    assert (np.asarray(cs.kernels["gaussian-3"]) * 16).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_numbers_are_written_as_fractions() -> None:
    assert str(cs.kernels["box-blur"]) == "\n".join(["1/9 1/9 1/9"] * 3)
    assert cs.kernels["gaussian-3"].cells[0] == ["1/16", "2/16", "1/16"]
    assert cs.kernels["motion-blur:size=3"].cells[0] == ["1/3", "0", "0"]
    assert str(cs.kernels["sharpen"]) == " 0 -1  0\n-1  5 -1\n 0 -1  0"


def test_words_follow_the_language() -> None:
    kernel = cs.kernels["box-blur"]
    with using_language("es"):
        assert kernel.name == "desenfoque de cuadro"
    with using_language("en"):
        assert kernel.name == "box blur"
        assert kernel.meaning.startswith("Replaces")


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 135, -60])
def test_gabor_answers_most_to_stripes_of_its_angle_and_wavelength(angle: int) -> None:
    kernel = cs.kernels[f"gabor:angle={angle},wavelength=6"]
    assert kernel.parameters["angle"] == angle
    rows, columns = kernel.shape
    y, x = np.mgrid[rows // 2 : -rows // 2 : -1, -(columns // 2) : columns // 2 + 1]

    def answer(turn: float, wavelength: float) -> float:
        along = x * math.cos(math.radians(turn)) + y * math.sin(math.radians(turn))
        return cs.convolve(np.cos(2 * math.pi * along / wavelength), kernel).output.item()

    own = answer(angle, 6)
    assert own > 1.5 * abs(answer(angle + 45, 6))
    assert own > 1.5 * abs(answer(angle + 90, 6))
    assert own > 1.5 * abs(answer(angle, 3))
    assert own > 1.5 * abs(answer(angle, 18))


def test_gabor_is_quiet_on_flat_areas() -> None:
    for spec in ("gabor", "gabor:angle=20,wavelength=9,phase=90,aspect=1,size=15", "gabor:size=1"):
        kernel = cs.kernels[spec]
        assert abs(np.asarray(kernel).sum()) < 1e-12
    assert cs.kernels["gabor:size=15"].shape == (15, 15)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("sharpn", "sharpen"),
        ("sharpen:size=3", "size"),
        ("gabor:angel=45", "angle"),
        ("gabor:angle=steep", "steep"),
        ("gabor:wavelength=0", "wavelength"),
        ("box-blur:size=2.5", "2.5"),
        ("box-blur:size=100000", "99"),
        ("box-blur:", "NAME"),
    ],
)
def test_bad_specs_say_what_to_do(spec: str, words: str) -> None:
    with using_language("en"), pytest.raises(RequestError, match=words):
        cs.kernels[spec]


def test_it_is_a_mapping() -> None:
    assert "sharpen" in cs.kernels
    assert "gabor:angle=45" in cs.kernels
    assert "sharpn" not in cs.kernels
    assert 3 not in cs.kernels
    assert cs.kernels.get("sharpn") is None
    assert cs.kernels.get("sharpn", 7) == 7
    found = cs.kernels.get("sharpen")
    assert found is not None
    assert found.spec == "sharpen"


def test_a_kernels_numbers_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        cs.kernels["sharpen"].numbers[0, 0] = 1
    array = np.array(cs.kernels["sharpen"])
    array[0, 0] = 1
    assert np.asarray(cs.kernels["sharpen"], dtype=np.float32).dtype == np.float32


def test_to_dict_is_ready_for_json() -> None:
    told = cs.kernels["gabor:angle=45"].to_dict()
    assert told["spec"] == "gabor:angle=45"
    assert pickle.loads(pickle.dumps(told)) == told
    assert told["parameters"]["wavelength"] == 4.0
    assert told["source"] in told["sources"].values()
