"""The interface of the served classifier: predictions of pictures, its health and its figures."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import JSONResponse, PlainTextResponse

from convoscope.core.errors import RequestError
from convoscope.data.decode import UnreadableError, decode, examine, fit
from convoscope.data.types import Pixels
from convoscope.web import pictures
from convoscope.web.faults import FAULTS, Fault
from convoscope.web.guard import MOST_BODY_BYTES
from convoscope.web.metrics import MEDIA_TYPE
from convoscope.web.network_forms import Given
from convoscope.web.predicting import Predictor
from convoscope.web.seeing import steps_of_drawing

MOST_PICTURES = 256
PATH = "/api/v1/predict"

_SMALL_PIXELS = 128 * 128
"""A picture of no more pixels is decoded in the event loop: handing it to a thread would take longer."""

_UNAVAILABLE: dict[int | str, dict[str, Any]] = {
    "5XX": {"model": Fault, "description": "The server is full, starting or late: try again after Retry-After."}
}

router = APIRouter(prefix="/api/v1", responses=FAULTS)
plain = APIRouter(include_in_schema=False)


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


class ClassifierAnswer(BaseModel):
    """The classifier that is served."""

    classes: list[str]
    channels: int
    height: int
    width: int
    model: str
    data: str
    precision: str
    test_error: float | None = Field(description="A share; null where it was not certified.")
    most_pictures: int


_BODY = {
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
_BODY["content"]["application/json"]["schema"].pop("$defs")  # type: ignore[index]


class _InMemory(MultiPartParser):
    """Keeps what is sent in memory: a guard has limited it already, and nothing is to touch the disk."""

    spool_max_size = MOST_BODY_BYTES


@router.get("/predict", responses=_UNAVAILABLE)
async def classifier(request: Request) -> ClassifierAnswer:
    """The classifier that is served."""
    served = await _predictor(request).classifier()
    told, (channels, height, width) = served.metadata, served.input_shape
    return ClassifierAnswer(
        classes=list(served.classes),
        channels=channels,
        height=height,
        width=width,
        model=str(told.get("model", "")),
        data=str(told.get("data", "")),
        precision=str(told.get("precision", "")),
        test_error=told.get("test_error"),
        most_pictures=MOST_PICTURES,
    )


@router.post(
    "/predict",
    openapi_extra={"requestBody": _BODY},
    response_model=PredictAnswer,
    responses=_UNAVAILABLE,
)
async def predict(
    request: Request,
    drawn: Annotated[
        bool, Query(description="Drawings in white on black: centre them as MNIST's authors did.")
    ] = False,
    invert: Annotated[bool, Query(description="Swap light and dark first.")] = False,
) -> Response:
    """Predict one picture or many: as JSON, as a form, or one picture file as the body itself.

    Pictures of any size are made what the network takes. Those of requests that arrive together are computed together.
    """
    predictor = _predictor(request)
    with predictor.metrics.timed():
        return await _predicted(request, predictor, drawn=drawn, invert=invert)


async def _predicted(request: Request, predictor: Predictor, *, drawn: bool, invert: bool) -> Response:
    served = await predictor.classifier()
    contents = await _contents(request)
    if not contents:
        raise RequestError("web.predict_none", field="images")
    if len(contents) > MOST_PICTURES:
        raise RequestError("web.predict_count", field="images", count=len(contents), most=MOST_PICTURES)
    channels, height, width = served.input_shape
    prepare = partial(_prepared, channels=channels, size=(height, width), drawn=drawn, invert=invert)
    found = await predictor.predict([await _pixels(content, prepare) for content in contents])
    classes = served.classes
    best = found.argmax(axis=1).tolist()
    predictions = [
        {"label": classes[at], "probability": row[at], "probabilities": dict(zip(classes, row, strict=True))}
        for row, at in zip(found.tolist(), best, strict=True)
    ]
    body = json.dumps({"predictions": predictions}, ensure_ascii=False, separators=(",", ":"))
    return Response(body, media_type="application/json")


@plain.get("/health")
def health(request: Request) -> Response:
    """Whether predictions can be asked for: 200 once they can; also where no classifier is served."""
    predictor: Predictor | None = request.app.state.predictor
    state = "ready" if predictor is None else predictor.state
    return JSONResponse({"status": state}, status_code=200 if state == "ready" else 503)


@plain.get("/metrics")
def metrics(request: Request) -> Response:
    """The figures, for Prometheus."""
    predictor: Predictor | None = request.app.state.predictor
    return PlainTextResponse("" if predictor is None else predictor.metrics.text(), media_type=MEDIA_TYPE)


def _predictor(request: Request) -> Predictor:
    """What predicts.

    Raises:
        RequestError: nothing does.
    """
    found: Predictor | None = request.app.state.predictor
    if found is None:
        raise RequestError("web.predict_missing")
    return found


async def _contents(request: Request) -> list[bytes | Given]:
    """The pictures of a request, as they were sent.

    Raises:
        RequestError: of a kind that is not known.
        RequestValidationError: JSON of another form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            asked = PredictRequest.model_validate_json(await request.body())
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] == "too_long":
                raise RequestError(
                    "web.predict_count", field="images", count=first["ctx"]["actual_length"], most=MOST_PICTURES
                ) from error
            raise RequestValidationError(error.errors()) from error
        return [_decoded(image) if isinstance(image, str) else image for image in asked.images]
    if kind == "multipart/form-data":
        return await _form(request)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return [await request.body()]
    raise RequestError("web.predict_type", field="content-type", arrived=kind or "–")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("web.predict_base64", field="images") from error


async def _form(request: Request) -> list[bytes | Given]:
    parser = _InMemory(request.headers, request.stream(), max_files=MOST_PICTURES + 1, max_fields=8)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise RequestError("web.predict_form", field="body", most=MOST_PICTURES) from error
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    contents: list[bytes | Given] = [await file.read() for file in files]
    await form.close()
    return contents


async def _pixels(content: bytes | Given, prepare: Callable[[Pixels], Pixels]) -> Pixels:
    """One picture (C, H, W) as the network takes it.

    Raises:
        RequestError: no picture, a damaged one, too large, or too many are being decoded.
    """
    if isinstance(content, Given):
        return await _here_or_there(content.height * content.width, lambda: prepare(content.pixels()))
    try:
        facts = examine(io.BytesIO(content))
        if facts.width * facts.height <= _SMALL_PIXELS:
            return prepare(decode(content))
    except UnreadableError as error:
        raise pictures.refusal(error, "images") from error
    return await run_in_threadpool(lambda: prepare(pictures.read_upload(content)))


async def _here_or_there(size: int, work: Callable[[], Pixels]) -> Pixels:
    return work() if size <= _SMALL_PIXELS else await run_in_threadpool(work)


def _prepared(pixels: Pixels, *, channels: int, size: tuple[int, int], drawn: bool, invert: bool) -> Pixels:
    if invert:
        pixels = 255 - pixels
    if drawn:
        return steps_of_drawing(pixels[:1], channels=channels, size=size)[-1].pixels
    return fit(pixels, channels=channels, size=size)
