"""What stands before every request: who may ask, how much may be sent, in which language to answer.

A page on another site must not reach this server through the reader's browser. So the Host must be a name of ours
(against DNS rebinding), an Origin must be our own (against cross-site requests), and the answers forbid everything
that the page doesn't need.
"""

from __future__ import annotations

import ipaddress
import json
import logging
from collections.abc import Iterable
from urllib.parse import SplitResult, parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from convoscope.core.messages import LANGUAGES, say, using_language

_LOG = logging.getLogger("convoscope.web")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ANY_ADDRESS = "any address"
"""Among the names of a server: every IP address, and localhost. No host can be called so."""
MOST_BODY_BYTES = 12 * 1024 * 1024

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PAIRS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
_NAMES = {name for name, _ in _PAIRS}


class TooLargeError(Exception):
    """More was sent than `MOST_BODY_BYTES`, and the request's head didn't say so."""


class Guard:
    """ASGI middleware: checks Host and Origin, limits what is sent, chooses the language, adds the headers.

    Args:
        app: what answers.
        language: the language for those who ask for none.
        hosts: names this server answers to, `ANY_ADDRESS` among them if that is meant; None means that alone.
    """

    def __init__(self, app: ASGIApp, language: str, hosts: Iterable[str] | None = LOOPBACK) -> None:
        self._app = app
        self._language = language
        self._hosts = frozenset({ANY_ADDRESS} if hosts is None else hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        with using_language(language_of(scope, headers, self._language)):
            fault = self.fault(headers)
            if fault is not None:
                await _refuse(_sealed(send), *fault)
                return
            await self._answered(scope, _limited(receive), _sealed(send))

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer. Its own handler of faults would stand outside: no headers, no language."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            if begun:
                raise
            _LOG.error("%s %s", scope["method"], scope["path"], exc_info=error)
            await _refuse(send, 500, "web.fault", say("web.fault"))

    def fault(self, headers: Headers) -> tuple[int, str, str] | None:
        """Why a request is refused: status, code, sentence; None for one that may pass."""
        host = headers.get("host", "")
        if not self._ours(_name(host)):
            return 421, "web.host_unknown", say("web.host_unknown", host=host or "–")
        origin = headers.get("origin")
        if origin is not None and _parts(origin).netloc != host:
            return 403, "web.origin_unknown", say("web.origin_unknown", origin=origin)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST_BODY_BYTES:
            return 413, "web.request_too_large", say("web.request_too_large", most=MOST_BODY_BYTES >> 20)
        return None

    def _ours(self, name: str) -> bool:
        if name in self._hosts or ANY_ADDRESS not in self._hosts:
            return name in self._hosts
        # An attacker's page comes from a domain of his: a bare address can't be rebound.
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name == "localhost"
        return True


def language_of(scope: Scope, headers: Headers, otherwise: str) -> str:
    """``?lang=``, else the first language of Accept-Language that we speak, else `otherwise`."""
    query: bytes = scope["query_string"]
    asked = parse_qs(query.decode("latin-1")).get("lang", [""])[0]
    if asked in LANGUAGES:
        return asked
    for entry in headers.get("accept-language", "").split(","):
        code = entry.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return otherwise


def _parts(address: str) -> SplitResult:
    """The parts of an address; all of them are empty for what is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _name(host: str) -> str:
    """The name in a Host header, without its port and without the brackets of IPv6."""
    return str(_parts(f"//{host}").hostname or "")


def _limited(receive: Receive) -> Receive:
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > MOST_BODY_BYTES:
            raise TooLargeError
        return message

    return counted


def _sealed(send: Send) -> Send:
    async def sealing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = sealed_headers(message["headers"])
        await send(message)

    return sealing


def sealed_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with those that every answer carries."""
    sealed = [pair for pair in headers if pair[0] not in _NAMES] + _PAIRS
    if not any(name == b"cache-control" for name, _ in sealed):
        sealed.append((b"cache-control", b"no-store"))
    return sealed


async def _refuse(send: Send, status: int, code: str, sentence: str) -> None:
    body = json.dumps({"code": code, "message": sentence, "field": None}, ensure_ascii=False).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
