"""A client that asks a server as fast as it answers, or at a steady rate, over connections that stay open.

It does as little as it can: the request is the same bytes each time, and of an answer only the status and the length
are read. It runs in a process of its own, so that a core can be given to it.

    python -m benchmarks.load http://127.0.0.1:8000 BODY.json --connections 32 --seconds 5
    python -m benchmarks.load http://127.0.0.1:8000 BODY.json --rate 200 --seconds 10
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import uvloop

PATH = "/api/v1/predict"


class Caller(asyncio.Protocol):
    """One connection; after each answer it asks `owner` what to do next."""

    def __init__(self, owner: Load) -> None:
        self.owner = owner
        self.transport: Any = None
        self.buffer = b""
        self.asked = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.owner.free(self)

    def ask(self, since: float | None = None) -> None:
        """Send the request; its time counts from `since`, when it should have been sent."""
        self.asked = time.perf_counter() if since is None else since
        self.transport.write(self.owner.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) < length:
            return
        self.buffer = body[length:]
        self.owner.answered(self, int(head[9:12]), time.perf_counter() - self.asked)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.owner.over:
            self.owner.statuses["lost"] += 1


class Load:
    """All connections of one run, and what they saw."""

    def __init__(self, request: bytes, rate: float | None) -> None:
        self.request, self.rate = request, rate
        self.seconds: list[float] = []
        self.statuses: Counter[int | str] = Counter()
        self.over = False
        self._idle: list[Caller] = []
        self._due: list[float] = []

    def free(self, caller: Caller) -> None:
        """A connection has nothing to do."""
        if self.over:
            return
        if self.rate is None:
            caller.ask()
        elif self._due:
            caller.ask(self._due.pop(0))
        else:
            self._idle.append(caller)

    def answered(self, caller: Caller, status: int, seconds: float) -> None:
        """An answer has arrived."""
        self.statuses[status] += 1
        self.seconds.append(seconds)
        self.free(caller)

    async def pace(self, duration: float) -> None:
        """Let requests fall due at the rate; one that finds no idle connection waits, and its waiting counts."""
        started, sent = time.perf_counter(), 0
        assert self.rate is not None
        while sent < self.rate * duration:
            due = started + sent / self.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if self._idle:
                self._idle.pop().ask(due)
            else:
                self._due.append(due)
            sent += 1


async def run(
    address: str, body: bytes, kind: str, connections: int, seconds: float, rate: float | None
) -> dict[str, Any]:
    """Ask for `seconds`; requests/s, milliseconds and statuses."""
    place = urlsplit(address)
    head = f"POST {PATH} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: {kind}\r\n"
    load = Load(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body, rate)
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(connections):
        try:
            callers.append(await loop.create_connection(lambda: Caller(load), place.hostname, place.port))
        except OSError as error:
            load.statuses[type(error).__name__] += 1
    started = time.perf_counter()
    await (asyncio.sleep(seconds) if rate is None else load.pace(seconds))
    await asyncio.sleep(0 if rate is None else 0.2)
    taken = time.perf_counter() - started
    load.over = True
    for transport, _ in callers:
        transport.abort()
    await asyncio.sleep(0.1)
    count = len(load.seconds)
    milliseconds = 1000 * np.array(load.seconds or [0.0])
    found = {f"milliseconds_p{share}": round(float(np.percentile(milliseconds, share)), 3) for share in (50, 95, 99)}
    return {
        "requests": count,
        "requests_per_second": round(count / taken, 1),
        **found,
        "statuses": {str(status): number for status, number in load.statuses.items()},
    }


def main() -> None:
    """Print what was seen as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("body", type=Path)
    parser.add_argument("--kind", default="application/json", help="Content-Type of the body")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float)
    asked = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    body = asked.body.read_bytes()
    found = uvloop.run(run(asked.address, body, asked.kind, asked.connections, asked.seconds, asked.rate))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
