from __future__ import annotations

import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.core.spec import Spec, parse_spec

names = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
words = st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda word: word not in ("true", "false", "nan", "inf"))
values = st.one_of(
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.integers(0, 999), min_size=2, max_size=4).map(tuple),
    words.filter(lambda word: word != "infinity"),
)
parameters = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), values, max_size=4)


@given(names, parameters)
def test_what_is_written_is_read_back(name: str, given_values: dict[str, object]) -> None:
    spec = Spec(name, given_values)
    back = parse_spec(str(spec))
    assert back == spec
    assert [type(value) for value in back.parameters.values()] == [type(value) for value in given_values.values()]


@given(st.text(alphabet=st.sampled_from("ab:=,-. 019²٣eE_'\"([{\\\n\0"), max_size=30))
@example("a:b=²-³")
@example("a:b=" + "9" * 5000)
@example("a:b=" + "9" * 5000 + "-1")
@example("a:b=" + "(" * 500)
@example("a:b=1e999")
@example("a:b=nan")
@example("a:b='\\d'")
@example("a:b=1or 2")
def test_any_text_is_read_or_refused_and_reading_is_stable(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            spec = parse_spec(text)
        except RequestError:
            return
        assert parse_spec(str(spec)) == spec


def test_values_have_their_kinds() -> None:
    spec = parse_spec(" typical:blocks=3,rate=0.5,pool=max,skip=True,widths=8-16-32,shift=-2 ")
    assert spec == Spec(
        "typical", {"blocks": 3, "rate": 0.5, "pool": "max", "skip": True, "widths": (8, 16, 32), "shift": -2}
    )
    assert str(spec) == "typical:blocks=3,rate=0.5,pool=max,skip=true,widths=8-16-32,shift=-2"


@given(st.text(alphabet=st.sampled_from("ab:=-. 019²٣eE_trueTRUE"), min_size=1, max_size=20).map(str.strip).filter(len))
@example("2024-05-01")
@example("007")
@example("1e5")
@example("True")
def test_a_name_is_kept_as_it_was_typed(name: str) -> None:
    assert parse_spec(f"compare: before = {name} ,after=1").text("before") == name


def test_the_text_of_a_python_value_is_what_one_would_type() -> None:
    spec = Spec("compare", {"before": 7, "skip": True, "widths": (8, 16)})
    assert [spec.text(key) for key in spec.parameters] == ["7", "true", "8-16"]


@pytest.mark.parametrize("text", ["", " ", ":", "a:", "a:b", "a:b=", "a:=1", "a:b=1,", "a:b=1,b=2", "a:1b=2", ":b=1"])
def test_another_form_is_refused(text: str) -> None:
    with using_language("en"), pytest.raises(RequestError, match="can't be read: write NAME or NAME:key=value"):
        parse_spec(text)
