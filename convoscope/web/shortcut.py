"""The short way to a prediction, past the routing that all other requests need."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.types import Receive, Scope, Send

from convoscope.core.errors import RequestError
from convoscope.web.api_predict import PATH, predict
from convoscope.web.faults import answer_to, answer_to_form, our_fault
from convoscope.web.guard import MOST_BODY_BYTES, Guard, TooLargeError

MOST_HELD_BYTES = 256 << 20
"""Of all requests that are being read, together."""


class Shortcut:
    """ASGI application around the whole one: predictions go straight to the work, all else to `app`.

    The route `predict` answers both ways; what FastAPI does before and after it takes longer than a prediction.

    Args:
        app: the application, as `convoscope.web.app.create_app` makes it.
        language: as there.
        hosts: as there.
    """

    def __init__(self, app: FastAPI, language: str, hosts: Iterable[str] | None) -> None:
        self._app = app
        self._held = 0
        self._guarded = Guard(self._predicted, language, hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        straight = scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST"
        await (self._guarded if straight and self._app.state.predictor else self._app)(scope, receive, send)

    async def _predicted(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self._app
        request = Request(scope, receive)
        # What one request may hold is limited by the guard; what all of them may hold together, here.
        size = int(request.headers.get("content-length", MOST_BODY_BYTES))
        if self._held + size > MOST_HELD_BYTES:
            await answer_to(RequestError("web.predict_full"))(scope, receive, send)
            return
        self._held += size
        try:
            response = await _answered(request)
        finally:
            self._held -= size
        await response(scope, receive, send)


_switches = TypeAdapter(bool)


async def _answered(request: Request) -> Response:
    """What `predict` answers, faults included."""
    try:
        return await predict(request, drawn=_switch(request, "drawn"), invert=_switch(request, "invert"))
    except RequestError as error:
        return answer_to(error)
    except RequestValidationError as error:
        return answer_to_form(error)
    except TooLargeError:
        return answer_to(RequestError("web.request_too_large", most=MOST_BODY_BYTES >> 20))
    except Exception as error:
        return our_fault(request, error)


def _switch(request: Request, name: str) -> bool:
    if not request.scope["query_string"]:
        return False
    try:
        return _switches.validate_python(request.query_params.get(name, False))
    except ValidationError as error:
        raise RequestValidationError([{**error.errors()[0], "loc": ("query", name)}]) from error
