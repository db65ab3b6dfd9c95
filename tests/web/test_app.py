"""The server: who is answered, with which headers, and in which language."""

from __future__ import annotations

import contextlib
import re

import httpx
import pytest

from convoscope.core.messages import catalogue
from convoscope.web.app import create_app
from convoscope.web.assets import assets
from convoscope.web.guard import ANY_ADDRESS, MOST_BODY_BYTES
from tests.web.conftest import serve


def test_page_names_every_module_and_runs_nothing_inline(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page.text)
    assert scripts == [(' type="module" src="/static/page.js"', "")]
    for name in assets():
        assert not name.endswith(".js") or f'href="/static/{name}"' in page.text
    assert "style=" not in page.text


@pytest.mark.parametrize(
    ("accept", "language"), [("es-MX,es;q=0.9", "es"), ("de, en;q=0.5", "en"), ("de", "en"), ("", "en")]
)
def test_page_speaks_the_readers_language(client: httpx.Client, accept: str, language: str) -> None:
    assert f'<html lang="{language}">' in client.get("/", headers={"Accept-Language": accept}).text


def test_language_can_be_asked_for(client: httpx.Client) -> None:
    answer = client.get("/api/v1/pictures/nothing?lang=es", headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert answer.json()["message"].startswith("No existe la imagen 'nothing'")


def test_every_answer_is_sealed(client: httpx.Client) -> None:
    for path in ("/", "/static/page.js", "/api/v1/bench", "/nowhere"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_fault_of_ours_is_told_in_the_readers_language_and_sealed(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(language="en")

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("for the log alone")

    with contextlib.contextmanager(serve)(app) as served:
        answer = httpx.get(f"{served.address}/broken?lang=es")
    assert answer.status_code == 500
    assert answer.json() == {"code": "web.fault", "message": catalogue("web")["fault"]["es"], "field": None}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "for the log alone" in caplog.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "192.168.0.7"])
def test_other_hosts_are_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["code"] == "web.host_unknown"


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:9", "[::1]:8000"])
def test_loopback_names_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_any_address_may_be_asked_for_but_no_name() -> None:
    with contextlib.contextmanager(serve)(create_app(hosts=None)) as anywhere:
        for host, status in (("192.168.0.7:8000", 200), ("localhost", 200), ("evil.example", 421)):
            assert httpx.get(anywhere.address, headers={"Host": host}).status_code == status


def test_beside_any_address_a_name_may_be_asked_for() -> None:
    with contextlib.contextmanager(serve)(create_app(hosts={ANY_ADDRESS, "school.example"})) as anywhere:
        for host, status in (
            *(("School.example:8000", 200), ("192.168.0.7:8000", 200), ("localhost", 200)),
            *(("evil.example", 421), ("x.school.example", 421)),
        ):
            assert httpx.get(anywhere.address, headers={"Host": host}).status_code == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://["])
def test_other_origins_are_refused(client: httpx.Client, origin: str) -> None:
    answer = client.post("/api/v1/convolve", json={}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json()["code"] == "web.origin_unknown"


def test_own_origin_is_answered(client: httpx.Client) -> None:
    assert client.get("/api/v1/bench", headers={"Origin": str(client.base_url).rstrip("/")}).status_code == 200


def test_large_requests_are_refused_by_their_head_and_by_their_body(client: httpx.Client) -> None:
    large = b"x" * (MOST_BODY_BYTES + 1)
    for content in (large, iter([large])):
        answer = client.post("/api/v1/convolve", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert answer.json()["code"] == "web.request_too_large"


def test_unknown_paths_and_methods_answer_with_a_sentence(client: httpx.Client) -> None:
    assert client.get("/nowhere").json()["code"] == "web.not_found"
    assert client.get("/static/..%2Fapp.py").status_code == 404
    assert client.get("/static/index.html").status_code == 404
    assert client.post("/api/v1/bench").json()["code"] == "web.method_unknown"


def test_files_are_only_sent_again_when_they_changed(client: httpx.Client) -> None:
    first = client.get("/static/style.css")
    again = client.get("/static/style.css", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_page_weighs_less_than_its_limit(client: httpx.Client) -> None:
    weight = len(client.get("/").content) + sum(len(asset.text.encode()) for asset in assets().values())
    weight += len(client.get("/api/v1/messages").content) + len(client.get("/api/v1/bench").content)
    assert weight < 400_000


def test_interface_is_described(client: httpx.Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.")
    for path, methods in schema["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in methods.values():
            assert operation["description"]
            assert "4XX" in operation["responses"]
