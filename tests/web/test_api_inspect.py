"""The inspection level's interface."""

from __future__ import annotations

from typing import Any, get_type_hints

import httpx
import numpy as np
import pytest

from convoscope.core.messages import LANGUAGES
from convoscope.inspection.sheet import Sheet
from convoscope.runs.views import registry
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


def test_without_a_run(client: httpx.Client) -> None:
    assert client.get(PATH).status_code == 404
    assert client.post(f"{PATH}/show", json={"view": "filter-health"}).status_code == 404
