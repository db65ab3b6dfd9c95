"""What every network family keeps; a new one is picked up unaided."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.models.parameters import parameters_of

SHAPES = [(1, 28, 28), (3, 32, 32), (1, 8, 8), (3, 64, 64), (1, 29, 31), (4, 17, 40)]
CLASSES = 7

families = pytest.mark.parametrize("name", list(models.registry))
shapes = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))


def built(name: str, shape: tuple[int, int, int] = (1, 28, 28), classes: int = CLASSES) -> nn.Module:
    torch.manual_seed(0)
    return models.build(name, shape, classes)


def built_or_refusal(name: str, shape: tuple[int, int, int], classes: int) -> nn.Module | RequestError:
    try:
        return built(name, shape, classes)
    except RequestError as refusal:
        return refusal


def pictures(shape: tuple[int, int, int], count: int = 3) -> torch.Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(1))


@families
@shapes
def test_gives_logits_for_any_size_or_names_the_layer(name, shape):
    net = built_or_refusal(name, shape, CLASSES)
    if isinstance(net, RequestError):
        assert re.search(r"layer \w+ gets \d+x\d+", str(net))
        return
    logits = net(pictures(shape))
    assert logits.shape == (3, CLASSES)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@families
def test_course_sizes_are_never_too_small(name):
    for shape in [(1, 28, 28), (3, 32, 32), (3, 64, 64)]:
        built(name, shape)


@families
@settings(max_examples=12, deadline=None)
@given(channels=st.integers(1, 4), height=st.integers(1, 40), width=st.integers(1, 40), classes=st.integers(2, 5))
def test_every_size_is_built_or_refused_in_words(name, channels, height, width, classes):
    shape = (channels, height, width)
    with torch.device("meta"):
        net = built_or_refusal(name, shape, classes)
    if isinstance(net, RequestError):
        assert net.key == "models.too_small"
        return
    assert net.eval()(torch.empty(2, *shape, device="meta")).shape == (2, classes)


@families
def test_gradients_reach_every_parameter(name):
    net = built(name)
    torch.nn.functional.cross_entropy(net(pictures((1, 28, 28), 16)), torch.arange(16) % CLASSES).backward()
    trained = {key: parameter for key, parameter in net.named_parameters() if parameter.requires_grad}
    assert trained
    assert [key for key, parameter in trained.items() if parameter.grad is None or not parameter.grad.any()] == []


@families
def test_weights_survive_safetensors(name, tmp_path):
    net = built(name).eval()
    save_file(net.state_dict(), tmp_path / "model.safetensors")
    torch.manual_seed(99)
    other = models.build(name, (1, 28, 28), CLASSES).eval()
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    batch = pictures((1, 28, 28))
    assert torch.equal(other(batch), net(batch))


@families
def test_channels_last_gives_the_same(name):
    batch = pictures((3, 32, 32))
    net = built(name, (3, 32, 32)).eval()
    expected = net(batch)
    last = net.to(memory_format=torch.channels_last)(batch.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last, expected, rtol=1e-4, atol=1e-5)


@families
def test_predicting_is_deterministic_and_one_by_one_as_in_a_batch(name):
    net = built(name).eval()
    batch = pictures((1, 28, 28))
    assert torch.equal(net(batch), net(batch))
    torch.testing.assert_close(torch.cat([net(one[None]) for one in batch]), net(batch), rtol=1e-4, atol=1e-5)


@families
def test_seed_decides_the_first_weights(name):
    one, other = built(name).state_dict(), built(name).state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)


@families
def test_head_of_file_names_paper_year_and_the_true_count(name):
    family = models.registry.get(name)
    head = inspect.getdoc(importlib.import_module(family.__module__))
    assert head is not None
    assert re.search(r"\b(19|20)\d\d\b", head)
    count = sum(parameter.numel() for parameter in built(name, classes=10).parameters())
    assert f"{count:,} parameters on 1x28x28 with 10 classes" in " ".join(head.split())


@families
def test_docstring_tells_every_parameter(name):
    family = models.registry.get(name)
    told = inspect.getdoc(family) or ""
    for parameter in ["input_shape", "classes", *parameters_of(family)]:
        assert re.search(rf"^ +{parameter}: ", told, re.MULTILINE), parameter


@families
def test_defaults_lie_within_their_own_limits(name):
    for parameter in parameters_of(models.registry.get(name)).values():
        assert parameter.checked(parameter.default) == parameter.default


@families
def test_layers_have_readable_names(name):
    leaves = [key for key, module in built(name).named_modules() if not list(module.children())]
    assert [key for key in leaves if not re.fullmatch(r"[a-z][a-z0-9_.]*", key) or re.match(r"\d", key)] == []


def test_the_family_that_the_page_prints_keeps_the_contract(monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
    code = next(block for block in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S) if "@registry" in block)
    module = types.ModuleType("one_layer")
    monkeypatch.setitem(sys.modules, "one_layer", module)
    monkeypatch.setattr(models.registry, "_members", {name: models.registry.get(name) for name in models.registry})
    exec(compile(code, "one_layer.py", "exec"), vars(module))
    test_head_of_file_names_paper_year_and_the_true_count("one-layer")
    test_docstring_tells_every_parameter("one-layer")
    test_defaults_lie_within_their_own_limits("one-layer")
    test_layers_have_readable_names("one-layer")
    test_gradients_reach_every_parameter("one-layer")
    test_course_sizes_are_never_too_small("one-layer")


def test_registry_holds_the_families_of_the_design():
    assert {"dense-800", "dense-6", "lenet5", "typical", "convnet", "resnet"} <= set(models.registry)


def test_every_family_file_registers_something():
    folder = Path(models.__file__).parent
    registered = {models.registry.get(name).__module__.rpartition(".")[2] for name in models.registry}
    assert registered <= {file.stem for file in folder.glob("*.py")}
