"""``convoscope serve``: the page and the interface for predictions, on this computer."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from convoscope.cli._common import Lang, answer, tell
from convoscope.core.errors import RequestError
from convoscope.core.messages import language, say

if TYPE_CHECKING:
    from fastapi import FastAPI

    from convoscope.runs.run import Run
    from convoscope.shipping.classifier import Classifier
    from convoscope.web.touring import OpenTour


_LAST_PORT = 65535
_WAITING = 2048
_MOST_OPEN_FILES = 65536
_SECONDS_TO_FINISH = 10


def _option(name: str, key: str, place: str) -> Any:
    return typer.Option(name, metavar=place, help=say(f"web.help_{key}"), show_default=False)


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("web.help_serve"))
    def serve(
        run: Annotated[
            Path | None, typer.Argument(metavar="[RUN|FILE.onnx]", help=say("web.help_run"), show_default=False)
        ] = None,
        host: Annotated[str, _option("--host", "host", "ADDRESS")] = "127.0.0.1",
        port: Annotated[int, _option("--port", "port", "N")] = 8000,
        lesson: Annotated[str | None, _option("--lesson", "lesson", "FILE|NAME")] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("web.help_json"))] = False,
        lang: Lang = None,
    ) -> None:
        network, classifier = _open(run)
        tour = _open_lesson(lesson)
        listener = _listen(host, port)
        address = _address(listener, host)
        if run is None:
            tell(say("web.serve_without_run"))
        if classifier is not None:
            tell(say("web.serve_file"))
        value = {"address": address}
        if tour is not None:
            value["lesson"] = f"{address}/?level=lesson&lesson={quote(tour.file.name)}"
        answer(as_json, value, say("web.serve_ready", address=value.get("lesson", address)))
        _serve(network, classifier, tour, host, listener)


def _open(path: Path | None) -> tuple[Run | None, Classifier | None]:
    """The run of a folder, once it is known that its weights can be read; or the classifier in a file."""
    if path is None:
        return None, None
    if path.is_file():
        from convoscope.shipping.classifier import Classifier

        return None, Classifier.read(path)
    from convoscope.runs.run import Run

    run = Run(path)
    _ = run.model
    return run, None


def _open_lesson(asked: str | None) -> OpenTour | None:
    """The lesson, once it is known that all that its steps name is there."""
    if asked is None:
        return None
    from convoscope.lessons.tour_file import find
    from convoscope.web.touring import OpenTour

    tour = OpenTour(find(asked))
    tour.check()
    return tour


def _listen(host: str, port: int) -> socket.socket:
    """A socket that holds the port, so that a port in use is told before anything is said to be open.

    Raises:
        RequestError: the address or the port can't be had.
    """
    if not 0 <= port <= _LAST_PORT:
        raise RequestError("web.port_range", field="port", port=port, last=_LAST_PORT)
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(socket.socket(family))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            # From here on browsers may come; they wait until the server is up.
            listener.listen(_WAITING)
            undo.pop_all()
    except (OSError, UnicodeError) as error:  # the second for a name that no domain can have, as a..b
        reason = getattr(error, "strerror", None) or str(error)
        raise RequestError("web.port_taken", field="port", host=host, port=port, reason=reason) from error
    return listener


def _address(listener: socket.socket, host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def _warm(app: FastAPI) -> None:
    """Do beforehand, while the reader opens a browser, what would make the first view slow."""
    import gc

    from convoscope.web import pictures

    pictures.built_in()
    if app.state.network is not None:
        app.state.network.warm()
    if app.state.predictor is not None:
        app.state.predictor.begin()
    # What is there now stays: the collector needn't look through it again and again while requests wait.
    gc.freeze()


def _allow_many_connections() -> None:
    """Each connection is an open file, and systems allow few of them unless they are asked."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_OPEN_FILES if most == resource.RLIM_INFINITY else min(most, _MOST_OPEN_FILES)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _serve(
    run: Run | None, classifier: Classifier | None, lesson: OpenTour | None, host: str, listener: socket.socket
) -> None:
    import uvicorn

    from convoscope.web.app import create_app
    from convoscope.web.guard import ANY_ADDRESS, LOOPBACK
    from convoscope.web.straight import straight

    _allow_many_connections()
    # On the loopback only its own names are answered; elsewhere any address, and of names, which could be rebound, only
    # the one that was given.
    hosts = LOOPBACK if host in LOOPBACK else {ANY_ADDRESS, host.lower()}
    app = create_app(run, classifier=classifier, lesson=lesson, hosts=hosts)
    threading.Thread(target=_warm, args=(app,), daemon=True).start()
    config = uvicorn.Config(
        app,
        http=straight(app, language(), hosts),
        proxy_headers=False,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        backlog=_WAITING,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )
    uvicorn.Server(config).run(sockets=[listener])
