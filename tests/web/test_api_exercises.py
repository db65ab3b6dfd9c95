"""The exercises' interface: questions without answers, marking, hints, and whose progress is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

import convoscope as cs
from convoscope.core.messages import LANGUAGES
from convoscope.lessons import progress
from convoscope.lessons.registry import in_order
from convoscope.lessons.task import Number
from convoscope.web.app import create_app

PATH = "/api/v1/exercises"
NAMES = [member.name for member in in_order()]
MARKED = [member.name for member in in_order() if member.kind != "code"]


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "progress.jsonl"
    monkeypatch.setenv("CONVOSCOPE_PROGRESS", str(file))
    return file


def right(name: str, seed: int) -> str:
    asked = cs.exercise(name, seed=seed)
    answer = asked._task.answer
    return answer.written() if isinstance(answer, Number) else asked._right


def test_all_are_listed_in_the_lectures_order(client: httpx.Client) -> None:
    told = client.get(PATH).json()
    assert [entry["name"] for entry in told["exercises"]] == NAMES
    assert told["recorded"]
    assert {entry["state"]["name"] for entry in told["exercises"]} == {"new"}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_the_question_comes_without_its_answer(client: httpx.Client, name: str, lang: str) -> None:
    told = client.get(f"{PATH}/{name}?seed=7&lang={lang}").json()
    asked = cs.exercise(name, seed=7, lang=lang)
    assert (told["name"], told["kind"], told["title"]) == (name, asked.kind, asked.title)
    assert told["question"] == asked.question
    assert {choice["letter"]: choice["text"] for choice in told["choices"]} == asked.choices
    assert [figure["name"] for figure in told["figures"]] == list(asked.figures)
    assert set(told) == {
        *("name", "topic", "kind", "title", "seed", "question", "form", "choices", "figures", "hints", "state"),
        "notebook",
    }
    assert (told["notebook"] is not None) == (asked.kind == "code")


@pytest.mark.parametrize("name", MARKED)
def test_an_answer_is_marked(client: httpx.Client, name: str) -> None:
    told = client.post(f"{PATH}/{name}/check", json={"seed": 7, "answer": right(name, 7)}).json()
    assert told["correct"]
    assert told["explanation"]
    assert told["state"]["name"] == "solved"


def test_the_way_to_a_solution_is_kept(client: httpx.Client, own_file: Path) -> None:
    name = "padding-size"
    seed = client.get(f"{PATH}/{name}").json()["seed"]
    assert seed == cs.exercise(name).seed
    unusable = client.post(f"{PATH}/{name}/check", json={"seed": seed, "answer": "many"}).json()
    assert (unusable["usable"], unusable["state"]["attempts"]) == (False, 0)
    huge = client.post(f"{PATH}/{name}/check", json={"seed": seed, "answer": 10**400}).json()
    assert not huge["usable"]
    wrong = client.post(f"{PATH}/{name}/check", json={"seed": seed, "answer": -1}).json()
    assert (wrong["correct"], wrong["explanation"], wrong["state"]["name"]) == (False, None, "begun")
    first = client.post(f"{PATH}/{name}/hint", json={"seed": seed, "step": 1}).json()
    second = client.post(f"{PATH}/{name}/hint", json={"seed": seed, "step": 2}).json()
    assert first["text"] != second["text"]
    answer = right(name, seed)
    assert answer in client.post(f"{PATH}/{name}/explain", json={"seed": seed}).json()["text"]
    solved = client.post(f"{PATH}/{name}/check", json={"seed": seed, "answer": answer}).json()["state"]
    assert solved == {"name": "solved", "attempts": 2, "hints": 2, "explained": True, "solved": solved["solved"]}
    assert client.get(f"{PATH}/{name}").json()["state"] == solved
    assert own_file.exists()


def test_code_is_never_run_here(client: httpx.Client) -> None:
    answer = client.post(f"{PATH}/code-convolve/check", json={"seed": 1, "answer": "__import__('os').abort()"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "web.exercise_code"
    assert 'convoscope.exercise("code-convolve", seed=1)' in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/paddingsize", None, 400, "core.unknown_member_near"),
        ("/padding-size?seed=-1", None, 422, "web.request_form"),
        ("/padding-size?seed=4294967296", None, 422, "web.request_form"),
        ("/padding-size?seed=x", None, 422, "web.request_form"),
        ("/zzz/check", {"seed": 1, "answer": "1"}, 400, "core.unknown_member"),
        ("/padding-size/check", {"seed": 1}, 422, "web.request_missing"),
        ("/padding-size/check", {"answer": 1}, 422, "web.request_missing"),
        ("/padding-size/check", {"seed": 1, "answer": [1]}, 422, "web.request_form"),
        ("/padding-size/check", {"seed": 1, "answer": "1" * 600}, 422, "web.request_form"),
        ("/padding-size/check", {"seed": 1, "answer": 1, "more": 1}, 422, "web.request_unknown"),
        ("/padding-size/hint", {"seed": 1, "step": 3}, 422, "web.request_form"),
    ],
)
def test_bad_requests(client: httpx.Client, path: str, body: Any, status: int, code: str) -> None:
    for mark in LANGUAGES:
        address = f"{PATH}{path}{'&' if '?' in path else '?'}lang={mark}"
        answer = client.get(address) if body is None else client.post(address, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_from_elsewhere_nothing_is_kept(own_file: Path) -> None:
    cs.exercise("padding-size").check(-1)
    before = own_file.read_bytes()
    transport = httpx.ASGITransport(create_app(language="en", hosts=None), client=("192.168.0.9", 1))

    async def ask() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://192.168.0.7") as far:
            told = (await far.get(PATH)).json()
            assert not told["recorded"]
            assert {entry["state"]["name"] for entry in told["exercises"]} == {"new"}
            seeds = {(await far.get(f"{PATH}/padding-size")).json()["seed"] for _ in range(4)}
            assert len(seeds) > 1
            form = {"seed": 7, "answer": right("padding-size", 7)}
            answer = (await far.post(f"{PATH}/padding-size/check", json=form)).json()
            assert (answer["correct"], answer["state"]["name"]) == (True, "new")

    asyncio.run(ask())
    assert own_file.read_bytes() == before
    assert progress.state(progress.done(), "padding-size").attempts == 1
