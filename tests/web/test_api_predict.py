"""The interface for predictions: what the run says, whatever way a picture comes, and a clear answer to all else."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

import convoscope as cs
from convoscope.core.messages import LANGUAGES
from convoscope.runs.run import Run
from convoscope.shipping.classifier import Classifier
from convoscope.web.app import create_app
from convoscope.web.guard import LOOPBACK
from convoscope.web.predict_forms import MOST_PICTURES
from convoscope.web.straight import straight
from tests.web.conftest import Server, serve

PATH = "/api/v1/predict"
FORMATS = ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]


@pytest.fixture(scope="module")
def predict_server(classifier: Classifier) -> Iterator[Server]:
    """A server of the run's classifier alone, as `convoscope serve FILE.onnx` sets it up."""
    app = create_app(classifier=classifier, language="en")
    yield from serve(app, straight(app, "en", LOOPBACK))


@pytest.fixture
def asking(predict_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=predict_server.address, timeout=120) as client:
        yield client


def file_of(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """(H, W) or (H, W, 3) as a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def noise(height: int, width: int, colours: int, seed: int = 0) -> np.ndarray:
    shape = (height, width, colours) if colours > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def expected(run: Run, pixels: np.ndarray) -> list[float]:
    picture = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return list(run.predict(picture)[0].probabilities)


def shares(prediction: dict[str, Any]) -> list[float]:
    return list(prediction["probabilities"].values())


def test_all_ways_lead_to_the_runs_prediction(asking: httpx.Client, run: Run) -> None:
    pictures = [noise(28, 28, 1), noise(28, 28, 3), noise(200, 90, 3), noise(3, 50, 1), noise(300, 299, 3)]
    files = [file_of(pixels) for pixels in pictures]
    answers = [
        asking.post(PATH, json={"images": [base64.b64encode(one).decode() for one in files]}),
        asking.post(PATH, files=[("images", ("x.png", one, "image/png")) for one in files]),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        for prediction, pixels in zip(answer.json()["predictions"], pictures, strict=True):
            np.testing.assert_allclose(shares(prediction), expected(run, pixels), atol=1e-5)
    for one, pixels in zip(files, pictures, strict=True):
        answer = asking.post(PATH, content=one, headers={"Content-Type": "image/png"})
        (prediction,) = answer.json()["predictions"]
        np.testing.assert_allclose(shares(prediction), expected(run, pixels), atol=1e-5)
        assert prediction["label"] == max(prediction["probabilities"], key=prediction["probabilities"].get)
        assert prediction["probability"] == max(shares(prediction))


def test_pixels_may_be_sent_as_they_are(asking: httpx.Client, run: Run) -> None:
    pixels = noise(40, 33, 3)
    data = base64.b64encode(pixels.transpose(2, 0, 1).tobytes()).decode()
    answer = asking.post(PATH, json={"images": [{"channels": 3, "height": 40, "width": 33, "data": data}]})
    np.testing.assert_allclose(shares(answer.json()["predictions"][0]), expected(run, pixels), atol=1e-5)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_kind_of_file(asking: httpx.Client, run: Run, kind: str) -> None:
    content = file_of(noise(60, 40, 1), kind)
    with Image.open(io.BytesIO(content)) as image:
        seen = np.asarray(image.convert("L"))
    answer = asking.post(PATH, content=content, headers={"Content-Type": "application/octet-stream"})
    np.testing.assert_allclose(shares(answer.json()["predictions"][0]), expected(run, seen), atol=1e-2)


def test_both_routes_are_one(classifier: Classifier, asking: httpx.Client) -> None:
    """The application by itself, without the straight way, gives the same answers and the same faults."""
    content = file_of(noise(28, 28, 1))
    bodies: list[dict[str, Any]] = [
        {"content": content, "headers": {"Content-Type": "image/png"}},
        {"content": b"rubbish", "headers": {"Content-Type": "image/png"}},
        {"content": b"{", "headers": {"Content-Type": "application/json"}},
        {"json": {"images": []}},
        {"json": {"images": ["?"]}},
        {"json": {"pictures": ["?"]}},
        {"content": content},
        {"content": content, "headers": {"Content-Type": "image/png"}, "params": {"invert": "maybe"}},
    ]
    for server in serve(create_app(classifier=classifier, language="en")):
        with httpx.Client(base_url=server.address, timeout=120) as other:
            for body in bodies:
                one, two = asking.post(PATH, **body), other.post(PATH, **body)
                assert (one.status_code, one.json()) == (two.status_code, two.json())


def test_drawings_and_dark_ink(asking: httpx.Client, run: Run) -> None:
    test = cs.load("mnist-5k").test
    digit = test.images[0, 0]
    moved = np.zeros_like(digit)
    moved[:22, :22] = digit[4:26, 4:26]
    headers = {"Content-Type": "image/png"}
    (plain,) = asking.post(PATH, content=file_of(digit), headers=headers).json()["predictions"]
    (dark,) = asking.post(f"{PATH}?invert=true", content=file_of(255 - digit), headers=headers).json()["predictions"]
    assert dark == plain
    (drawn,) = asking.post(f"{PATH}?drawn=true", content=file_of(moved), headers=headers).json()["predictions"]
    assert drawn["label"] == plain["label"]


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"content": b"x"}, 415, "web.predict_type"),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "web.predict_type"),
        ({"content": b"", "headers": {"Content-Type": "image/png"}}, 415, "web.upload_type"),
        ({"content": bomb(), "headers": {"Content-Type": "image/png"}}, 413, "web.upload_pixels"),
        ({"json": {"images": ["aaaa"] * 10_000}}, 413, "web.predict_count"),
        ({"json": {"images": ["aaaa"]}}, 415, "web.upload_type"),
        ({"json": {"images": []}}, 422, "web.request_form"),
        ({"json": {"images": ["%"]}}, 400, "web.predict_base64"),
        ({"json": {"images": [{"channels": 1, "height": 9, "width": 9, "data": "AA=="}]}}, 400, "web.picture_bytes"),
        ({"json": {}}, 422, "web.request_missing"),
        ({"json": {"images": ["aaaa"], "more": 1}}, 422, "web.request_unknown"),
        ({"content": b"\xff{", "headers": {"Content-Type": "application/json"}}, 422, "web.request_form"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "web.predict_form"),
        ({"data": {"images": "text"}, "files": {}}, 415, "web.predict_type"),
        ({"files": [("images", ("x.png", b"x", "image/png"))] * (MOST_PICTURES + 9)}, 400, "web.predict_form"),
        ({"files": [("images", ("x.png", b"rubbish", "image/png"))]}, 415, "web.upload_type"),
        ({"content": b"x" * (13 << 20), "headers": {"Content-Type": "image/png"}}, 413, "web.request_too_large"),
        ({"content": iter([b"x" * (13 << 20)]), "headers": {"Content-Type": "image/png"}}, 413, None),
    ],
)
def test_bad_requests(asking: httpx.Client, body: dict[str, Any], status: int, code: str | None) -> None:
    answer = asking.post(PATH, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code or "web.request_too_large"), answer.text
    assert asking.get("/health").json() == {"status": "ready"}


def test_faults_are_told_in_both_languages(asking: httpx.Client) -> None:
    told = {lang: asking.post(f"{PATH}?lang={lang}", content=b"x").json()["message"] for lang in LANGUAGES}
    assert told["en"].startswith("Content-Type")
    assert told["es"].startswith("No se conoce")


def test_foreign_hosts_and_origins_are_refused(asking: httpx.Client) -> None:
    assert asking.post(PATH, content=b"x", headers={"Host": "evil.example"}).status_code == 421
    assert asking.post(PATH, content=b"x", headers={"Origin": "http://evil.example"}).status_code == 403
    assert "content-security-policy" in asking.post(PATH, content=b"x").headers


def test_mutilated_files_get_an_answer(asking: httpx.Client) -> None:
    draw = np.random.default_rng(0)
    for kind in FORMATS:
        whole = file_of(noise(24, 31, 3), kind)
        for _ in range(25):
            broken = bytearray(whole)
            for place in draw.integers(0, len(broken), draw.integers(1, 12)):
                broken[place] = int(draw.integers(256))
            content = bytes(broken[: int(draw.integers(1, len(broken) + 1))] if draw.random() < 0.3 else broken)
            answer = asking.post(PATH, content=content, headers={"Content-Type": "image/png"})
            assert answer.status_code in (200, 413, 415), (kind, answer.text)
    assert asking.get("/health").json() == {"status": "ready"}


def test_many_at_once_each_get_their_own(asking: httpx.Client, run: Run) -> None:
    test = cs.load("mnist-5k").test
    wanted = [run.classes[int(at)] for at in run.logits(test.images[:60]).argmax(dim=1)]

    def label(index: int) -> str:
        content = file_of(test.images[index, 0])
        answer = asking.post(PATH, content=content, headers={"Content-Type": "image/png"})
        return str(answer.json()["predictions"][0]["label"])

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(label, range(60))) == wanted
    told = asking.get("/metrics").text
    assert 'convoscope_requests_total{outcome="done"}' in told
    assert "convoscope_waiting_pictures 0" in told


def test_metrics_are_prometheus_text(asking: httpx.Client) -> None:
    asking.post(PATH, content=file_of(noise(28, 28, 1)), headers={"Content-Type": "image/png"})
    answer = asking.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert float(samples["convoscope_batch_pictures_sum"]) >= 1
    buckets = [float(value) for name, value in samples.items() if name.startswith("convoscope_request_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == float(samples["convoscope_request_seconds_count"])


def test_full_server_says_so(asking: httpx.Client) -> None:
    data = base64.b64encode(bytes(28 * 28)).decode()
    body = {"images": [{"channels": 1, "height": 28, "width": 28, "data": data}] * MOST_PICTURES}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: asking.post(PATH, json=body), range(40)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["code"] == "web.predict_full"
            assert answer.headers["retry-after"] == "1"
        else:
            assert len(answer.json()["predictions"]) == MOST_PICTURES


def test_classifier_is_told(asking: httpx.Client, run: Run) -> None:
    told = asking.get(PATH).json()
    assert (told["classes"], told["model"], told["data"]) == (list(run.classes), "lenet5", "mnist-5k")
    assert (told["channels"], told["height"], told["width"]) == (1, 28, 28)


def test_runs_are_served_too(run_client: httpx.Client, run: Run) -> None:
    pixels = noise(50, 50, 3)
    answer = run_client.post(PATH, content=file_of(pixels), headers={"Content-Type": "image/png"})
    np.testing.assert_allclose(shares(answer.json()["predictions"][0]), expected(run, pixels), atol=1e-5)


def test_without_a_classifier(client: httpx.Client) -> None:
    for answer in (client.get(PATH), client.post(PATH, content=b"x")):
        assert (answer.status_code, answer.json()["code"]) == (404, "web.predict_missing")
    assert client.get("/health").json() == {"status": "ready"}
    assert client.get("/metrics").text == ""


def test_bodies_are_limited_together(predict_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convoscope.web.api_predict.MOST_HELD_BYTES", 1000)
    with httpx.Client(base_url=predict_server.address, timeout=120) as client:
        answer = client.post(PATH, content=b"x" * 2000, headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (503, "web.predict_full")
