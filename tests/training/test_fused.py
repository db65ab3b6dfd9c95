from __future__ import annotations

from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import convoscope as cs
from convoscope.models import build
from convoscope.training import team
from convoscope.training.fused import FusedBatchNorm2d, fused, worthwhile
from tests.training.learning import last_loss
from tests.training.listeners import StopsAfter

needs_team = pytest.mark.skipif(not team.available(), reason="PyTorch's threads can't be had here (GNU's OpenMP)")


def line_of(channels: int, pooled: bool, activation: nn.Module) -> nn.Sequential:
    norm = nn.BatchNorm2d(channels, momentum=0.3)
    nn.init.uniform_(norm.weight, 0.2, 2)
    nn.init.normal_(norm.bias)
    return nn.Sequential(*([nn.MaxPool2d(2)] if pooled else []), norm, activation)


def trained(net: nn.Sequential, maps: Tensor, counted: Tensor | None = None) -> dict[str, Tensor]:
    """Outputs, gradients of the sum of those that are counted, and running statistics after a step of training."""
    maps = maps.detach().requires_grad_()
    outputs = net(maps)
    (outputs * weights(outputs) * (1 if counted is None else counted)).sum().backward()
    assert maps.grad is not None
    found: dict[str, Any] = {"outputs": outputs.detach(), "maps": maps.grad}
    found |= {name: parameter.grad for name, parameter in net.named_parameters()}
    return found | dict(net.named_buffers())


def weights(outputs: Tensor) -> Tensor:
    return torch.linspace(-1, 1, outputs.numel()).reshape(outputs.shape).to(outputs.dtype)


def added_up(net: nn.Sequential, maps: Tensor, counted: Tensor) -> dict[str, float]:
    """The largest sums of absolute values behind each gradient: what rounding is in proportion to where they cancel."""
    norm: Any = net[-2]
    values = net[:-2](maps)
    variance, mean = torch.var_mean(values, (0, 2, 3), correction=0, keepdim=True)
    apart = (values - mean) / (variance + norm.eps).sqrt()
    scale, shift = (parameter.detach()[:, None, None] for parameter in (norm.weight, norm.bias))
    inner = (scale * apart + shift).requires_grad_()
    outputs = net[-1](inner)
    (outputs * weights(outputs) * counted).sum().backward()
    assert inner.grad is not None
    blame, apart = inner.grad.abs(), apart.abs()
    all_blame, all_products = (each.mean((0, 2, 3), keepdim=True) for each in (blame, blame * apart))
    of_maps = scale.abs() / (variance + norm.eps).sqrt() * (blame + all_blame + apart * all_products)
    count, name = blame.numel() / len(norm.weight), f"{len(net) - 2}"
    found = {"maps": of_maps, f"{name}.weight": count * all_products, f"{name}.bias": count * all_blame}
    return {name: float(sums.max()) for name, sums in found.items()}


@needs_team
@settings(max_examples=80, deadline=None)
@given(
    batch=st.integers(1, 9),
    channels=st.integers(1, 40),
    height=st.integers(2, 13),
    width=st.integers(2, 13),
    pooled=st.booleans(),
    activation=st.sampled_from([nn.GELU(), nn.ReLU()]),
    offset=st.sampled_from([0.0, 5.0, -300.0]),
    threads=st.integers(1, 3),
    last=st.booleans(),
)
def test_it_computes_what_the_layers_do_and_their_gradients(
    batch: int, channels: int, height: int, width: int, pooled: bool, activation: nn.Module, offset: float,
    threads: int, last: bool,
) -> None:  # fmt: skip
    generator = torch.Generator().manual_seed(batch * height * width)
    maps = torch.randn(batch, channels, height + 2, width + 2, generator=generator) + offset
    maps = maps.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
    net = line_of(channels, pooled, activation)
    # An offset of 300 standard deviations leaves float32 five of its seven digits less.
    precision = 5e-6 * max(1, abs(offset))
    # Where rounding decides on which side of its corner a ReLU is, its slope is 0 or 1 by chance, PyTorch's too.
    with torch.no_grad():
        inner = deepcopy(net).double()[:-1](maps.double()).abs()
    counted = (inner > precision * inner.max()) | isinstance(activation, nn.GELU)
    expected = trained(deepcopy(net).double(), maps.double(), counted)
    sums = added_up(deepcopy(net).double(), maps.double(), counted)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with fused(net):
            found = trained(net, maps, counted)
    finally:
        torch.set_num_threads(before)
    for name, value in expected.items():
        atol = precision * sums.get(name, float(value.abs().max())) + 1e-6
        torch.testing.assert_close(
            found[name].to(value.dtype), value, rtol=precision, atol=atol, msg=lambda said, name=name: f"{name}: {said}"
        )


