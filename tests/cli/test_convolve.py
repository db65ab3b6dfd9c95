from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import convoscope as cs
from convoscope.cli import run
from convoscope.cli._maps import colours, drawn, shrunk
from convoscope.core.errors import RequestError

SMALL = "1,0,1,1,0;0,1,0,0,1;1,0,1,1,0;1,1,0,1,1;1,0,1,1,0"
OUTPUT = [[5, -1, -1], [-3, 3, 1], [4, -2, 0]]


class Said:
    """What a command printed and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str, lang: str = "en") -> str:
        assert run([*arguments, "--lang", lang]) == 0
        return self.capsys.readouterr().out

    def json(self, *arguments: str) -> dict[str, Any]:
        answer = json.loads(self("convolve", *arguments, "--json"))
        assert isinstance(answer, dict)
        return answer

    def refusal(self, *arguments: str, lang: str = "en") -> str:
        assert run(["convolve", *arguments, "--lang", lang]) == 2
        captured = self.capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        return captured.err.strip()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def test_the_lectures_cross(said: Said) -> None:
    words = said("convolve", SMALL, "--kernel", "1,-1,1;-1,1,-1;1,-1,1", "--trace", "0,0")
    assert " 5 -1 -1\n-3  3  1\n 4 -2  0" in words
    assert "1×1 + 0×(-1) + 1×1 + 0×(-1) + 1×1 + 0×(-1) + 1×1 + 0×(-1) + 1×1 = 5" in words


def test_json(said: Said) -> None:
    told = said.json(SMALL, "--kernel", "cross", "--trace", "1,1")
    assert told["output"] == OUTPUT
    assert told["output_shape"] == [3, 3]
    assert told["trace"]["value"] == told["trace"]["sum"] == 3
    assert "trace" not in said.json(SMALL, "--kernel", "cross")


def test_a_pooling_after_the_kernel(said: Said) -> None:
    told = said.json(SMALL, "--kernel", "cross", "--pool", "max", "--size", "3", "--trace", "0,0")
    assert told["output"] == [[5]]
    assert told["trace"]["winner"] == [0, 0]
    assert told["winner"]["text"].endswith("= 5")


def test_a_pooling_by_itself_takes_the_options(said: Said) -> None:
    told = said.json(SMALL, "--pool", "avg", "--size", "2,3", "--stride", "3,1", "--padding", "same")
    np.testing.assert_array_equal(
        told["output"], cs.pool(_numbers(SMALL), "avg", (2, 3), stride=(3, 1), padding="same").output
    )


def test_options_reach_the_convolution(said: Said) -> None:
    told = said.json(SMALL, "--kernel", "sobel-x", "--padding", "1,0,2,1", "--stride", "2,1", "--dilation", "1,2")
    expected = cs.convolve(
        _numbers(SMALL), cs.kernels["sobel-x"], padding=((1, 0), (2, 1)), stride=(2, 1), dilation=(1, 2)
    )
    np.testing.assert_array_equal(told["output"], expected.output)


def test_picture_files(said: Said, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "colour.png")
    told = said.json(str(tmp_path / "colour.png"), "--kernel", "sharpen", "--map", "2", "--trace", "0,0")
    np.testing.assert_array_equal(told["output"], cs.convolve(pixels.transpose(2, 0, 1), cs.kernels["sharpen"]).output)
    assert told["trace"]["filter"] == 2


def test_pictures_of_a_data_set(said: Said) -> None:
    told = said.json("digits:3", "--kernel", "identity")
    picture = cs.load("digits").train.images[3][0]
    np.testing.assert_array_equal(told["output"], picture[1:-1, 1:-1])


def test_maps_are_saved(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "map.png"
    assert said.json(SMALL, "--kernel", "cross", "--out", str(file))["file"] == str(file)
    with Image.open(file) as picture:
        assert picture.size == (255, 255)
        assert picture.getpixel((0, 0)) == (230, 97, 1)
        assert picture.getpixel((254, 254)) == (255, 255, 255)
    assert f"Guardado: {file}" in said("convolve", SMALL, "--kernel", "cross", "--out", str(file), lang="es")


def test_a_page_is_written(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert said.json(SMALL, "--kernel", "cross", "--pool", "max", "--size", "3", "--out", str(file))["file"] == str(
        file
    )
    page = file.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert '"pool": "max"' in page
    assert '<html lang="es">' in _page(said, file, "es")


def _page(said: Said, file: Path, lang: str) -> str:
    assert str(file) in said("convolve", SMALL, "--kernel", "cross", "--out", str(file), lang=lang)
    return file.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([SMALL, "--kernel", "cross", "--stride", "0"], "stride"),
        ([SMALL, "--kernel", "cross", "--padding", "-1"], "padding"),
        ([SMALL, "--kernel", "cross", "--padding", "full"], "padding"),
        ([SMALL, "--kernel", "cross", "--dilation", "3"], "kernel"),
        ([SMALL, "--kernel", "1,2;3"], "kernel"),
        ([SMALL, "--kernel", "1,x"], "kernel"),
        ([SMALL, "--kernel", ""], "kernel"),
        ([SMALL, "--kernel", "sharpn"], "sharpen"),
        ([SMALL, "--kernel", "cross", "--trace", "3,0"], "row"),
        ([SMALL, "--kernel", "cross", "--trace", "3"], "trace"),
        ([SMALL, "--kernel", "cross", "--map", "1", "--trace", "0,0"], "map: there is no 1"),
        ([SMALL, "--pool", "min"], "pool: there is no pooling 'min'"),
        ([SMALL, "--kernel", "cross", "--size", "3"], "--size does nothing without --pool"),
        ([SMALL, "--kernel", "cross", "--map", "0"], "--map does nothing without --trace"),
        (["1e", "--kernel", "cross"], "'1e' is no file"),
        (["n" * 300, "--kernel", "cross"], "is no file"),
        ([SMALL, "--pool", "max", "--size", "x"], "size"),
        ([SMALL], "kernel"),
        (["nowhere.png", "--kernel", "cross"], "image"),
        (["digits:99999", "--kernel", "cross"], "image"),
        (["1,2;3", "--kernel", "cross"], "image"),
        ([SMALL, "--kernel", "cross", "--out", "map.jpg"], "out"),
        ([SMALL, "--kernel", "cross", "--out", "page"], "out"),
        ([SMALL, "--kernel", "cross", "--out", "no/such/folder/map.png"], "out"),
        ([SMALL, "--kernel", "cross", "--out", "no/such/folder/page.html"], "written"),
    ],
)
def test_wrong_requests_end_with_one_sentence(said: Said, arguments: list[str], words: str) -> None:
    sentence = said.refusal(*arguments)
    assert words in sentence
    assert "\n" not in sentence
    assert said.refusal(*arguments, lang="es") != sentence


def test_a_file_that_is_no_picture(said: Said, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    assert "notes.png" in said.refusal(str(tmp_path / "notes.png"), "--kernel", "cross")


def test_kernels_are_listed(said: Said) -> None:
    words = said("kernels", lang="es")
    assert "desenfoque de cuadro" in words
    assert "1/9 1/9 1/9" in words
    told = json.loads(said("kernels", "--json"))["kernels"]
    assert [kernel["spec"] for kernel in told] == list(cs.kernels)
    assert json.loads(said("kernels", "gabor:angle=45", "--json"))["kernels"][0]["parameters"]["angle"] == 45


def test_colours_have_zero_in_the_middle() -> None:
    shown = colours(np.array([[-5, 0, 5, 2.5]]), 5)
    assert shown.tolist() == [[[33, 102, 172], [255, 255, 255], [230, 97, 1], [242, 176, 128]]]
    assert colours(np.zeros((1, 1)), 0.0).tolist() == [[[255, 255, 255]]]


def test_maps_are_shrunk_by_means() -> None:
    numbers = np.arange(15).reshape(3, 5)
    assert shrunk(numbers, 5) is numbers
    assert shrunk(numbers, 3).tolist() == [[3, 5, 6.5], [10.5, 12.5, 14]]


def test_a_character_holds_two_pixels() -> None:
    text = drawn(np.array([[1, -1], [0, 1], [1, 1]]), 1, 3)
    assert text.plain == "▀▀\n▀▀\n"
    assert [str(span.style) for span in text.spans] == [
        "rgb(230,97,1) on rgb(255,255,255)",
        "rgb(33,102,172) on rgb(230,97,1)",
        "rgb(230,97,1)",
        "rgb(230,97,1)",
    ]
    assert max(len(line) for line in drawn(np.ones((500, 700)), 1, 80).plain.splitlines()) <= 80


def test_a_terminal_with_colours_gets_them(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    words = said("convolve", SMALL, "--kernel", "cross")
    assert "\x1b[38;2;230;97;1" in words
    assert " 5 -1 -1" in words


def test_errors_name_the_field() -> None:
    with pytest.raises(RequestError) as caught:
        cs.kernels["sharpn"]
    assert caught.value.values["field"] == "kernel"


def _numbers(text: str) -> np.ndarray:
    return np.array([[int(number) for number in row.split(",")] for row in text.split(";")])


def test_a_long_typed_picture_is_no_file_name(said: Said) -> None:
    typed = ";".join([",".join("123456789012"[:12])] * 12)
    assert len(typed) > 255
    assert said.json(typed, "--kernel", "cross")["output_shape"] == [10, 10]


def test_the_picture_that_is_read_is_not_written_over(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.arange(36, dtype=np.uint8).reshape(6, 6)).save("photo.png")
    before = Path("photo.png").read_bytes()
    assert "give another name" in said.refusal("photo.png", "--kernel", "cross", "--out", str(tmp_path / "photo.png"))
    assert Path("photo.png").read_bytes() == before
