"""The serve command: what it refuses, and that it serves."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import httpx
import pytest

from convoscope.cli import run as convoscope


def test_port_in_use_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert convoscope(["serve", "--port", str(port), "--lang", "en"]) == 2
    assert f"Port {port} of 127.0.0.1 can't be used" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--host", "no.such.host.invalid"], ["--host", "a..b"], ["--port", "70000"], ["nowhere"]]
)
def test_wrong_requests_end_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert convoscope(["serve", *arguments]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0.0.0.0", socket.gethostname()], ids=["loopback", "every address", "name"]
)
def test_it_serves(host: str) -> None:
    try:
        socket.getaddrinfo(host, 0)
    except OSError:
        pytest.skip("this computer doesn't know its own name")
    command = [sys.executable, "-m", "convoscope", "serve", "--host", host, "--port", "0", "--json", "--lang", "en"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as server:
        try:
            address = json.loads(server.stdout.readline())["address"]
            assert httpx.get(address, timeout=120).status_code == 200
            assert httpx.get(address, headers={"Host": "evil.example"}, timeout=120).status_code == 421
        finally:
            server.terminate()
