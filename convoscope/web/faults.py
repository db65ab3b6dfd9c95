"""Faults as the page and other programs get them: a status, a code, a sentence in the reader's language, a field."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.web.guard import MOST_BODY_BYTES, TooLargeError

_KEYS = {"missing": "request_missing", "extra_forbidden": "request_unknown"}
_STATUS = {
    "web.upload_type": 415,
    "web.upload_too_large": 413,
    "web.upload_pixels": 413,
    "web.convolve_too_large": 413,
    "web.picture_unknown": 404,
    "web.run_missing": 404,
    "web.busy": 429,
    "web.predict_missing": 404,
    "web.predict_type": 415,
    "web.predict_count": 413,
    "web.predict_full": 503,
    "web.predict_late": 503,
    "web.predict_starting": 503,
    "web.request_too_large": 413,
    "web.fault": 500,
    "shipping.not_expressible": 501,
    "web.busy_view": 429,
    "web.labels_remote": 403,
    "web.lesson_unknown": 404,
    "tours.no_step": 404,
}


class Fault(BaseModel):
    """What every 4xx and 5xx answer holds."""

    code: str = Field(description="The sentence's name in the message catalogue; it stays the same in all languages.")
    message: str = Field(description="What was asked, what arrived and what to do, in the reader's language.")
    field: str | None = Field(description="The part of the request it is about, if it is about one.")


FAULTS: dict[int | str, dict[str, Any]] = {"4XX": {"model": Fault, "description": "The request was wrong."}}
"""For the `responses` of every route."""


def add_handlers(app: FastAPI) -> None:
    """Let every fault of `app` answer with a `Fault`; what should not have happened, `convoscope.web.guard` answers."""

    @app.exception_handler(RequestError)
    async def request_error(_: Request, error: RequestError) -> JSONResponse:
        return answer_to(error)

    @app.exception_handler(RequestValidationError)
    async def form_error(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer_to_form(error)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 405:
            return answer(405, "web.method_unknown", say("web.method_unknown", path=request.url.path))
        if error.status_code == 404:
            return answer(404, "web.not_found", say("web.not_found", path=request.url.path))
        if isinstance(error.__cause__, TooLargeError):  # how FastAPI hands on what reading the body raised
            return _too_large()
        return answer(error.status_code, "web.request_form", say("web.request_form", field="body"), "body")

    @app.exception_handler(TooLargeError)
    async def too_large(_request: Request, _error: TooLargeError) -> JSONResponse:
        return _too_large()


def answer_to(error: RequestError) -> JSONResponse:
    """The answer to a request that can't be met."""
    response = answer(_STATUS.get(error.key, 400), error.key, str(error), error.values.get("field"))
    if response.status_code in (429, 503):
        response.headers["Retry-After"] = "1"
    return response


def answer_to_form(error: RequestValidationError) -> JSONResponse:
    """The answer to a request of another form."""
    first = error.errors()[0]
    key = "web." + _KEYS.get(first["type"], "request_form")
    # A part of the place is "body" or "query"; the rest names the field as it was written.
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path")) or "body"
    return answer(422, key, say(key, field=field), field)


def _too_large() -> JSONResponse:
    return answer(413, "web.request_too_large", say("web.request_too_large", most=MOST_BODY_BYTES >> 20))


def answer(status: int, code: str, message: str, field: str | None = None) -> JSONResponse:
    """A fault as the response it becomes."""
    # A sentence may name a path that is no text.
    text = message.encode("utf-8", "backslashreplace").decode()
    return JSONResponse(Fault(code=code, message=text, field=field).model_dump(), status_code=status)
