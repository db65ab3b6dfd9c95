"""Lesson files: what one may hold, and that each mistake is told with its line, the step and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.lessons.tour import Bench, ChoiceQuestion, ExerciseQuestion, NetworkLevel, NumberQuestion, Step, Tour
from convoscope.lessons.tour_file import MOST_BYTES, TourFile, find, read, shipped

GOOD = """\
languages: [en]
title: A lesson
steps:
  - name: first
    heading: One
    text: Look at **this**.
    image: cross-5
    bench:
      kernel: 1,0; 0,-1
      stride: [2, 1]
      pool: max
      size: 2
      at: [0, 1]
  - name: second
    heading: Two
    text: And now?
    network: {model: lenet5, layer: c1}
    question: padding-size
  - name: third
    heading: Three
    text: Choose.
    question:
      ask: Which?
      choices: [this, that]
      answer: 2
      explanation: That one.
  - name: fourth
    heading: Four
    text: Count.
    league: [knn]
    question: {ask: How much, answer: 2.5, digits: 1, explanation: So much.}
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str | bytes) -> Path:
        path = tmp_path / "it.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def told(path: Path) -> str:
    with using_language("en"), pytest.raises(RequestError) as raised:
        read(path)
    return str(raised.value)


def test_every_kind_of_step(write: Any) -> None:
    tour = read(write(GOOD)).tour
    assert [step.name for step in tour.steps] == ["first", "second", "third", "fourth"]
    bench = tour.steps[0].bench
    assert bench is not None
    assert "&".join(f"{name}={value}" for name, value in bench.query().items()) == (
        "kernel=1,0; 0,-1&padding=valid&stride=2,1&dilation=1&channels=each"
        "&pool=max&poolSize=2&poolStride=&poolPadding=valid&at=1,0,0,1"
    )
    kinds = [type(step.question) for step in tour.steps[1:]]
    assert kinds == [ExerciseQuestion, ChoiceQuestion, NumberQuestion]
    assert tour.steps[0].heading == {"en": "One"}


def test_a_kernel_with_parameters_keeps_them(write: Any) -> None:
    text = GOOD.replace("1,0; 0,-1", "gabor:angle=45,size=3").replace("stride: [2, 1]", "padding: same")
    bench = read(write(text)).tour.steps[0].bench
    assert bench is not None
    assert bench.query()["kernel"] == "gabor:angle=45,size=3"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "kernel: 1,0; 0,-1",
            "kernel: crss",
            "line 9, step “first”, bench.kernel: There is no kernel 'crss'; did you mean 'cross'?",
        ),
        ("kernel: 1,0; 0,-1", "kernel: 1,0; 0", "line 9, step “first”, bench.kernel:"),
        ("stride: [2, 1]", "stride: 1.5", "line 10, step “first”, bench.stride: 1.5 was found; allowed: a whole"),
        ("stride: [2, 1]", "padding: sane", "line 10, step “first”, bench.padding:"),
        ("pool: max", "pool: min", "line 11, step “first”, bench.pool: 'min' was found; allowed: max or avg."),
        ("at: [0, 1]", "at: [0]", "step “first”, bench.at"),
        (
            "at: [0, 1]",
            "ta: [0, 1]",
            "line 13, step “first”, bench.ta: there is no such entry here; allowed are: kernel",
        ),
        ("name: second", "name: first", "line 14, step “first”, name: an earlier step is named “first” too"),
        ("name: second", "name: Zwei!", "line 14, step “Zwei!”, name: 'Zwei!' was found; allowed: up to 40"),
        ("    heading: Two\n", "", "line 14, step “second”, heading: the entry is missing"),
        ("model: lenet5", "run: served, model: lenet5", "line 17, step “second”, network: give one of the two"),
        ("question: padding-size", "question: paddng-size", "padding-size"),
        ("answer: 2\n", "answer: 3\n", "the answer is number 3, but there are 2 choices"),
        ("answer: 2.5, digits: 1", "answer: 2.5", "the answer 2.5 is not whole"),
        ("answer: 2.5, digits: 1", "answer: two", "question.answer: 'two' was found; allowed: a number"),
        ("answer: 2.5, digits: 1", "answer: .inf", "question.answer"),
        ("choices: [this, that]", "choices: [this]", "question.choices: ['this'] was found; allowed: 2 to 8 texts."),
        ("league: [knn]", "league: []", "league: [] was found"),
        ("league: [knn]", "league: [knn]\n    bench: {kernel: cross}", "a step opens one level"),
        ("league: [knn]", "league: [knn]\n    image: cross-5", "an image stands alone or goes with a bench"),
        ("text: And now?", "text: '[x](javascript:alert(1))'", "a link leads to 'javascript:alert(1)'"),
        ("text: And now?", "text: '[x](/etc/passwd)'", "a link leads to '/etc/passwd'"),
        ("text: And now?", "text: [1, 2]", "text: allowed is a text in each language of the lesson: en."),
        ("text: And now?", f"text: {'x' * 8001}", "the text is longer than the 8000 characters"),
        ("title: A lesson", "title: {en: A, es: B}", "title: allowed is a text in each language of the lesson: en."),
        ("languages: [en]", "languages: [fr]", "line 1, languages: 'fr' was found; allowed: [en], [es] or [en, es]."),
        ("languages: [en]", "languages: en", "line 1, languages: 'en' was found; allowed: [en], [es] or [en, es]."),
        ("languages: [en]", "languages: [en, es]", "title: allowed is a text in each language of the lesson: en, es."),
        ("title: A lesson", "title: A lesson\ntitle: B", "line 3: the entry “title” stands here a second time"),
        ("title: A lesson", "title: &a A lesson\nother: *a", "line 3: aliases (*name) are not allowed"),
        ("title: A lesson", "title: !!python/object/apply:os.system [ls]", "line 2: this is not YAML"),
        ("title: A lesson", "title: 'A", "this is not YAML"),
        ("title: A lesson", "title: 2024-99-99", "this is not YAML"),
        ("title: A lesson", "\ttitle: A", "line 2: this is not YAML"),
    ],
)
def test_mistakes_are_told_with_their_place(write: Any, old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    path = write(GOOD.replace(old, new, 1))
    words = told(path)
    assert words.startswith(f"{path}, line ")
    assert sentence in words
    assert len(words.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"- a\n- b\n", "allowed: a lesson is a list of entries"),
        (b"hello", "allowed: a lesson is a list of entries"),
        (b"title: caf\xe9\n", "line 1: the text is not in UTF-8"),
        (b"a: " + b"[" * 200_000, "nested too deeply"),
        (b"\n".join(b" " * level + b"a:" for level in range(100)), "line 21: this is not YAML (nested too deeply)"),
        (b"# " + b"x" * MOST_BYTES, "larger than 256 KB"),
        (b"\x00\x01", "not YAML"),
        (b"answer: " + b"9" * 5000, "not YAML"),
    ],
)
def test_rubbish_is_refused_in_one_sentence(write: Any, content: bytes, sentence: str) -> None:
    words = told(write(content))
    assert sentence in words
    assert len(words.splitlines()) == 1


