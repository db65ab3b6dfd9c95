"""The straight way to a prediction, byte by byte: what a client may do with a connection, and what it gets."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

import convoscope as cs
from convoscope.core.errors import RequestError
from convoscope.shipping.classifier import Classifier
from convoscope.web.app import create_app
from convoscope.web.guard import LOOPBACK
from convoscope.web.predicting import Predictor
from convoscope.web.straight import MOST_STRAIGHT_BYTES, straight
from tests.web.conftest import Server, serve


@pytest.fixture(scope="module")
def straight_server(classifier: Classifier) -> Iterator[Server]:
    app = create_app(classifier=classifier, language="en")
    app.state.predictor.begin()
    yield from serve(app, straight(app, "en", LOOPBACK))


class Line:
    """A connection, and what comes over it."""

    def __init__(self, address: str) -> None:
        place = urlsplit(address)
        self.host = place.netloc
        self.socket = socket.create_connection((place.hostname, place.port), timeout=60)
        self.rest = b""

    def ask(self, content: bytes, *lines: str, kind: str = "application/json", version: str = "1.1") -> bytes:
        """The bytes of a request."""
        head = [f"POST /api/v1/predict HTTP/{version}", f"Host: {self.host}", f"Content-Type: {kind}", *lines]
        return "\r\n".join([*head, f"Content-Length: {len(content)}", "", ""]).encode() + content

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of the next answer."""
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        length = int(headers["content-length"])
        while len(self.rest) < length:
            self._more()
        body, self.rest = self.rest[:length], self.rest[length:]
        return int(first.split()[1]), headers, json.loads(body)

    def ended(self) -> bool:
        """Whether the server has closed it."""
        return not self.rest and self.socket.recv(1) == b""

    def _more(self) -> None:
        data = self.socket.recv(65536)
        assert data, self.rest
        self.rest += data


@pytest.fixture
def line(straight_server: Server) -> Iterator[Line]:
    opened = Line(straight_server.address)
    with opened.socket:
        yield opened


def body_of(*pictures: np.ndarray) -> bytes:
    """Pictures (C, H, W) as JSON."""
    shapes = [dict(zip(("channels", "height", "width"), one.shape, strict=True)) for one in pictures]
    data = [base64.b64encode(one.tobytes()).decode() for one in pictures]
    return json.dumps({"images": [{**s, "data": d} for s, d in zip(shapes, data, strict=True)]}).encode()


def digits(count: int) -> list[np.ndarray]:
    return list(cs.load("mnist-5k").test.images[:count])


def labels(classifier: Classifier, pictures: list[np.ndarray]) -> list[str]:
    found = classifier.probabilities(np.stack(pictures).transpose(0, 2, 3, 1)).argmax(axis=1)
    return [classifier.classes[at] for at in found]


def told(answer: tuple[int, dict[str, str], Any]) -> list[str]:
    assert answer[0] == 200, answer
    return [one["label"] for one in answer[2]["predictions"]]


def test_requests_on_one_connection_are_answered_in_their_order(line: Line, classifier: Classifier) -> None:
    pictures = digits(12)
    wanted = [[label] for label in labels(classifier, pictures)]
    line.socket.sendall(b"".join(line.ask(body_of(one)) for one in pictures))
    assert [told(line.answer()) for _ in pictures] == wanted


def test_ordinary_requests_may_come_between(line: Line, classifier: Classifier) -> None:
    pictures = digits(3)
    large = body_of(*pictures * 20)
    assert len(large) > MOST_STRAIGHT_BYTES
    health = f"GET /health HTTP/1.1\r\nHost: {line.host}\r\n\r\n".encode()
    line.socket.sendall(line.ask(body_of(pictures[0])) + health + line.ask(large) + line.ask(body_of(pictures[1])))
    wanted = labels(classifier, pictures)
    assert told(line.answer()) == wanted[:1]
    assert line.answer()[2] == {"status": "ready"}
    assert told(line.answer()) == wanted * 20
    assert told(line.answer()) == wanted[1:2]


def test_a_request_may_come_in_crumbs(line: Line, classifier: Classifier) -> None:
    (picture,) = digits(1)
    request = line.ask(body_of(picture))
    for at in range(0, len(request), 100):
        line.socket.sendall(request[at : at + 100])
    assert told(line.answer()) == labels(classifier, [picture])


@pytest.mark.parametrize(("lines", "version"), [(("Connection: close",), "1.1"), ((), "1.0")])
def test_a_connection_ends_when_it_is_to(line: Line, lines: tuple[str, ...], version: str) -> None:
    line.socket.sendall(line.ask(body_of(*digits(1)), *lines, version=version))
    assert line.answer()[1]["connection"] == "close"
    assert line.ended()


def test_faults_leave_the_connection_open(line: Line, classifier: Classifier) -> None:
    pictures = digits(1)
    for content, kind, code in [
        (b"{", "application/json", "web.request_form"),
        (b"rubbish", "image/png", "web.upload_type"),
        (b"", "image/png", "web.upload_type"),
        (b"x", "text/plain", "web.predict_type"),
    ]:
        line.socket.sendall(line.ask(content, "Accept-Language: es", kind=kind))
        status, headers, fault = line.answer()
        assert (status // 100, fault["code"]) == (4, code)
        assert headers["x-content-type-options"] == "nosniff"
    line.socket.sendall(line.ask(body_of(*pictures)))
    assert told(line.answer()) == labels(classifier, pictures)


def test_answers_carry_what_all_answers_carry(line: Line) -> None:
    line.socket.sendall(line.ask(body_of(*digits(1))))
    _, straight_on, _ = line.answer()
    line.socket.sendall(line.ask(body_of(*digits(40))))  # too large to go straight
    _, around, _ = line.answer()
    assert straight_on.keys() == around.keys()
    changing = {"content-length", "date"}
    assert {straight_on[name] == around[name] for name in straight_on.keys() - changing} == {True}


def test_who_goes_away_leaves_no_trace(straight_server: Server, line: Line, classifier: Classifier) -> None:
    pictures = digits(1)
    for cut in (30, 300, None):
        gone = Line(straight_server.address)
        gone.socket.sendall(gone.ask(body_of(*pictures))[:cut])
        gone.socket.close()
    line.socket.sendall(line.ask(body_of(*pictures)))
    assert told(line.answer()) == labels(classifier, pictures)


def test_what_fails_while_it_is_computed_is_told_in_the_readers_language(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Predictor, "_computed", lambda *_: (None, 0.001))
    line.socket.sendall(line.ask(body_of(*digits(1)), "Accept-Language: es"))
    status, headers, fault = line.answer()
    assert (status, fault["code"], headers["content-type"]) == (500, "web.fault", "application/json")
    assert fault["message"].startswith("Algo falló")


def test_a_full_server_says_when_to_come_again(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RequestError("web.predict_full")

    monkeypatch.setattr(Predictor, "submit", full)
    line.socket.sendall(line.ask(body_of(*digits(1))))
    status, headers, fault = line.answer()
    assert (status, fault["code"], headers["retry-after"]) == (503, "web.predict_full", "1")
