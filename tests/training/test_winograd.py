from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import convoscope as cs
from convoscope.training.toom_cook import Tile, best_tile
from convoscope.training.winograd import WORTHWHILE, WinogradConv2d, suits, winograd
from tests.training.learning import last_loss
from tests.training.listeners import StopsAfter


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small maps are taken by it, too."""
    monkeypatch.setattr("convoscope.training.winograd.LEAST", 0)


def both_ways(maps: Tensor, kernels: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Outputs, and gradients of maps and kernels, each as they are and by Winograd's algorithm."""
    weights = weights_of(maps, kernels)
    exact = [values.double() for values in (maps, kernels, weights)]
    return list(zip(of_convolution(*exact), of_tiles(maps, kernels, weights), strict=True))


def weights_of(maps: Tensor, kernels: Tensor) -> Tensor:
    """What the outputs are multiplied by, so that gradients are those of a sum."""
    weights = torch.linspace(-1, 1, len(maps) * len(kernels) * maps[0, 0].numel())
    return weights.view(len(maps), len(kernels), *maps.shape[2:])


def of_convolution(maps: Tensor, kernels: Tensor, weights: Tensor) -> list[Tensor]:
    return [
        F.conv2d(maps, kernels, padding=1),
        torch.nn.grad.conv2d_input(maps.shape, kernels, weights, padding=1),
        torch.nn.grad.conv2d_weight(maps, kernels.shape, weights, padding=1),
    ]


def of_tiles(maps: Tensor, kernels: Tensor, weights: Tensor) -> list[Tensor]:
    maps = maps.detach().requires_grad_()
    layer = WinogradConv2d(kernels.shape[1], kernels.shape[0], 3, padding=1, bias=False)
    layer.weight.data = kernels
    outputs = layer(maps)
    return [outputs.detach(), *torch.autograd.grad((outputs * weights).sum(), [maps, layer.weight])]


def roundings(maps: Tensor, kernels: Tensor) -> list[Tensor]:
    """What all roundings of the algorithm add up to if each is as large as it can be, and none undoes another.

    It is what the algorithm makes of absolute values with absolute matrices, times the distance of two numbers (N. J.
    Higham, "Accuracy and Stability of Numerical Algorithms", 2002).
    """

    def absolute(height: int, width: int) -> Tile:
        tile = best_tile(height, width)
        return Tile(tile.outputs, tile.of_inputs.abs(), tile.to_outputs.abs(), tile.kernel.abs())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convoscope.training.winograd.best_tile", absolute)
        sums = of_tiles(maps.abs(), kernels.abs(), weights_of(maps, kernels).abs())
    return [torch.finfo(torch.float32).eps * values for values in sums]


@pytest.mark.usefixtures("everywhere")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batch=st.integers(1, 9),
    channels=st.integers(1, 40),
    filters=st.integers(1, 40),
    height=st.integers(3, 17),
    width=st.integers(3, 17),
    threads=st.integers(1, 2),
    last=st.booleans(),
)
def test_it_computes_the_convolution_and_its_gradients(
    batch: int, channels: int, filters: int, height: int, width: int, threads: int, last: bool
) -> None:
    generator = torch.Generator().manual_seed(height * width)
    maps = torch.randn(batch, channels, height, width, generator=generator)
    maps = maps.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
    kernels = torch.randn(filters, channels, 3, 3, generator=generator)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for (expected, found), room in zip(both_ways(maps, kernels), roundings(maps, kernels), strict=True):
            assert bool(((found - expected).abs() <= room).all())
    finally:
        torch.set_num_threads(before)


def test_more_tiles_than_are_taken_at_a_time() -> None:
    maps = torch.randn(200, 64, 15, 15).contiguous(memory_format=torch.channels_last)
    for expected, found in both_ways(maps, torch.randn(128, 64, 3, 3)):
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("side", [3, 7, 14, 15])
def test_layers_of_networks_are_as_exact_as_training_needs(side: int) -> None:
    """Rounding to bfloat16 alone differs by 2e-3."""
    generator = torch.Generator().manual_seed(side)
    maps = torch.randn(200, 64, side, side, generator=generator).contiguous(memory_format=torch.channels_last)
    for expected, found in both_ways(maps, torch.randn(128, 64, 3, 3, generator=generator)):
        assert float((found - expected).norm()) <= 1e-4 * float(expected.norm())


@pytest.mark.usefixtures("everywhere")
def test_what_is_no_number_stays_none() -> None:
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 0, 1, 1] = torch.nan
    assert WinogradConv2d(2, 3, 3, padding=1)(maps).isnan().any()


def test_only_layers_that_it_is_worthwhile_for_are_changed_and_only_within() -> None:
    net = nn.Sequential(
        nn.Conv2d(64, WORTHWHILE // 64, 3, padding=1),
        nn.Conv2d(WORTHWHILE // 64, 63, 3, padding=1),
        nn.Conv2d(128, 128, 3, padding=1, stride=2),
        nn.Conv2d(128, 128, 5, padding=2),
        nn.Conv2d(128, 128, 3, padding=1, groups=2),
        nn.Conv2d(128, 128, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(128, 128, 3, padding=1, dtype=torch.float64),
    )
    with winograd(net):
        assert [type(layer) is WinogradConv2d for layer in net] == [True] + [False] * 6
    assert all(type(layer) is nn.Conv2d for layer in net)


@pytest.mark.parametrize("side", [2, 4, 16])
def test_predictions_are_those_of_pytorch(side: int) -> None:
    net = nn.Conv2d(64, 48, 3, padding=1).eval()
    maps = torch.randn(2, 64, side, side)
    expected = net(maps)
    with winograd(net):
        torch.testing.assert_close(net(maps), expected, rtol=0, atol=0)
        assert net.train()(maps).shape == expected.shape  # small maps go PyTorch's way in training, too
    torch.testing.assert_close(net(maps), expected, rtol=0, atol=0)


def test_a_network_learns_the_same() -> None:
    @contextmanager
    def steps(net: nn.Module, fast: bool) -> Iterator[None]:
        with winograd(net if fast else nn.Identity()):
            assert fast == any(isinstance(module, WinogradConv2d) for module in net.modules())
            yield

    losses = [last_loss("convnet:widths=64-128-128", partial(steps, fast=fast)) for fast in (False, True)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_an_interrupted_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    model = "convnet:stem_width=64,stem_kernel=3,stem_stride=1,widths=128,pools=0"
    asked = {"epochs": 2, "seed": 1, "precision": "float32"}
    whole = cs.train("digits", model, "quick", out=tmp_path / "whole", **asked)
    cs.train("digits", model, "quick", out=tmp_path / "stopped", listener=StopsAfter(20), **asked)
    resumed = cs.train(resume=tmp_path / "stopped")
    assert suits(resumed.model.get_submodule("conv2"))
    assert (resumed.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()
