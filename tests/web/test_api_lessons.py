"""The interface of lessons: steps without their answers, pictures, networks of a step, and answers marked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from convoscope.lessons.tour_file import find, read
from convoscope.web.app import create_app
from convoscope.web.touring import OpenTour
from tests.web.conftest import Server, serve

PATH = "/api/v1/lessons"
LESSON = """\
languages: [es]
title: Mía
steps:
  - name: uno
    heading: Uno
    text: "<script>alert(1)</script> y **esto**."
    image: mnist-5k:12
    bench: {kernel: sobel-x}
    question:
      ask: ¿Cuál?
      choices: [este, ese]
      answer: 2
      explanation: "Ese: <b>no</b> otro."
  - name: dos
    heading: Dos
    text: Con la ejecución servida.
    network: {run: served}
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that was started with a lesson of its own, in Spanish only."""
    path = tmp_path_factory.mktemp("lesson") / "mia.yaml"
    path.write_text(LESSON, "utf-8")
    yield from serve(create_app(language="en", lesson=OpenTour(read(path))))


def test_the_given_lesson_comes_first(given: Server) -> None:
    first, *others = httpx.get(f"{given.address}{PATH}").json()
    assert (first["name"], first["title"]["en"], first["languages"], first["steps"]) == ("mia", "Mía", ["es"], 2)
    assert first["given"]
    assert "cnn" in [one["name"] for one in others]
    assert not any(one["given"] for one in others)


def test_steps_come_without_their_answers(given: Server) -> None:
    told = httpx.get(f"{given.address}{PATH}/mia?lang=en").json()
    assert (told["title"], told["language"]) == ("Mía", "es")
    one, two = told["steps"]
    assert one["text"][0]["children"][0] == "<script>alert(1)</script> y "
    assert one["own_image"]
    assert one["bench"]["kernel"] == "sobel-x"
    assert set(one["question"]) == {"kind", "ask", "choices", "form"}
    assert one["question"]["choices"] == {"a": "este", "b": "ese"}
    assert "otro" not in json.dumps(told)
    assert two["network"] == {"of": None, "query": {}}


def test_pictures_answers_and_explanations(given: Server) -> None:
    with httpx.Client(base_url=f"{given.address}{PATH}/mia") as asking:
        assert asking.get("/uno/picture").json()["height"] == 28
        assert asking.get("/dos/picture").json()["code"] == "web.lesson_no_picture"
        verdicts = [asking.post("/uno/check?lang=es", json={"answer": answer}).json() for answer in ("a", "b", "9")]
        assert [(one["correct"], one["usable"]) for one in verdicts] == [(False, True), (True, True), (False, False)]
        assert verdicts[1]["message"] == "Correcto."
        assert asking.get("/uno/explanation").json()["explanation"][0]["children"] == ["Ese: <b>no</b> otro."]
        assert asking.post("/dos/check", json={"answer": "a"}).json()["code"] == "web.lesson_no_question"
        assert asking.post("/uno/check", json={"answer": "a" * 300}).status_code == 422


@pytest.mark.parametrize("path", ["/nothing", "/..%2Fcnn", "/cnn/nothing/picture", "/cnn/nothing/explanation"])
def test_what_there_is_not(client: httpx.Client, path: str) -> None:
    assert client.get(PATH + path).status_code == 404


@pytest.mark.parametrize("lang", ["en", "es"])
def test_the_lecture_is_told_as_it_is_written(client: httpx.Client, lang: str) -> None:
    tour = find("cnn").tour
    told = client.get(f"{PATH}/cnn?lang={lang}").json()
    assert [step["heading"] for step in told["steps"]] == [step.heading[lang] for step in tour.steps]
    assert told["language"] == lang
    league = next(step["league"] for step in told["steps"] if step["league"])
    assert {line["name"]: line["published_error"] for line in league}["lenet5"] == 0.0095


def test_a_step_has_its_own_network(client: httpx.Client) -> None:
    told = client.get("/api/v1/network?of=cnn/filters").json()
    assert (told["model"], told["channels"], told["trained"], told["test_error"]) == ("typical", 3, False, None)
    assert told["layers"][0]["parameters"] == 896
    sample = client.get("/api/v1/network/samples?count=1&of=cnn/filters").json()[0]
    asked = {"picture": {key: sample["picture"][key] for key in ("channels", "height", "width", "data")}}
    unit = client.post(
        "/api/v1/network/unit?of=cnn/filters", json={**asked, "layer": "conv1", "place": [0, 5, 5]}
    ).json()
    assert unit["place"] == [0, 5, 5]
    for path, code in (
        ("cnn/nothing", "tours.no_step"),
        ("x/y", "web.lesson_unknown"),
        ("cnn/pictures", "web.run_missing"),
    ):
        assert client.get(f"/api/v1/network?of={path}").json()["code"] == code
    assert client.get("/api/v1/network").json()["code"] == "web.run_missing"
