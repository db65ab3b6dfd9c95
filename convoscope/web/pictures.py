"""The pictures of the kernel bench: the lecture's patterns, real digits, photographs; and what people upload."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from functools import cache

import numpy as np

from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, say, using_language
from convoscope.data.decode import UnreadableError, decode, examine
from convoscope.data.photographs import PHOTOGRAPHS, photograph
from convoscope.data.types import Pixels

MOST_UPLOAD_BYTES = 10 * 1024 * 1024
MOST_UPLOAD_PIXELS = 2048 * 2048
MOST_AT_ONCE = 4

CROSS_10 = (
    "1011011010", "0100110010", "1011000111", "1101111010", "1011010001",
    "1101010100", "0000110010", "0011110111", "0011010111", "0110111011",
)  # fmt: skip
"""The lecture's 10 × 10 pattern; its top-left 5 × 5 corner is the lecture's first picture."""

_DIGITS = (3, 4, 7, 8)
_SIDE = 384
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture of the bench.

    Args:
        name: how it is asked for.
        pixels: (C, H, W) uint8.
        names: language -> name.
        credit: language -> whose it is; empty for our own.
    """

    name: str
    pixels: Pixels
    names: dict[str, str]
    credit: dict[str, str]


@cache
def built_in() -> dict[str, Picture]:
    """All built-in pictures, by name."""
    pattern = np.array([[int(pixel) for pixel in row] for row in CROSS_10], dtype=np.uint8)
    pictures = [
        Picture("cross-5", pattern[None, :5, :5].copy(), _both("picture_cross-5"), {}),
        Picture("cross-10", pattern[None], _both("picture_cross-10"), {}),
        *_digits(),
        *map(_photograph, PHOTOGRAPHS),
    ]
    return {picture.name: picture for picture in pictures}


def find(name: str) -> Picture:
    """The built-in picture `name`.

    Raises:
        RequestError: there is none.
    """
    pictures = built_in()
    if name not in pictures:
        raise RequestError("web.picture_unknown", field="picture", asked=name, known=", ".join(pictures))
    return pictures[name]


def read_upload(content: bytes) -> Pixels:
    """Decode an uploaded picture in memory, (C, H, W) uint8, after its header has shown that it isn't too large.

    Raises:
        RequestError: no picture, damaged, too large, or too many are being read at once.
    """
    if len(content) > MOST_UPLOAD_BYTES:
        raise RequestError("web.upload_too_large", field="file", most=MOST_UPLOAD_BYTES >> 20)
    if not _places.acquire(blocking=False):
        raise RequestError("web.busy", field="file")
    try:
        return _decode(content)
    finally:
        _places.release()


def _decode(content: bytes) -> Pixels:
    try:
        facts = examine(io.BytesIO(content))
        if facts.width * facts.height > MOST_UPLOAD_PIXELS:
            raise RequestError(
                "web.upload_pixels", field="file", width=facts.width, height=facts.height, most=MOST_UPLOAD_PIXELS
            )
        return decode(content)
    except UnreadableError as error:
        raise refusal(error, "file") from error


def refusal(error: UnreadableError, field: str) -> RequestError:
    """The answer to an upload that can't be used: no picture, a damaged one, or one that says it is enormous."""
    width, found, height = error.detail.partition("x")
    if error.cause == "pixels" and found:
        return RequestError("web.upload_pixels", field=field, width=width, height=height, most=MOST_UPLOAD_PIXELS)
    return RequestError("web.upload_type", field=field)


def _digits() -> list[Picture]:
    """The first digit of each wanted kind in MNIST-5k; none where the package that ships them is missing."""
    from convoscope.data import load

    try:
        test = load("mnist-5k").test
    except RequestError:
        return []
    credit = _both("credit_digit")
    return [
        Picture(
            f"digit-{digit}",
            np.array(test.images[test.labels == digit][0]),
            _both("picture_digit", digit=digit),
            credit,
        )
        for digit in _DIGITS
    ]


def _photograph(name: str) -> Picture:
    pixels = photograph(name, (_SIDE, _SIDE))
    return Picture(name, pixels, _both(f"picture_{name}"), _both(f"credit_{name}", side=_SIDE))


def _both(key: str, **values: object) -> dict[str, str]:
    sentences = {}
    for language in LANGUAGES:
        with using_language(language):
            sentences[language] = say(f"web.{key}", **values)
    return sentences
