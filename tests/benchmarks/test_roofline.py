"""The step that is taken apart is the step of a training, and every second of it is in some line."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import convoscope as cs
from benchmarks import roofline
from benchmarks.layer_times import BareConvolutions, Times, kind_of, timed_step
from benchmarks.planned import images_by_side
from benchmarks.records import read
from benchmarks.roofline import Subject, shortened
from benchmarks.tables import render
from convoscope import models
from convoscope.training.optimizers import make_optimizer, set_rate
from convoscope.training.recipe import load_recipe, setting_from

COLOUR = load_recipe("default").colour
WHITENED = "convnet:widths=8-8,whiten=true,stem_kernel=2,stem_stride=1"


@pytest.mark.parametrize("spec", [WHITENED, "convnet:widths=8-8", "lenet5", "resnet", "dense-800"])
def test_a_step_taken_apart_is_the_step(spec: str) -> None:
    torch.manual_seed(0)
    shape = (1, 28, 28) if spec in ("lenet5", "dense-800") else (3, 16, 16)
    model = models.build(spec, shape, 10)
    other = copy.deepcopy(model)
    images, labels = torch.rand(6, *shape), torch.arange(6)
    optimizers = [make_optimizer(COLOUR, each) for each in (model, other)]
    for optimizer in optimizers:
        set_rate(optimizer, 0.1)
    assert isinstance(model, nn.Sequential)
    timed_step(model, optimizers[0], images, labels, 0.2, Times())
    F.cross_entropy(other(images), labels, label_smoothing=0.2).backward()
    optimizers[1].step()
    for one, another in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        torch.testing.assert_close(one, another, atol=1e-5, rtol=1e-4)


def test_every_layer_is_timed_both_ways_but_what_is_frozen() -> None:
    model = models.build(WHITENED, (3, 16, 16), 10)
    times = Times()
    assert isinstance(model, nn.Sequential)
    timed_step(model, make_optimizer(COLOUR, model), torch.rand(4, 3, 16, 16), torch.arange(4), 0.2, times)
    for name, _ in model.named_children():
        assert times.seconds(name, "forward") > 0
        assert times.seconds(name, "backward") > 0  # conv1 has its bias
    assert times.seconds("optimizer", "step") > 0
    times.forget()
    assert times.seconds("conv1", "forward") == 0


def test_bare_convolutions_take_the_gradients_that_training_takes() -> None:
    model = models.build(WHITENED, (3, 16, 16), 10)
    bare = BareConvolutions(model, torch.rand(4, 3, 16, 16))
    wanted = [[tuple(one.shape) for one in each[2]] for each in bare._work]
    assert wanted == [[(24,)], [(8, 24, 3, 3), (4, 24, 15, 15)], [(8, 8, 3, 3), (4, 8, 7, 7)]]
    assert bare.seconds() > 0
    assert not any(module._forward_hooks for module in model.modules())


def test_every_layer_of_every_family_has_a_kind() -> None:
    for spec in models.registry:
        kinds = {kind_of(layer) for layer in models.build(spec, (1, 28, 28), 10).children()}
        assert "other" not in kinds, spec


def test_pictures_by_side_are_all_pictures() -> None:
    setting = COLOUR.model_copy(update={"resolutions": ((0.0, 0.5), (0.5, 1.0))})
    # Half of the computing on pictures of a quarter of the cost: four steps in five.
    first, second = images_by_side(setting, 8001, 2, (32, 32), lambda side: side[0] * side[1])
    assert sum(first.values()) == sum(second.values()) == 8001
    assert first.keys() == {(16, 16)}
    assert (first + second)[32, 32] == pytest.approx(16002 / 5, rel=0.1)


def test_the_flops_of_convolutions_are_all_but_those_of_dense_layers() -> None:
    setting = setting_from("default", 1)[1]
    subject = Subject(shortened(cs.load("mnist-5k"), setting, 16), setting)
    dense = sum(each.train_flops for each in models.layers(subject.model, (1, 28, 28)) if each.kind == "Linear")
    whole = models.summary(subject.model, (1, 28, 28)).train_flops_per_image
    assert 0 < subject.convolution_flops((28, 28)) == whole - dense


def test_a_network_is_recorded_with_all_its_time(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", "digits", "--model", "convnet:widths=8-8", "--rounds", "1", "--steps", "16"]
    monkeypatch.setattr(sys, "argv", ["benchmarks.roofline", *words])
    roofline.main()
    (record,) = read("roofline")
    assert record["ratio"] == pytest.approx(record["gflops_training"] / record["gflops_convolutions"], abs=0.05)
    assert sum(part["share"] for part in record["parts"]) == pytest.approx(1, abs=0.01)
    assert [line["name"] for line in record["layers"]][:3] == ["conv1", "norm1", "act1"]
    assert {"hardware", "versions", "commit", "command", "date", "threads", "batch_size"} <= record.keys()
    assert "convolutions alone" in capsys.readouterr().out
    for language in ("en", "es"):
        assert "convnet:widths=8-8" in render("time", language)
        assert "`conv1`" in render("time", language)
        assert "GFLOP/s" in render("roofline", language)
