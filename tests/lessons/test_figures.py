"""The figures of the lesson: what they take, what they refuse, and how they show themselves."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.lessons.figures import Drawing, bars, channels, curves, numbers, pictures

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2])


def drawn(drawing: Drawing) -> Image.Image:
    """What a notebook gets to see, after a check that it has words as well."""
    page = drawing._repr_html_()
    assert re.search(r'alt="[^"]+"', page)
    data = re.search(r"base64,([^\"]+)", page)
    assert data
    return Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("RGB")


@pytest.mark.parametrize("image", [GREY, GREY[None], COLOUR, GREY > 9, GREY / 255, -GREY.astype(int)])
def test_pictures_of_every_kind_are_drawn(image):
    assert min(drawn(pictures([image, image], ["one", "two"])).size) > 50
    assert repr(pictures([image], ["seven"])).endswith("seven")


def test_signed_numbers_are_blue_and_orange_and_others_grey():
    signed = {pixel for _, pixel in drawn(pictures([np.array([[-5, 5]])])).getcolors(100_000) or []}
    assert {(33, 102, 172), (230, 97, 1)} <= signed
    grey = drawn(pictures([np.array([[0, 255]], dtype=np.uint8)])).getcolors(100_000) or []
    assert all(red == green == blue for _, (red, green, blue) in grey)


def test_a_part_is_outlined():
    plain, boxed = (drawn(pictures([GREY], side=2, boxes=boxes)) for boxes in (None, {0: [(1, 1, 3, 3)]}))
    assert plain.tobytes() != boxed.tobytes()


def test_numbers_channels_curves_and_bars_are_drawn(tmp_path):
    assert drawn(numbers(GREY, "grey")).width > 200
    assert drawn(channels(COLOUR)).width > 200
    assert drawn(curves({"one": [1, 2, 3], "two": ([0, 5], [1, 9])}, x="x", y="y", logarithmic=True))
    lengths = bars({"a": 1.5, "b": 3}, x="x", intervals={"a": (1, 2)})
    assert repr(lengths) == "a: 1.5, b: 3"
    assert lengths.save(tmp_path / "bars.png").read_bytes() == lengths.png


@pytest.mark.parametrize(
    ("draw", "key"),
    [
        (lambda: pictures([]), "no_pictures"),
        (lambda: pictures([np.zeros((2, 4, 4))]), "picture_shape"),
        (lambda: pictures([np.zeros((0, 4))]), "picture_shape"),
        (lambda: pictures([["a", "b"]]), "picture_shape"),
        (lambda: numbers(np.zeros((40, 4))), "numbers_size"),
        (lambda: numbers(COLOUR), "numbers_size"),
        (lambda: channels(GREY), "picture_shape"),
    ],
)
def test_what_is_no_picture_is_refused(draw, key):
    with pytest.raises(RequestError) as raised:
        draw()
    assert raised.value.key == f"notebooks.{key}"
    assert str(raised.value)


def test_words_are_in_the_language_in_use():
    with using_language("es"):
        assert "Imágenes" in repr(pictures([GREY]))


def test_the_language_is_chosen_from_the_package():
    with using_language("en"):
        cs.set_language("es")
        assert "Imágenes" in repr(pictures([GREY]))
