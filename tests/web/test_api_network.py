"""The network level's interface: every number is the run's own."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from convoscope.core.messages import LANGUAGES
from convoscope.runs.run import Run

PATH = "/api/v1/network"


def _given(pixels: np.ndarray) -> dict[str, Any]:
    channels, height, width = pixels.shape
    data = base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
    return {"channels": channels, "height": height, "width": width, "data": data}


def _numbers(answer: dict[str, Any]) -> np.ndarray:
    kind = np.uint8 if answer["encoding"] == "uint8" else np.dtype("<f4")
    shape = (answer["channels"], answer["height"], answer["width"])
    return np.frombuffer(base64.b64decode(answer["data"]), kind).reshape(shape)


@pytest.fixture
def picture(run_client: httpx.Client) -> np.ndarray:
    return _numbers(run_client.get(f"{PATH}/samples", params={"start": 3, "count": 1}).json()[0]["picture"])


def test_network_tells_its_layers(run_client: httpx.Client, run: Run) -> None:
    told = run_client.get(PATH).json()
    assert told["classes"] == list(run.classes)
    assert told["parameters"] == sum(parameter.numel() for parameter in run.model.parameters())
    assert told["samples"] == 1000
    first = told["layers"][0]
    assert first["has_filters"]
    assert first["receptive_field"] == [5, 5]


def test_samples_take_turns_among_the_classes(run_client: httpx.Client) -> None:
    samples = run_client.get(f"{PATH}/samples", params={"count": 20}).json()
    assert [sample["label"] for sample in samples] == [str(digit) for digit in range(10)] * 2
    assert [sample["position"] for sample in samples] == list(range(20))
    assert run_client.get(f"{PATH}/samples", params={"start": 5000}).json() == []


def test_look_predicts_what_the_run_predicts(run_client: httpx.Client, run: Run, picture: np.ndarray) -> None:
    look = run_client.post(f"{PATH}/look", json={"picture": _given(picture)}).json()
    shares = [entry["probability"] for entry in look["probabilities"]]
    np.testing.assert_allclose(shares, run.predict(picture)[0].probabilities, rtol=1e-6)
    scaling = run.preprocessing.scaling
    expected = (picture / 255 - scaling.mean[0]) / scaling.std[0]
    np.testing.assert_allclose(_numbers(look["inputs"]), expected, rtol=1e-5, atol=1e-6)


def test_every_unit_is_pytorchs(run_client: httpx.Client, picture: np.ndarray) -> None:
    draw = np.random.default_rng(0)
    for layer in run_client.get(PATH).json()["layers"]:
        request = {"picture": _given(picture), "layer": layer["name"]}
        maps = _numbers(run_client.post(f"{PATH}/maps", json=request).json()["maps"])
        place = [int(draw.integers(length)) for length in layer["output_shape"]]
        trace = run_client.post(f"{PATH}/unit", json=request | {"place": place}).json()
        assert trace["same"], layer["name"]
        shown = maps[tuple(place)] if len(place) == 3 else maps.ravel()[place[0]]
        assert trace["pytorch"] == pytest.approx(float(shown), rel=1e-5, abs=1e-6)


def test_filters_are_the_weights(run_client: httpx.Client, run: Run, picture: np.ndarray) -> None:
    layer = next(one for one in run_client.get(PATH).json()["layers"] if one["has_filters"])
    answer = run_client.post(f"{PATH}/maps", json={"picture": _given(picture), "layer": layer["name"]}).json()
    weights = run.model.get_submodule(layer["name"]).weight.detach().numpy()
    assert answer["filter_channels"] == weights.shape[1]
    np.testing.assert_array_equal(_numbers(answer["filters"]), weights.reshape(-1, *weights.shape[2:]))


def test_uploads_are_seen_as_the_run_sees_them(run_client: httpx.Client, run: Run) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    seen = run_client.post(f"{PATH}/see/upload", content=buffer.getvalue()).json()
    assert [step["name"] for step in seen["steps"]] == ["given", "cut", "resize", "grey"]
    shares = [entry["probability"] for entry in seen["probabilities"]]
    np.testing.assert_allclose(shares, run.predict(pixels.transpose(2, 0, 1))[0].probabilities, rtol=1e-6)


def test_drawings_are_centred(run_client: httpx.Client) -> None:
    drawn = np.zeros((1, 28, 28), dtype=np.uint8)
    drawn[0, 2:14, 3:9] = 255
    seen = run_client.post(f"{PATH}/see", json={"picture": _given(drawn), "drawn": True}).json()
    assert [step["name"] for step in seen["steps"]] == ["given", "box", "shrink", "centre"]
    assert _numbers(seen["steps"][2]["picture"]).shape == (1, 20, 10)
    last = _numbers(seen["steps"][3]["picture"])[0].astype(float)
    for axis in (0, 1):
        centre = (last.sum(axis=1 - axis) * np.arange(28)).sum() / last.sum()
        assert centre == pytest.approx(13.5, abs=0.5)


def test_a_drawing_in_black_on_white_is_inverted_first(run_client: httpx.Client) -> None:
    drawn = np.zeros((1, 28, 28), dtype=np.uint8)
    drawn[0, 2:14, 3:9] = 255
    white, black = (
        run_client.post(f"{PATH}/see", json={"picture": _given(pixels), "drawn": True, "invert": invert}).json()
        for pixels, invert in ((drawn, False), (255 - drawn, True))
    )
    assert [step["name"] for step in black["steps"]] == ["given", "invert", "box", "shrink", "centre"]
    assert black["steps"][1:] != white["steps"]
    assert black["steps"][2:] == white["steps"][1:]
    assert black["probabilities"] == white["probabilities"]


def test_empty_drawing_is_allowed(run_client: httpx.Client) -> None:
    seen = run_client.post(f"{PATH}/see", json={"picture": _given(np.zeros((1, 28, 28), np.uint8)), "drawn": True})
    assert seen.status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("look", {"picture": _given(np.zeros((1, 9, 9), np.uint8))}, 400, "web.picture_shape"),
        ("look", {"picture": _given(np.zeros((1, 28, 28), np.uint8)) | {"data": "AAAA"}}, 400, "web.picture_bytes"),
        ("look", {"picture": _given(np.zeros((1, 28, 28), np.uint8)) | {"data": "?"}}, 400, "web.picture_bytes"),
        ("look", {"picture": _given(np.zeros((1, 28, 28), np.uint8)) | {"height": 10**9}}, 422, "web.request_form"),
        ("look", {}, 422, "web.request_missing"),
        ("maps", {"picture": _given(np.zeros((1, 28, 28), np.uint8)), "layer": "x"}, 400, "inspection.no_such_layer"),
        (
            "unit",
            {"picture": _given(np.zeros((1, 28, 28), np.uint8)), "layer": "LAYER", "place": [99, 0, 0]},
            400,
            "inspection.no_such_unit",
        ),
    ],
)
def test_bad_requests(run_client: httpx.Client, path: str, body: dict[str, Any], status: int, code: str) -> None:
    if body.get("layer") == "LAYER":
        body = body | {"layer": run_client.get(PATH).json()["layers"][0]["name"]}
    for language in LANGUAGES:
        answer = run_client.post(f"{PATH}/{path}?lang={language}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_without_a_run(client: httpx.Client) -> None:
    for language, word in (("en", "train"), ("es", "Entrene")):
        answer = client.get(PATH, params={"lang": language})
        assert (answer.status_code, answer.json()["code"]) == (404, "web.run_missing")
        assert word in answer.json()["message"]
