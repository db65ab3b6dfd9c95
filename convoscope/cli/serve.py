"""``convoscope serve``: the page, on this computer."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convoscope.cli._common import Lang, answer, tell
from convoscope.core.errors import RequestError
from convoscope.core.messages import say

if TYPE_CHECKING:
    from convoscope.runs.run import Run
    from convoscope.web.network import Network


_LAST_PORT = 65535
_WAITING = 128


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("web.help_serve"))
    def serve(
        run: Annotated[
            Path | None, typer.Argument(metavar="[RUN]", help=say("web.help_run"), show_default=False)
        ] = None,
        host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help=say("web.help_host"))] = "127.0.0.1",
        port: Annotated[int, typer.Option("--port", metavar="N", help=say("web.help_port"))] = 8000,
        as_json: Annotated[bool, typer.Option("--json", help=say("web.help_json"))] = False,
        lang: Lang = None,
    ) -> None:
        network = None if run is None else _open(run)
        listener = _listen(host, port)
        address = _address(listener, host)
        if network is None:
            tell(say("web.serve_without_run"))
        answer(as_json, {"address": address}, say("web.serve_ready", address=address))
        _serve(network, host, listener)


def _open(path: Path) -> Run:
    """The run, once it is known that its weights can be read."""
    from convoscope.runs.run import Run

    run = Run(path)
    _ = run.model
    return run


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
    except OSError as error:
        reason = error.strerror or str(error)
        raise RequestError("web.port_taken", field="port", host=host, port=port, reason=reason) from error
    return listener


def _address(listener: socket.socket, host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def _warm(network: Network | None) -> None:
    """Do beforehand, while the reader opens a browser, what would make the first view slow."""
    from convoscope.web import pictures

    pictures.built_in()
    if network is not None:
        network.warm()


def _serve(run: Run | None, host: str, listener: socket.socket) -> None:
    import uvicorn

    from convoscope.web.app import create_app
    from convoscope.web.guard import LOOPBACK

    # On the loopback only its own names are answered; elsewhere any address, but no names that could be rebound.
    app = create_app(run, hosts=LOOPBACK if host in LOOPBACK else None)
    threading.Thread(target=_warm, args=(app.state.network,), daemon=True).start()
    config = uvicorn.Config(app, log_level="warning", server_header=False, ws="none")
    uvicorn.Server(config).run(sockets=[listener])
