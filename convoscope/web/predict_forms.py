"""What is asked of the served classifier, and what it answers: pictures in, a few lines of JSON out."""

from __future__ import annotations

import base64
import binascii
import io
import json
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from fastapi.exceptions import RequestValidationError
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from convoscope.core.errors import RequestError
from convoscope.data.decode import UnreadableError, decode, examine, fit
from convoscope.data.types import Pixels
from convoscope.web import pictures
from convoscope.web.network_forms import Given
from convoscope.web.seeing import steps_of_drawing

PATH = "/api/v1/predict"
MOST_PICTURES = 256

SMALL_PIXELS = 128 * 128
"""A picture of no more pixels is decoded in the event loop: handing it to a thread would take longer."""


class PredictRequest(BaseModel):
    """Pictures as JSON."""

    model_config = ConfigDict(extra="forbid")

    images: list[Given | str] = Field(
        min_length=1,
        max_length=MOST_PICTURES,
        description="Each the Base64 of a picture file, or pixels with their shape.",
    )


class PredictionAnswer(BaseModel):
    """What the classifier says of one picture."""

    label: str
    probability: float
    probabilities: dict[str, float] = Field(description="Class to probability, in the order of the classes.")


class PredictAnswer(BaseModel):
    """The predictions, in the order of the pictures."""

    predictions: list[PredictionAnswer]


BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": PredictRequest.model_json_schema(ref_template="#/components/schemas/{model}")},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["images"],
                "properties": {
                    "images": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MOST_PICTURES,
                        "items": {"type": "string", "format": "binary"},
                    }
                },
            }
        },
        "image/*": {"schema": {"type": "string", "format": "binary"}},
    },
}
BODY["content"]["application/json"]["schema"].pop("$defs")  # type: ignore[index]

Content = bytes | Given
"""A picture as it was sent: a file, or pixels."""


class Way(NamedTuple):
    """How pictures come to the classifier.

    Attributes:
        shape: (C, H, W) of what it takes.
        drawn: they are drawings in white on black, to be centred.
        invert: light and dark are swapped first.
    """

    shape: tuple[int, int, int]
    drawn: bool
    invert: bool

    def prepared(self, pixels: Pixels) -> Pixels:
        """A picture (C, H, W) of any size as the classifier takes it."""
        channels, *size = self.shape
        if self.invert:
            pixels = 255 - pixels
        if self.drawn:
            return steps_of_drawing(pixels[:1], channels=channels, size=(size[0], size[1]))[-1].pixels
        return fit(pixels, channels=channels, size=(size[0], size[1]))

    def soon(self, content: Content) -> Pixels | None:
        """A small picture as the classifier takes it; None for a large one, which is work for a thread (`slowly`).

        Raises:
            RequestError: no picture, or a damaged one.
        """
        if isinstance(content, Given):
            return self.prepared(content.pixels()) if content.height * content.width <= SMALL_PIXELS else None
        try:
            facts = examine(io.BytesIO(content))
            return self.prepared(decode(content)) if facts.width * facts.height <= SMALL_PIXELS else None
        except UnreadableError as error:
            raise pictures.refusal(error, "images") from error

    def slowly(self, content: Content) -> Pixels:
        """A picture of any size as the classifier takes it.

        Raises:
            RequestError: a damaged one, too large, or too many are being decoded.
        """
        return self.prepared(content.pixels() if isinstance(content, Given) else pictures.read_upload(content))


def sent_as(content_type: str) -> str:
    """``json``, ``form`` or ``file``.

    Raises:
        RequestError: of a kind that is not known.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return "json"
    if kind == "multipart/form-data":
        return "form"
    if kind.startswith("image/") or kind == "application/octet-stream":
        return "file"
    raise RequestError("web.predict_type", field="content-type", arrived=kind or "–")


def pictures_of_json(body: bytes) -> list[Content]:
    """The pictures of a request in JSON.

    Raises:
        RequestError: too many, or no Base64.
        RequestValidationError: of another form.
    """
    try:
        asked = PredictRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "too_long":
            count = first["ctx"]["actual_length"]
            raise RequestError("web.predict_count", field="images", count=count, most=MOST_PICTURES) from error
        raise RequestValidationError(error.errors()) from error
    return [_decoded(image) if isinstance(image, str) else image for image in asked.images]


def answer_text(classes: tuple[str, ...], probabilities: NDArray[np.float32]) -> bytes:
    """The `PredictAnswer` of probabilities (n, classes), as JSON."""
    names, form = _form_of(classes)
    predictions = []
    for row in probabilities.tolist():
        most = max(row)
        predictions.append(form % (names[row.index(most)], most, *row))
    return f'{{"predictions":[{",".join(predictions)}]}}'.encode()


@lru_cache(maxsize=8)
def _form_of(classes: tuple[str, ...]) -> tuple[list[str], str]:
    """The class names as JSON, and a prediction as a text to fill in: writing JSON anew takes four times as long."""
    names = [json.dumps(name, ensure_ascii=False) for name in classes]
    shares = ",".join(f"{name.replace('%', '%%')}:%.7g" for name in names)
    return names, '{"label":%s,"probability":%.7g,"probabilities":{' + shares + "}}"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("web.predict_base64", field="images") from error