@needs_team
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("shape", [(3, 5, 9, 7), (4, 16, 8, 8)])
def test_bfloat16_is_as_near_to_the_truth_as_the_layers_are(pooled: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    maps = torch.randn(shape).contiguous(memory_format=torch.channels_last).bfloat16()
    net = line_of(shape[1], pooled, nn.GELU())
    truth = trained(deepcopy(net).double(), maps.double())
    with torch.autocast("cpu", torch.bfloat16):
        theirs = trained(deepcopy(net), maps)
        with fused(net):
            ours = trained(net, maps)
    assert ours["outputs"].dtype == ours["maps"].dtype == torch.bfloat16
    for name, value in truth.items():
        error, allowed = ((found[name].double() - value).abs().max() for found in (ours, theirs))
        assert error <= 1.5 * allowed + 1e-6, name


@needs_team
def test_the_first_of_equal_numbers_gets_the_gradient_and_what_is_no_number_stays_none() -> None:
    maps = torch.zeros(2, 16, 4, 4)
    maps[:, :, ::2, ::2] = torch.randn(2, 16, 2, 2).abs() + 1
    maps[:, :, 1::2, 1::2] = maps[:, :, ::2, ::2]
    net = line_of(16, True, nn.ReLU())
    expected = trained(deepcopy(net), maps)["maps"]
    with fused(net):
        found = trained(net, maps)["maps"]
    torch.testing.assert_close(found, expected)
    maps[1, 3, 2, 1] = torch.nan
    with fused(net):
        outputs = net(maps)
    assert outputs[:, 3].isnan().all()
    assert not outputs[:, :3].isnan().any()


def test_only_lines_that_it_computes_are_changed_and_only_within() -> None:
    net = nn.Sequential(
        nn.Sequential(nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.GELU()),
        nn.Sequential(nn.MaxPool2d(3), nn.BatchNorm2d(4), nn.ReLU()),
        nn.Sequential(nn.BatchNorm2d(4), nn.GELU("tanh")),
        nn.Sequential(nn.BatchNorm2d(4), nn.SiLU()),
        nn.Sequential(nn.BatchNorm2d(4, affine=False), nn.ReLU()),
        nn.Sequential(nn.BatchNorm2d(4, momentum=None), nn.ReLU()),
        nn.Sequential(nn.BatchNorm2d(4, dtype=torch.float64), nn.ReLU()),
    )
    before = [type(module) for module in net.modules()]
    with fused(net):
        inside = [[type(layer) is not kind for layer, kind in zip(line, kinds, strict=True)] for line, kinds in (
            (net[0], (nn.MaxPool2d, nn.BatchNorm2d, nn.GELU)), (net[1], (nn.MaxPool2d, nn.BatchNorm2d, nn.ReLU)),
        )]  # fmt: skip
        assert inside == [[team.available()] * 3, [False, team.available(), team.available()]]
        assert not any(isinstance(module, FusedBatchNorm2d) for line in list(net)[2:] for module in line)
    assert [type(module) for module in net.modules()] == before
    assert not hasattr(net[0][1], "pooled")


@needs_team
def test_predicting_within_it_is_pytorchs() -> None:
    net = build("convnet:widths=8-8-8", (1, 28, 28), 10).eval()
    maps = torch.randn(5, 1, 28, 28)
    expected = net(maps)
    with fused(net):
        assert torch.equal(net(maps), expected)


@needs_team
def test_a_network_learns_the_same() -> None:
    assert last_loss("convnet", fused) == pytest.approx(last_loss("convnet", nullcontext), rel=1e-3)


@needs_team
def test_the_number_of_threads_may_change_between_forward_and_backward() -> None:
    maps = torch.randn(7, 16, 5, 5, requires_grad=True)
    net = line_of(16, False, nn.GELU())
    before = torch.get_num_threads()
    try:
        with fused(net):
            torch.set_num_threads(1)
            outputs = net(maps)
            torch.set_num_threads(4)
            outputs.square().sum().backward()
    finally:
        torch.set_num_threads(before)
    found, maps.grad = maps.grad, None
    net(maps).square().sum().backward()
    torch.testing.assert_close(found, maps.grad, rtol=1e-4, atol=1e-4)


def test_it_is_for_trainings_that_are_long_enough_to_compile_for() -> None:
    net = build("convnet:stem_padding=false,widths=32-64-64,pools=1-1-0", (1, 28, 28), 10)
    assert worthwhile(net, (1, 28, 28), 300_000)
    assert not worthwhile(net, (1, 28, 28), 50_000)
    assert not worthwhile(build("lenet5", (1, 28, 28), 10), (1, 28, 28), 10**9)


@needs_team
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_interrupted_training_ends_with_the_same_bits(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convoscope.training.fused.WORTHWHILE", 0)
    asked: dict[str, Any] = {"epochs": 2, "seed": 1, "precision": precision}
    model = "convnet:stem_width=8,stem_stride=1,widths=8-16"
    whole = cs.train("digits", model, "quick", out=tmp_path / "whole", **asked)
    cs.train("digits", model, "quick", out=tmp_path / "stopped", listener=StopsAfter(20), **asked)
    resumed = cs.train(resume=tmp_path / "stopped")
    assert (resumed.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()
