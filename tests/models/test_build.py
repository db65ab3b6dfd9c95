from __future__ import annotations

from typing import Annotated, Literal

import pytest
import torch

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.core.spec import Spec, parse_spec
from convoscope.models.parameters import Limits, check, parameters_of

SHAPE = (1, 28, 28)


@pytest.mark.parametrize("name", ["2024-05-01", "007", "1e5", "True", "run"])
def test_a_name_that_looks_like_a_number_is_taken_as_it_was_typed(name: str) -> None:
    def view(*, before: str = "") -> str:
        return before

    assert view(**check(parse_spec(f"compare:before={name}"), view)) == name


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("typical:block=3", r"typical has no parameter 'block'. It takes: blocks=3 \(1, 2 … 8\), width=32"),
        ("typical:blocks=0", r"typical can't be built with blocks=0; blocks may be: 1, 2 … 8\."),
        ("typical:blocks=9", r"blocks=9; blocks may be: 1, 2 … 8\."),
        ("typical:blocks=2.5", r"blocks=2.5; blocks may be: 1, 2 … 8\."),
        ("typical:blocks=true", r"blocks=true; blocks may be: 1, 2 … 8\."),
        ("typical:blocks=two", r"blocks=two; blocks may be: 1, 2 … 8\."),
        ("typical:pool=mean", r"pool=mean; pool may be: max \| avg\."),
        ("typical:pool=1", r"pool=1; pool may be: max \| avg\."),
        ("typical:norm=1", r"norm=1; norm may be: true \| false\."),
        ("typical:dropout=1", r"dropout=1; dropout may be: 0 … 0.95\."),
        ("typical:dropout=nan", r"dropout=nan; dropout may be: 0 … 0.95\."),
        ("typical:dropout=1e999", r"dropout=\S+; dropout may be: 0 … 0.95\."),
        ("typical:kernel=4", "kernel=4 is even"),
        ("typical:blocks=5", "layer pool5 gets 1x1 and needs at least 2x2"),
        ("lenet6", "did you mean 'lenet5'"),
    ],
)
def test_a_wrong_specification_says_what_to_write(spec, said):
    with pytest.raises(RequestError, match=said):
        models.build(spec, SHAPE, 10)


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 28), (1, 28, -1), (1, 28.0, 28), (True, 28, 28), ()])
def test_an_input_that_is_no_picture(shape):
    with pytest.raises(RequestError, match="not channels x rows x columns"):
        models.build("lenet5", shape, 10)


@pytest.mark.parametrize("classes", [1, 0, -3, 2.0, True])
def test_fewer_than_two_classes(classes):
    with pytest.raises(RequestError, match="at least 2 classes"):
        models.build("lenet5", SHAPE, classes)


def test_errors_are_told_in_spanish_too():
    with using_language("es"), pytest.raises(RequestError) as caught:
        models.build("typical:blocks=5", SHAPE, 10)
    with using_language("es"):
        assert "la capa pool5 recibe 1x1 y necesita al menos 2x2" in str(caught.value)


def test_a_family_without_parameters_says_so(monkeypatch):
    monkeypatch.setitem(models.registry._members, "plainest", lambda input_shape, classes: torch.nn.Identity())
    with pytest.raises(RequestError, match="plainest takes no parameters, and 'width' was given"):
        models.build("plainest:width=3", SHAPE, 10)


def test_a_spec_is_as_good_as_its_text():
    torch.manual_seed(0)
    one = models.build(Spec("typical", {"blocks": 2, "width": 8}), [1, 28, 28], 10)
    torch.manual_seed(0)
    other = models.build("typical:blocks=2,width=8", SHAPE, 10)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_parameters_are_read_from_the_signature():
    def family(
        input_shape,
        classes,
        *,
        widths: Annotated[tuple[int, ...], Limits(1, 9)] = (1, 2),
        rate: Annotated[float, Limits(0, 1)] = 0.5,
        kind: Literal["a", "b"] = "a",
        flag: bool = False,
    ): ...

    read = parameters_of(family)
    assert [each.accepts for each in read.values()] == ["A-B-C (1, 2 … 9)", "0 … 1", "a | b", "true | false"]
    assert read["widths"].checked(3) == (3,)
    assert read["widths"].checked([3, 4]) == (3, 4)
    assert read["rate"].checked(1) == 1.0
    for wrong in [(), (0, 1), (1, 10), (1.0,), "1-x", (True,)]:
        with pytest.raises(ValueError, match="widths"):
            read["widths"].checked(wrong)


def test_a_number_without_limits_is_our_own_mistake():
    def family(input_shape, classes, *, width: int = 3): ...

    with pytest.raises(TypeError, match="width"):
        parameters_of(family)
