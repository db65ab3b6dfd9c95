"""The inspection level's interface."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from pathlib import Path
from typing import Any, get_type_hints

import httpx
import numpy as np
import pytest
from PIL import Image

import convoscope as cs
from convoscope.core.messages import LANGUAGES, catalogue
from convoscope.data.corrections import corrections_file, picture_names
from convoscope.inspection.sheet import Sheet
from convoscope.runs.run import Run
from convoscope.runs.views import registry
from convoscope.web.app import create_app
from tests.web.conftest import serve
from tests.web.test_api_network import _given

PATH = "/api/v1/inspect"
SHEETS = [name for name in registry if get_type_hints(registry.get(name))["return"] is Sheet]


def test_every_sheet_is_offered(run_client: httpx.Client) -> None:
    told = run_client.get(PATH).json()
    assert [view["name"] for view in told] == SHEETS
    for view in told:
        assert set(view["titles"]) == set(LANGUAGES)
        for parameter in view["parameters"]:
            assert parameter["accepts"]
            for word in (parameter["name"], *parameter["choices"]):
                assert f"setting_{word}" in catalogue("web")


def test_a_view_needs_one_file_only(run_client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_members", {name: registry.get(name) for name in registry})
    page = (Path(__file__).parents[2] / "docs" / "inspection.md").read_text("utf-8")
    code = next(block for block in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S) if "@view(" in block)
    names: dict[str, Any] = {"__name__": "silence"}
    exec(code.partition("\n\n\nprint(")[0], names)
    registry.register("without-words")(names["silence"])
    titles = {view["name"]: view["titles"] for view in run_client.get(PATH).json()}
    assert titles["silence"] == {"en": "Silence", "es": "Silencio"}
    assert titles["without-words"] == {"en": "without-words", "es": "without-words"}
    told = run_client.post(f"{PATH}/show", json={"view": "silence"}).json()
    assert told["title"] == titles["silence"]
    assert told["lead"]["en"].startswith("Which share")
    assert told["blocks"][0]["columns"][0] == {"en": "layer", "es": "capa"}


def test_a_sheet_is_told_in_both_languages(run_client: httpx.Client) -> None:
    told = run_client.post(f"{PATH}/show", json={"view": "filter-health:images=20"}).json()
    assert told["view"] == "filter-health"
    assert {block["kind"] for block in told["blocks"]} == {"note", "table", "chart"}
    for block in told["blocks"][1:]:
        assert block["title"]["en"] != block["title"]["es"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"view": "healthy"}, 400, "core.unknown_member"),
        ({"view": "filter-health:images=-1"}, 400, "runs.view_parameter_value"),
        ({"view": "filters"}, 400, "web.view_elsewhere"),
        ({"view": "compare:before=/tmp/x"}, 400, "web.view_path"),
        ({"view": "compare:before=..\\x"}, 400, "web.view_path"),
        ({"view": "filter-health", "picture": _given(np.zeros((1, 9, 9), np.uint8))}, 400, "web.picture_shape"),
        ({"view": "x" * 500}, 422, "web.request_form"),
        ({}, 422, "web.request_missing"),
        ({"view": "filter-health", "more": 1}, 422, "web.request_unknown"),
    ],
)
def test_bad_requests(run_client: httpx.Client, body: dict[str, Any], status: int, code: str) -> None:
    for language in LANGUAGES:
        answer = run_client.post(f"{PATH}/show?lang={language}", json=body)
        assert (answer.status_code, answer.json()["code"].removesuffix("_near")) == (status, code), answer.text


@pytest.mark.parametrize("path", [f"{PATH}/show", f"{PATH}/labels"])
def test_views_are_of_the_run_that_is_served(run_client: httpx.Client, path: str) -> None:
    body = {"view": "filter-health:images=20"}
    of = f"{path}?of=cnn/filters"
    answers = [run_client.post(one, json=body) if path.endswith("show") else run_client.get(one) for one in (of, path)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


@pytest.fixture
def corrected(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The corrections of the served run go into a cache of their own."""
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path))
    return corrections_file(run.config["data"]["name"])


def test_labels_are_corrected_and_taken_back(run_client: httpx.Client, run: Run, corrected: Path) -> None:
    train = run.load_data().train
    name, was = picture_names(train)[0], run.classes[int(train.labels[0])]
    other = next(label for label in run.classes if label != was)
    assert run_client.get(f"{PATH}/labels").json()["corrections"] == {}
    for label in (other, None, was):
        form = {"picture": name, "was": was, "label": label}
        told = run_client.post(f"{PATH}/labels", json={"corrections": [form]}).json()
        assert told["corrections"] == ({} if label == was else {name: {"was": was, "label": label}})
        assert corrected.exists() == (label != was)
        assert Path(told["file"]) == corrected
    assert "--view compare:before=lenet5" in told["commands"][1]


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"picture": "nothing", "was": "1", "label": "2"}, 400, "web.labels_unknown"),
        ({"picture": "FIRST", "was": "1", "label": "owl"}, 400, "data.labels_class"),
        ({"picture": "FIRST", "was": "OTHER", "label": None}, 400, "data.labels_other"),
        ({"picture": "FIRST", "was": "1"}, 422, "web.request_missing"),
    ],
)
def test_wrong_corrections_change_nothing(
    run_client: httpx.Client, run: Run, corrected: Path, form: dict[str, Any], status: int, code: str
) -> None:
    train = run.load_data().train
    if form["picture"] == "FIRST":
        form = form | {"picture": picture_names(train)[0]}
    if form["was"] == "OTHER":
        form = form | {"was": run.classes[int(train.labels[0]) - 1]}
    answer = run_client.post(f"{PATH}/labels", json={"corrections": [form]})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not corrected.exists()


def test_a_run_on_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    pets = tmp_path / os.fsdecode(b"ni\xf1os")
    draw = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (pets / name).mkdir(parents=True)
        for number in range(8):
            pixels = draw.integers(0, 256, (9, 9), dtype=np.uint8)
            Image.fromarray(pixels).save(pets / name / f"{number}.png")
    run = cs.train(pets, "dense-800", "plain", epochs=1, out=tmp_path / "run")
    with contextlib.contextmanager(serve)(create_app(run, language="en")) as served:
        told = httpx.get(f"{served.address}{PATH}/labels")
        (pets / "convoscope-labels.csv").write_text("rubbish")
        fault = httpx.get(f"{served.address}{PATH}/labels")
    assert told.json()["file"].endswith("ni\\xf1os/convoscope-labels.csv")
    assert (fault.status_code, fault.json()["code"]) == (400, "data.labels_file")


def test_readers_elsewhere_learn_no_folder_and_correct_nothing(run: Run, corrected: Path) -> None:
    async def ask() -> tuple[httpx.Response, httpx.Response]:
        elsewhere = httpx.ASGITransport(create_app(run, hosts=None), client=("192.168.0.7", 50_000))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://192.168.0.1") as client:
            return await client.get(f"{PATH}/labels"), await client.post(f"{PATH}/labels", json={"corrections": []})

    told, refused = asyncio.run(ask())
    assert told.json() == {"file": corrected.name, "corrections": {}, "commands": []}
    assert (refused.status_code, refused.json()["code"]) == (403, "web.labels_remote")


def test_without_a_run(client: httpx.Client) -> None:
    assert client.get(PATH).status_code == 404
    assert client.post(f"{PATH}/show", json={"view": "filter-health"}).status_code == 404
