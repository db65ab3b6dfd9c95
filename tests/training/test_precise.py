"""Batch normalisations that end with the statistics of undistorted pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import convoscope as cs
from convoscope import models
from convoscope.data.batches import inputs_from
from convoscope.training.fused import fused
from convoscope.training.precise import take_statistics

NETWORKS = ["convnet:widths=8-16", "resnet", "typical:norm=true"]
SHAPE = (1, 8, 8)


def norms(net: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]


def built(model: str = NETWORKS[0]) -> nn.Module:
    torch.manual_seed(0)
    return models.build(model, SHAPE, 10).to(memory_format=torch.channels_last)


def drawn(count: int) -> Tensor:
    pictures = torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(1))
    return pictures.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("model", NETWORKS)
def test_statistics_are_those_of_the_pictures(model: str) -> None:
    net, seen = built(model).eval(), {}
    momenta = [norm.momentum for norm in norms(net)]
    for norm in norms(net):
        norm.register_forward_pre_hook(lambda norm, inputs: seen.__setitem__(norm, inputs[0]))
    take_statistics(net, [drawn(60)])
    assert list(seen) == norms(net)
    for norm, maps in seen.items():
        torch.testing.assert_close(norm.running_mean, maps.mean((0, 2, 3)))
        torch.testing.assert_close(norm.running_var, maps.transpose(0, 1).flatten(1).var(1))
    assert not any(module.training for module in net.modules())
    assert momenta == [norm.momentum for norm in norms(net)]


def test_nothing_is_left_out_by_dropout() -> None:
    net = built("typical:norm=true,dropout=0.5")
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        take_statistics(net, [drawn(60)])
        found.append([norm.running_mean.clone() for norm in norms(net) if norm.running_mean is not None])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


def test_blocks_count_by_their_size_and_a_picture_alone_not() -> None:
    net, pictures = built(), drawn(61)
    take_statistics(net, pictures.split([40, 1, 20]))
    maps = net.get_submodule("conv1")(torch.cat([pictures[:40], pictures[41:]]))
    torch.testing.assert_close(norms(net)[0].running_mean, maps.mean((0, 2, 3)))


def test_joined_layers_find_the_same() -> None:
    plain, joined = built(), built()
    take_statistics(plain, drawn(100).split(50))
    with fused(joined):
        take_statistics(joined, drawn(100).split(50))
    for one, other in zip(norms(plain), norms(joined), strict=True):
        torch.testing.assert_close(one.running_mean, other.running_mean)
        torch.testing.assert_close(one.running_var, other.running_var)


@pytest.mark.parametrize(("setting", "taken"), [("true,validation=0", 1), ("true", 3), ("false", 0)])
def test_a_training_ends_with_them_and_judges_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, taken: int
) -> None:
    times = []
    monkeypatch.setattr(
        "convoscope.training.worker.take_statistics", lambda *given: times.append(take_statistics(*given))
    )
    recipe = f"default:rotate=15,shift=0.1,batch_size=500,precise_norm={setting}"
    run = cs.train("digits", NETWORKS[0], recipe, epochs=3, out=tmp_path / "run")
    assert len(times) == taken
    held = run.config["data"]["validation_images"]
    assert bool(held) == ("validation=0" not in setting)
    if not held:
        images = inputs_from(cs.load("digits").train.images, run.preprocessing.scaling, (8, 8), torch.device("cpu"))
        with torch.no_grad():
            maps = run.model.get_submodule("conv1")(images)
        torch.testing.assert_close(norms(run.model)[0].running_mean, maps.mean((0, 2, 3)))


def test_a_network_without_them_is_trained_as_ever(tmp_path: Path) -> None:
    one, other = (
        cs.train("digits", "lenet5", f"default:precise_norm={setting}", epochs=1, out=tmp_path / setting)
        for setting in ("true", "false")
    )
    assert all(torch.equal(one.model.state_dict()[name], tensor) for name, tensor in other.model.state_dict().items())
