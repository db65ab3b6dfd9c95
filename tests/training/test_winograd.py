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
from convoscope.models import build
from convoscope.training.toom_cook import Tile, best_tile
from convoscope.training.winograd import LARGE, LEAST_PAIRS, WinogradConv2d, pays, saves_time, suits, winograd
from tests.training.learning import last_loss
from tests.training.listeners import StopsAfter


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small maps, batches and trainings are taken by it, too."""
    for least in ("LEAST_TILES", "LEAST_WORK", "LEAST_FLOP"):
        monkeypatch.setattr(f"convoscope.training.winograd.{least}", 0)


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
    tile = best_tile(*maps.shape[2:])
    inward, outward, of_kernels = (each.abs().double() for each in (tile.of_inputs, tile.to_outputs, tile.kernel))
    weights = weights_of(maps, kernels).abs().double()
    before = of_squares("ij,bctujk,lk->bctuil", inward, squares(maps.abs().double(), tile, 1))
    behind = of_squares("ji,bctujk,kl->bctuil", outward, squares(weights, tile, 0))
    by = (of_kernels @ kernels.abs().double().permute(2, 3, 1, 0).reshape(9, -1)).view(
        *before.shape[4:], *kernels.shape[1::-1]
    )
    products = torch.einsum("bctuij,ijck->bktuij", before, by)
    turned = torch.einsum("bktuij,ijck->bctuij", behind, by)
    sums = torch.einsum("bctuij,bktuij->ijck", before, behind).reshape(len(of_kernels), -1)
    sums = (of_kernels.T @ sums).view(3, 3, *kernels.shape[1::-1]).permute(3, 2, 0, 1)
    found = [
        whole(of_squares("ij,bctujk,lk->bctuil", outward, products), maps, tile, 0),
        whole(of_squares("ji,bctujk,kl->bctuil", inward, turned), maps, tile, 1),
        sums,
    ]
    return [torch.finfo(torch.float32).eps * values for values in found]


def of_squares(how: str, matrix: Tensor, values: Tensor) -> Tensor:
    """Each square of values times `matrix`, from both sides."""
    return torch.einsum(how, matrix, values, matrix)


def squares(maps: Tensor, tile: Tile, margin: int) -> Tensor:
    """Maps (B, C, H, W), cut into the squares of tiles: (B, C, rows, columns, side, side)."""
    side, room = tile.outputs + 2 * margin, [-size % tile.outputs + margin for size in maps.shape[:1:-1]]
    padded = F.pad(maps, (margin, room[0], margin, room[1]))
    return padded.unfold(2, side, tile.outputs).unfold(3, side, tile.outputs)


def whole(values: Tensor, maps: Tensor, tile: Tile, margin: int) -> Tensor:
    """Squares put together again, added up where they overlap."""
    batch, channels, rows, columns, side, _ = values.shape
    size = [count * tile.outputs + 2 * margin for count in (rows, columns)]
    lines = values.permute(0, 1, 4, 5, 2, 3).reshape(batch, channels * side**2, rows * columns)
    found = F.fold(lines, size, side, stride=tile.outputs)
    return found[:, :, margin : margin + maps.shape[2], margin : margin + maps.shape[3]]


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


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("side", [3, 7, 14, 15])
@pytest.mark.parametrize("filters", [128, LARGE // 64])
def test_layers_of_networks_are_as_exact_as_training_needs(side: int, filters: int) -> None:
    """Rounding to bfloat16 alone differs by 2e-3. All threads work together on the larger matrices."""
    generator = torch.Generator().manual_seed(side)
    for images in (1, 200):
        maps = torch.randn(images, 64, side, side, generator=generator).contiguous(memory_format=torch.channels_last)
        for expected, found in both_ways(maps, torch.randn(filters, 64, 3, 3, generator=generator)):
            assert float((found - expected).norm()) <= 1e-4 * float(expected.norm())


@pytest.mark.parametrize(("side", "batch"), [(7, 700), (3, 1300)])
def test_threads_that_work_on_the_same_images_wait_for_each_other(side: int, batch: int) -> None:
    """More threads than cores, so that some lag behind, and images that do not divide into equal parts."""
    maps, kernels = torch.randn(batch, 128, side, side), torch.randn(LARGE // 128, 128, 3, 3)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3, 3, 3, 8, 8, 8):
            torch.set_num_threads(threads)
            found.append(of_tiles(maps, kernels, weights_of(maps, kernels))[:2])
    finally:
        torch.set_num_threads(before)
    for outputs, gradient in found[1:]:
        assert torch.equal(outputs, found[0][0])
        assert torch.equal(gradient, found[0][1])


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("wanted", ["inputs", "kernels"])
def test_a_gradient_that_is_not_wanted_is_left_out(wanted: str) -> None:
    maps, kernels = torch.randn(3, 17, 6, 6), torch.randn(33, 17, 3, 3)
    _, of_maps, of_kernels = of_convolution(maps, kernels, weights := weights_of(maps, kernels))
    layer = WinogradConv2d(17, 33, 3, padding=1, bias=False)
    layer.weight = nn.Parameter(kernels, requires_grad=wanted == "kernels")
    (layer(maps.requires_grad_(wanted == "inputs")) * weights).sum().backward()
    expected, found, other = (
        (of_maps, maps.grad, layer.weight.grad) if wanted == "inputs" else (of_kernels, layer.weight.grad, maps.grad)
    )
    assert other is None
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.usefixtures("everywhere")
def test_what_is_no_number_stays_none() -> None:
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 0, 1, 1] = torch.nan
    assert WinogradConv2d(2, 3, 3, padding=1)(maps).isnan().any()


def test_only_layers_that_it_is_worthwhile_for_are_changed_and_only_within() -> None:
    net = nn.Sequential(
        nn.Conv2d(16, LEAST_PAIRS // 16, 3, padding=1),
        nn.Conv2d(LEAST_PAIRS // 16, 15, 3, padding=1),
        nn.Conv2d(17, LEAST_PAIRS // 17, 3, padding=1),
        nn.Conv2d(128, 128, 3, padding=1, stride=2),
        nn.Conv2d(128, 128, 5, padding=2),
        nn.Conv2d(128, 128, 3, padding=1, groups=2),
        nn.Conv2d(128, 128, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(128, 128, 3, padding=1, dtype=torch.float64),
    )
    with winograd(net):
        assert [type(layer) is WinogradConv2d for layer in net] == [True] + [False] * 7
    assert all(type(layer) is nn.Conv2d for layer in net)


def test_small_layers_batches_and_trainings_go_pytorchs_way() -> None:
    assert pays(500, 16, 32, 12, 12)
    assert not pays(500, 16, 32, 2, 12)  # most of a tile would lie outside
    assert not pays(500, 16, 16, 4, 4)  # done in less time than the loops take to be called
    assert not pays(50, 256, 256, 7, 7)  # kernels take as long to transform as so few tiles
    net = build("convnet", (1, 28, 28), 10)
    assert saves_time(net, (1, 28, 28), 300_000)
    assert not saves_time(net, (1, 28, 28), 20_000)
    assert not saves_time(build("lenet5", (1, 28, 28), 10), (1, 28, 28), 10**9)


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("side", [2, 4, 16])
def test_predictions_are_those_of_pytorch(side: int) -> None:
    net = nn.Conv2d(64, 48, 3, padding=1).eval()
    maps = torch.randn(2, 64, side, side)
    expected = net(maps)
    with winograd(net):
        torch.testing.assert_close(net(maps), expected, rtol=0, atol=0)
        assert net.train()(maps).shape == expected.shape  # small maps go PyTorch's way in training, too
    torch.testing.assert_close(net(maps), expected, rtol=0, atol=0)


@pytest.mark.usefixtures("everywhere")
def test_a_network_learns_the_same() -> None:
    @contextmanager
    def steps(net: nn.Module, fast: bool) -> Iterator[None]:
        with winograd(net if fast else nn.Identity()):
            assert fast == any(isinstance(module, WinogradConv2d) for module in net.modules())
            yield

    losses = [last_loss("convnet:widths=64-128-128", partial(steps, fast=fast)) for fast in (False, True)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


@pytest.mark.usefixtures("everywhere")
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    model = "convnet:stem_width=64,stem_kernel=3,stem_stride=1,widths=128,pools=0"
    asked = {"epochs": 2, "seed": 1, "precision": "float32"}
    whole = cs.train("digits", model, "quick", out=tmp_path / "whole", **asked)
    cs.train("digits", model, "quick", out=tmp_path / "stopped", listener=StopsAfter(20), **asked)
    resumed = cs.train(resume=tmp_path / "stopped")
    assert suits(resumed.model.get_submodule("conv2"))
    assert (resumed.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()
