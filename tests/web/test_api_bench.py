"""The bench's interface: kernels, pictures, uploads, convolution and pooling."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

import convoscope as cs
from convoscope.core.messages import LANGUAGES
from convoscope.web import pictures

CROSS = [[1, -1, 1], [-1, 1, -1], [1, -1, 1]]


def _decoded(answer: dict[str, Any]) -> np.ndarray:
    shape = (answer["channels"], answer["height"], answer["width"])
    return np.frombuffer(base64.b64decode(answer["data"]), np.uint8).reshape(shape)


def _file(size: tuple[int, int], kind: str = "PNG", mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 7).save(buffer, kind)
    return buffer.getvalue()


def test_bench_lists_kernels_and_pictures_in_both_languages(client: httpx.Client) -> None:
    bench = client.get("/api/v1/bench").json()
    assert {"cross", "sharpen", "box-blur"} <= {kernel["spec"] for kernel in bench["kernels"]}
    assert [picture["name"] for picture in bench["pictures"]][:2] == ["cross-5", "cross-10"]
    for entry in [*bench["kernels"], *bench["pictures"]]:
        assert set(entry["names"]) == set(LANGUAGES)
    photographs = [picture for picture in bench["pictures"] if picture["channels"] == 3]
    assert len(photographs) == 2
    assert all("CC BY" in picture["credit"]["en"] for picture in photographs)


def test_messages_come_in_both_languages(client: httpx.Client) -> None:
    messages = client.get("/api/v1/messages").json()
    assert set(messages["en"]) == set(messages["es"])


def test_pictures_of_the_lecture(client: httpx.Client) -> None:
    five = _decoded(client.get("/api/v1/pictures/cross-5").json())
    assert cs.convolve(five[0].astype(int), CROSS).output.tolist() == [[5, -1, -1], [-3, 3, 1], [4, -2, 0]]
    ten = _decoded(client.get("/api/v1/pictures/cross-10").json())
    assert (ten[:, :5, :5] == five).all()


def test_kernel_with_parameters(client: httpx.Client) -> None:
    answer = client.get("/api/v1/kernel", params={"spec": "box-blur:size=5"})
    assert np.array(answer.json()["numbers"]).shape == (5, 5)
    assert client.get("/api/v1/kernel", params={"spec": "sharpn"}).status_code == 400


def test_convolve_answers_with_the_trace(client: httpx.Client) -> None:
    image = [[1, 0, 1, 1, 0], [0, 1, 0, 0, 1], [1, 0, 1, 1, 0], [1, 1, 0, 1, 1], [1, 0, 1, 1, 0]]
    by_numbers = client.post("/api/v1/convolve", json={"image": image, "kernel": CROSS}).json()
    by_name = client.post("/api/v1/convolve", json={"image": image, "kernel": "cross"}).json()
    assert by_numbers["output"] == by_name["output"] == [[5, -1, -1], [-3, 3, 1], [4, -2, 0]]
    sides = {"image": image, "kernel": CROSS, "padding": [[1, 0], [0, 2]], "stride": [1, 2]}
    expected = cs.convolve(image, CROSS, padding=((1, 0), (0, 2)), stride=(1, 2)).to_dict()
    assert client.post("/api/v1/convolve", json=sides).json() == expected


def test_work_is_counted_by_what_is_multiplied(client: httpx.Client) -> None:
    kernel = np.zeros((32, 32, 3, 3), int).tolist()  # 32 filters of 32 channels, 7 million products
    image = np.zeros((32, 28, 28), int).tolist()
    answer = client.post("/api/v1/convolve", json={"image": image, "kernel": kernel})
    assert answer.status_code == 200, answer.text
    assert np.shape(answer.json()["output"]) == (32, 26, 26)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("convolve", {"image": np.zeros((300, 300), int).tolist(), "kernel": np.ones((60, 1, 1, 1), int).tolist()}),
        ("convolve", {"image": [[1] * 4000], "kernel": [[1] * 2000]}),
        ("pool", {"image": [[1] * 5000], "kind": "max", "size": [1, 2500], "stride": 1}),
        ("pool", {"image": [[1]], "kind": "avg", "size": 2, "dilation": 10_000, "padding": 1, "ceil_mode": True}),
    ],
    ids=["outputs", "taps of a kernel", "taps of a pooling", "overhang"],
)
def test_small_requests_for_large_answers_are_refused(client: httpx.Client, path: str, asked: dict[str, Any]) -> None:
    answer = client.post(f"/api/v1/{path}", json=asked)
    assert 400 <= answer.status_code < 500, answer.status_code


def test_pool_answers_with_the_trace(client: httpx.Client) -> None:
    request = {"image": [[5, -1, -1], [-3, 3, 1], [4, -2, 0]], "kind": "max", "size": 3}
    assert client.post("/api/v1/pool", json=request).json()["output"] == [[5]]


@pytest.mark.parametrize(
    ("request_body", "status", "field"),
    [
        ({"image": [[1]], "kernel": CROSS}, 400, "kernel"),
        ({"image": [[1, 2], [3]], "kernel": [[1]]}, 400, "image"),
        ({"image": [[1]], "kernel": []}, 400, "kernel"),
        ({"image": [[1]], "kernel": [[1]], "stride": 0}, 400, "stride"),
        ({"image": [[1]], "kernel": [[1]], "stride": 10**20}, 400, "stride"),
        ({"image": [[1]], "kernel": [[1]], "dilation": [1, 10**20]}, 400, "dilation"),
        ({"image": [[1]], "kernel": [[1]], "padding": -1}, 400, "padding"),
        ({"image": [["x"]], "kernel": [[1]]}, 400, "image"),
        ({"image": [[1]], "kernel": [[1]], "padding": 50_000_000}, 400, "padding"),
        ({"image": [[1]], "kernel": [[1]], "padding": 3000}, 413, "image"),
        ({"kernel": [[1]]}, 422, "image"),
        ({"image": [[1]], "kernel": [[1]], "flip": True}, 422, "flip"),
        ({"image": 3, "kernel": [[1]]}, 422, "image"),
    ],
)
def test_bad_requests_are_told_by_field(client: httpx.Client, request_body: Any, status: int, field: str) -> None:
    for language in LANGUAGES:
        answer = client.post(f"/api/v1/convolve?lang={language}", json=request_body)
        fault = answer.json()
        assert answer.status_code == status, fault
        assert fault["field"] == field
        assert fault["message"].endswith(".")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_uploads_are_decoded(client: httpx.Client, kind: str) -> None:
    answer = client.post("/api/v1/pictures", content=_file((6, 4), kind))
    assert answer.status_code == 200
    assert _decoded(answer.json()).shape[1:] == (4, 6)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 415, "web.upload_type"),
        (b"no picture at all", 415, "web.upload_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "web.upload_type"),
        (_file((8, 8))[:40], 415, "web.upload_type"),
        (_file((4000, 4000), mode="1"), 413, "web.upload_pixels"),
        (b"\0" * (pictures.MOST_UPLOAD_BYTES + 1), 413, "web.upload_too_large"),
    ],
    ids=["empty", "text", "svg", "truncated", "bomb", "large"],
)
def test_rubbish_is_refused(client: httpx.Client, content: bytes, status: int, code: str) -> None:
    answer = client.post("/api/v1/pictures", content=content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["field"] == "file"


def test_only_some_uploads_are_read_at_once(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(pictures, "_places", threading.BoundedSemaphore(1))
    with pictures._places:
        answer = client.post("/api/v1/pictures", content=_file((2, 2)))
    assert (answer.status_code, answer.json()["code"]) == (429, "web.busy")
