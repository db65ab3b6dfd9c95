"""`convoscope serve` as a real process: without PyTorch, with many connections, stopped gracefully, fuzzed."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from convoscope.cli import run as convoscope
from convoscope.runs.run import Run
from convoscope.shipping.export import export

PATH = "/api/v1/predict"
BLANK = {"channels": 1, "height": 28, "width": 28, "data": "AAAA" * 261 + "AA=="}


@pytest.fixture(scope="module")
def file(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(run, tmp_path_factory.mktemp("shipped") / "it.onnx").file


@contextmanager
def served(*arguments: object) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server process, and the process."""
    command = [
        sys.executable,
        "-m",
        "convoscope",
        "serve",
        *map(str, arguments),
        "--port",
        "0",
        "--json",
        "--lang",
        "en",
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["address"], process
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def address(file: Path) -> Iterator[str]:
    with served(file) as (found, _):
        yield found


def test_file_is_served(address: str) -> None:
    assert httpx.get(f"{address}/health", timeout=120).status_code in (200, 503)
    answer = httpx.post(f"{address}{PATH}", json={"images": [BLANK]}, timeout=120)
    assert answer.status_code == 200
    assert httpx.get(f"{address}/health", timeout=120).json() == {"status": "ready"}
    assert httpx.get(f"{address}/api/v1/network", timeout=120).status_code == 404


def test_a_file_needs_no_pytorch(file: Path) -> None:
    code = (
        "import sys, pathlib; from convoscope.shipping.classifier import Classifier; "
        "from convoscope.web.app import create_app; "
        f"create_app(classifier=Classifier.read(pathlib.Path({str(file)!r}))); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x08\x0a\x12"])
def test_what_is_no_classifier_is_refused(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "it.onnx").write_bytes(content)
    assert convoscope(["serve", str(tmp_path / "it.onnx"), "--lang", "en"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1


def test_a_thousand_connections(address: str, tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 1200:
        pytest.skip(f"this system allows only {most} open files")
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"images": [BLANK]}))
    command = [sys.executable, "-m", "benchmarks.load", address, str(body), "--connections=1000", "--seconds=6"]
    seen = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(seen["statuses"]) <= {"200", "429", "503"}, seen
    assert seen["requests"] > 0


def test_stop_answers_what_it_has_begun(file: Path) -> None:
    with served(file) as (address, process):
        httpx.post(f"{address}{PATH}", json={"images": [BLANK]}, timeout=120)
        answers: list[httpx.Response] = []
        body = {"images": [BLANK] * 256}
        asking = threading.Thread(target=lambda: answers.append(httpx.post(f"{address}{PATH}", json=body, timeout=120)))
        asking.start()
        while (
            "convoscope_waiting_pictures 0" in httpx.get(f"{address}/metrics", timeout=120).text and asking.is_alive()
        ):
            pass
        process.send_signal(signal.SIGTERM)
        asking.join()
        assert process.wait(60) in (0, -signal.SIGTERM)
        assert [answer.status_code for answer in answers] == [200]
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_interface_stands_what_its_description_allows(address: str) -> None:
    httpx.post(f"{address}{PATH}", json={"images": [BLANK]}, timeout=120)  # until it is ready
    described = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
    tried = []
    paths = described.include(path_regex=r"/(predict|pictures|kernel|bench|lessons|exercises)")
    for found in paths.get_all_operations():
        operation = found.ok()

        @settings(max_examples=12, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def stands(case: Any) -> None:
            case.call_and_validate(
                checks=[
                    schemathesis.checks.not_a_server_error,
                    schemathesis.checks.response_schema_conformance,
                    schemathesis.checks.content_type_conformance,
                ]
            )

        stands()
        tried.append(operation.label)
    assert f"POST {PATH}" in tried
