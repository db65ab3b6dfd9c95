"""The straight way to a prediction: a small request for one is answered in the protocol itself, without a task.

What an ASGI server does for a request takes longer than a prediction of a small network. So uvicorn's own protocol is
given a second way for the requests that a busy server sees most: a POST for a prediction with a small body, from an
allowed host, that can be met. Everything else goes to the application as before, also all that turns out to be wrong on
the way: the application then finds the same fault and tells it. So both ways give the same answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import Headers, QueryParams
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.web.faults import answer_to
from convoscope.web.guard import Guard, language_of, sealed_headers
from convoscope.web.predict_forms import PATH, Way, answer_text, pictures_of_json, sent_as
from convoscope.web.predicting import Predictor, Probabilities

MOST_STRAIGHT_BYTES = 16384
"""Of a body; no more than a connection holds anyway."""

_KNOWN_HEADS = 64
_switch = TypeAdapter(bool)


def straight(app: FastAPI, language: str, hosts: Iterable[str] | None) -> Any:
    """What `uvicorn.Config` takes as ``http``.

    Args:
        app: the application, as `convoscope.web.app.create_app` makes it.
        language: as there.
        hosts: as there.
    """
    predictor: Predictor | None = app.state.predictor
    if predictor is None:
        return HttpToolsProtocol
    return partial(_Straight, heads=_Heads(Guard(app, language, hosts), language), predictor=predictor)


class _Head(NamedTuple):
    """What the head of a request says."""

    kind: str
    drawn: bool
    invert: bool
    language: str


class _Heads:
    """Reads heads; those seen last are remembered, since clients repeat them."""

    def __init__(self, guard: Guard, language: str) -> None:
        self._guard = guard
        self._language = language
        self.read = lru_cache(_KNOWN_HEADS)(self._read)
        self._given: list[tuple[bytes, bytes]] = []
        self._written = b""

    def dated(self, given: list[tuple[bytes, bytes]]) -> bytes:
        """The headers that uvicorn adds, as they are sent: the date, and so a new list every second."""
        if given is not self._given:
            self._given, self._written = given, b"".join(b"%b: %b\r\n" % pair for pair in given)
        return self._written

    def _read(self, url: bytes, pairs: tuple[tuple[bytes, bytes], ...]) -> _Head | None:
        """The head of a request that may go straight; None for all others."""
        path, _, query = url.partition(b"?")
        headers = Headers(raw=list(pairs))
        length = headers.get("content-length", "")
        if path != PATH.encode() or not length.isdigit() or int(length) > MOST_STRAIGHT_BYTES:
            return None
        if (
            len({name for name, _ in pairs}) < len(pairs)
            or "transfer-encoding" in headers
            or self._guard.fault(headers)
        ):
            return None
        told = QueryParams(query)
        try:
            kind = sent_as(headers.get("content-type", ""))
            drawn, invert = (_switch.validate_python(told.get(name, False)) for name in ("drawn", "invert"))
        except (RequestError, ValidationError):
            return None
        if kind == "form":
            return None
        return _Head(kind, drawn, invert, language_of({"query_string": query}, headers, self._language))


class _Deaf:
    """An event that nobody waits for."""

    def set(self) -> None:
        """Nothing happens."""


class _Cycle:
    """A request that goes straight, in the place where uvicorn keeps the one that it is at."""

    message_event = _Deaf()

    def __init__(self, head: _Head, keep_alive: bool) -> None:
        self.head = head
        self.keep_alive = keep_alive
        self.started = time.perf_counter()
        self.body = b""
        self.response_complete = False
        self.disconnected = False


class _Straight(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, heads: _Heads, predictor: Predictor, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._heads = heads
        self._predictor = predictor
        self._reading: _Cycle | None = None

    def on_headers_complete(self) -> None:
        """Choose the way."""
        idle = self.cycle is None or self.cycle.response_complete
        head = None
        if idle and self.parser.get_method() == b"POST" and self._predictor.ready:
            head = self._heads.read(self.url, tuple(self.headers))
        if head is None or self.expect_100_continue or self.flow.write_paused:
            super().on_headers_complete()
            return
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        self._reading = self.cycle = _Cycle(head, keep_alive)  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """Keep it: most bodies come in one piece."""
        if self._reading is None:
            super().on_body(body)
        else:
            self._reading.body += body

    def on_message_complete(self) -> None:
        """Predict, or let the application say why not."""
        if self._reading is None:
            super().on_message_complete()
            return
        cycle, self._reading = self._reading, None
        try:
            if self._submit(cycle):
                return
        except Exception:  # noqa: S110 - the application meets the same fault, and tells it
            pass
        self.cycle = None  # type: ignore[assignment]
        super().on_headers_complete()
        super().on_body(cycle.body)
        super().on_message_complete()

    def _submit(self, cycle: _Cycle) -> bool:
        """Have its pictures predicted; False where decoding them is work for a thread."""
        classifier, head = self._predictor.ready, cycle.head
        assert classifier is not None  # noqa: S101
        way = Way(classifier.input_shape, head.drawn, head.invert)
        found = []
        for content in pictures_of_json(cycle.body) if head.kind == "json" else [cycle.body]:
            pixels = way.soon(content)
            if pixels is None:
                return False
            found.append(pixels)
        together = found[0][None] if len(found) == 1 else np.stack(found)
        self._predictor.submit(together.transpose(0, 2, 3, 1), partial(self._tell, cycle, classifier.classes))
        return True

    def _tell(self, cycle: _Cycle, classes: tuple[str, ...], found: Probabilities | RequestError) -> None:
        """Send the answer."""
        outcome = found.key if isinstance(found, RequestError) else "done"
        self._predictor.metrics.request(outcome, time.perf_counter() - cycle.started)
        if cycle.disconnected:
            return
        if isinstance(found, RequestError):
            with using_language(cycle.head.language):
                response = answer_to(found)
            head, body = _head(response.status_code, response.raw_headers), bytes(response.body)
        else:
            head, body = _DONE, answer_text(classes, found)
        if not cycle.keep_alive:
            head += b"connection: close\r\n"
        head += self._heads.dated(self.server_state.default_headers)
        self.transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body))
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Status line and headers but for the length, as they are sent."""
    kept = [(name, value) for name, value in sealed_headers(headers) if name != b"content-length"]
    return STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % pair for pair in kept)


_DONE = _head(200, [(b"content-type", b"application/json")])
