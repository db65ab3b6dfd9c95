"""The page's tests: the interface without a browser, and the real page in a headless Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

import convoscope as cs
from convoscope.runs.run import Run
from convoscope.shipping.classifier import Classifier
from convoscope.shipping.export import classifier_of
from convoscope.web.app import create_app

_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-crash-reporter", "--disable-breakpad"]
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Server:
    """The application behind a real socket."""

    address: str


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """Asks the server over the loopback, as the page does."""
    with httpx.Client(base_url=server.address, timeout=120) as asking:
        yield asking


def serve(app: Any, http: Any = "auto") -> Iterator[Server]:
    """Serve `app` by the protocol `http` on a free port until the test session lets go of it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, http=http, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield Server(f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server without a run."""
    yield from serve(create_app(language="en"))


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A LeNet-5 after one epoch on MNIST-5k: enough to look into."""
    return cs.train("mnist-5k", "lenet5", "plain", epochs=1, out=tmp_path_factory.mktemp("runs") / "lenet5")


@pytest.fixture(scope="session")
def classifier(run: Run) -> Classifier:
    """The run as it is shipped."""
    return classifier_of(run, threads=1)


@pytest.fixture(scope="session")
def run_server(run: Run) -> Iterator[Server]:
    """A server with a run."""
    yield from serve(create_app(run, language="en"))


@pytest.fixture
def run_client(run_server: Server) -> Iterator[httpx.Client]:
    """Asks the server with a run."""
    with httpx.Client(base_url=run_server.address, timeout=120) as asking:
        yield asking


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium; where there is none the tests are skipped, but with CI=true they fail."""
    path = os.environ.get("CONVOSCOPE_CHROMIUM") or next(
        (found for name in _NAMES if (found := shutil.which(name))), None
    )
    if path is None:
        reason = (
            "no Chromium here (Debian: apt-get install chromium-headless-shell; or name one in CONVOSCOPE_CHROMIUM)"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Any, server: Server) -> Iterator[Any]:
    """Opens addresses of the server; a fault in the page's scripts, or a request beyond the server, fails the test."""
    faults: list[str] = []
    contexts = []

    def open_at(
        query: str = "", *, width: int = 1280, height: int = 900, address: str | None = None, **options: Any
    ) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: _check_address(request.url, address or server.address, faults))
        page.goto(f"{address or server.address}/?{query}")
        page.wait_for_selector("main section, main .fault")
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert faults == []


class Held:
    """The page's requests for `pattern` wait, in order, until `release` lets the first one of them through."""

    def __init__(self, page: Any, pattern: str) -> None:
        self._page, self._pattern = page, pattern
        self.waiting: list[Any] = []
        page.route(pattern, lambda route: self.waiting.append(route))

    def wait_for(self, count: int) -> None:
        """Until that many wait."""
        while len(self.waiting) < count:
            self._page.wait_for_timeout(20)

    def release(self, at: int = 0) -> None:
        """Let one through, and the page draw what it makes of the answer."""
        with self._page.expect_response(self._pattern) as answer:
            self.waiting.pop(at).continue_()
        answer.value.finished()
        self._page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")


def _check_address(url: str, address: str, faults: list[str]) -> None:
    if not url.startswith((f"{address}/", "data:", "blob:")):
        faults.append(f"asked for {url}")