def test_a_folder_or_nothing_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.yaml"):
        with using_language("en"), pytest.raises(RequestError, match="can't be read"):
            read(path)


def test_lessons_are_found_by_name_and_by_file(write: Any) -> None:
    assert find(write(GOOD)).name == "it"
    assert isinstance(find("cnn"), TourFile)
    with using_language("en"), pytest.raises(RequestError, match="did you mean 'cnn'"):
        find("cn")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["languages", "title", "steps", "name", "heading", "text", "bench", "network", "question"]
                )
                | st.text(max_size=4),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_yaml_holds_is_a_lesson_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(value, allow_unicode=True), "utf-8")
    with pytest.raises(RequestError) as raised:
        read(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("name", shipped())
def test_shipped_lessons_speak_both_languages(name: str) -> None:
    tour = find(name).tour
    assert sorted(tour.languages) == ["en", "es"]
    for step in tour.steps:
        # A table, a list or a link that one language has, the other has too.
        shapes = [[node.tag for node in _nodes(step.text[language])] for language in ("en", "es")]
        assert shapes[0] == shapes[1], step.name


def _nodes(text: str) -> list[Any]:
    from convoscope.lessons.tour_text import read_text

    return [node for node in read_text(text) if node.tag]


def test_the_lecture_is_whole() -> None:
    tour = find("cnn").tour
    assert len(tour.steps) >= 14
    assert sum(step.question is not None for step in tour.steps) >= 8
    # The answers that the lecture is about.
    numbers = {step.name: step.question.answer for step in tour.steps if isinstance(step.question, NumberQuestion)}
    assert numbers["filters"] == 9 * 32 * 3 + 32 == 896
    assert numbers["pictures"] == 3 * 32 * 32


@pytest.mark.parametrize("folder", ["docs", "docs/es"])
def test_the_page_on_lessons_tells_every_entry_and_its_example_opens(folder: str, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / folder / "writing-lessons.md").read_text("utf-8")
    for part in (Tour, Step, Bench, NetworkLevel, ExerciseQuestion, ChoiceQuestion, NumberQuestion):
        for entry in part.model_fields:
            assert f"`{entry}`" in page or f"{{{entry}: " in page, entry
    (tmp_path / "vertical.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], "utf-8")
    assert len(read(tmp_path / "vertical.yaml").tour.steps) == 3
