"""The interface of the served classifier: predictions of pictures, its health and its figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import JSONResponse, PlainTextResponse

from convoscope.core.errors import RequestError
from convoscope.data.types import Pixels
from convoscope.web.faults import FAULTS, Fault
from convoscope.web.guard import MOST_BODY_BYTES
from convoscope.web.metrics import MEDIA_TYPE
from convoscope.web.predict_forms import (
    BODY,
    MOST_PICTURES,
    Content,
    PredictAnswer,
    Way,
    answer_text,
    pictures_of_json,
    sent_as,
)
from convoscope.web.predicting import Predictor

MOST_HELD_BYTES = 256 << 20
"""Of all requests that are being read, together."""

_UNAVAILABLE: dict[int | str, dict[str, Any]] = {
    "5XX": {"model": Fault, "description": "The server is full, starting or late: try again after Retry-After."}
}

router = APIRouter(prefix="/api/v1", responses=FAULTS)
plain = APIRouter(include_in_schema=False)


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
    openapi_extra={"requestBody": BODY},
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
    with _held(request, predictor):
        contents = await _contents(request)
        if not contents:
            raise RequestError("web.predict_none", field="images")
        if len(contents) > MOST_PICTURES:
            raise RequestError("web.predict_count", field="images", count=len(contents), most=MOST_PICTURES)
        way = Way(served.input_shape, drawn, invert)
        found = await predictor.predict([await _pixels(content, way) for content in contents])
    return Response(answer_text(served.classes, found), media_type="application/json")


@contextmanager
def _held(request: Request, predictor: Predictor) -> Iterator[None]:
    """What one request may hold is limited by the guard; what all of them may hold together, here.

    Raises:
        RequestError: too much is being read.
    """
    size = int(request.headers.get("content-length", MOST_BODY_BYTES))
    if predictor.held + size > MOST_HELD_BYTES:
        raise RequestError("web.predict_full")
    predictor.held += size
    try:
        yield
    finally:
        predictor.held -= size


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


async def _contents(request: Request) -> list[Content]:
    """The pictures of a request, as they were sent.

    Raises:
        RequestError: of a kind that is not known.
        RequestValidationError: JSON of another form.
    """
    kind = sent_as(request.headers.get("content-type", ""))
    if kind == "form":
        return await _form(request)
    body = await request.body()
    return pictures_of_json(body) if kind == "json" else [body]


async def _form(request: Request) -> list[Content]:
    parser = _InMemory(request.headers, request.stream(), max_files=MOST_PICTURES + 1, max_fields=8)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise RequestError("web.predict_form", field="body", most=MOST_PICTURES) from error
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    contents: list[Content] = [await file.read() for file in files]
    await form.close()
    return contents


async def _pixels(content: Content, way: Way) -> Pixels:
    """One picture (C, H, W) as the network takes it.

    Raises:
        RequestError: no picture, a damaged one, too large, or too many are being decoded.
    """
    pixels = way.soon(content)
    return await run_in_threadpool(way.slowly, content) if pixels is None else pixels
