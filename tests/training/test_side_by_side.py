from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import convoscope as cs
from convoscope.training.side_by_side import ROW, WIDEST, SideBySideConv2d, lay, pictures_a_row, side_by_side
from tests.training.listeners import StopsAfter


def whole(generator: torch.Generator, *shape: int, to: int = 1) -> Tensor:
    """Whole numbers so small that sums of their products stay below 256, where bfloat16 has every whole number.

    Where a processor has no products of bfloat16, PyTorch adds parts of a sum that are already rounded. Below 256 no
    part is, so that every order of adding gives the same bits.
    """
    return torch.randint(-to, to + 1, shape, generator=generator).float()


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(1, 24),
    channels=st.integers(1, 12),
    filters=st.integers(1, 12),
    height=st.integers(1, 9),
    width=st.integers(1, WIDEST),
    reach=st.sampled_from([(1, 1), (2, 2), (1, 2)]),
    last=st.booleans(),
)
def test_outputs_and_gradients_are_those_of_pytorch(
    batch: int, channels: int, filters: int, height: int, width: int, reach: tuple[int, int], last: bool
) -> None:
    generator = torch.Generator().manual_seed(batch * width)
    size = (2 * reach[0] + 1, 2 * reach[1] + 1)
    usual = nn.Conv2d(channels, filters, size, padding=reach, bias=False)
    usual.weight.data = whole(generator, *usual.weight.shape, to=3)
    ours = SideBySideConv2d(channels, filters, size, padding=reach, bias=False)
    ours.load_state_dict(usual.state_dict())
    maps = whole(generator, batch, channels, height, width)
    maps = maps.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format).requires_grad_()
    weights = whole(generator, batch, filters, height, width)
    found = []
    for layer in (usual, ours):
        with torch.autocast("cpu", torch.bfloat16):
            outputs = layer(maps)
        found.append([outputs, *torch.autograd.grad((outputs.float() * weights).sum(), [maps, *layer.parameters()])])
    for expected, given_back in zip(*found, strict=True):
        torch.testing.assert_close(given_back, expected, rtol=0, atol=0)


@given(pictures=st.integers(1, 2000), width=st.integers(2, 12))
def test_rows_are_full_and_not_too_long(pictures: int, width: int) -> None:
    together = pictures_a_row(pictures, width)
    assert pictures % together == 0
    assert together == 1 or together * width <= ROW


def test_maps_lie_side_by_side_with_zeros_between() -> None:
    maps = torch.arange(1, 9.0).reshape(4, 1, 1, 2)
    assert lay(maps, 2, 1).tolist() == [[[[1, 2, 0, 3, 4, 0]]], [[[5, 6, 0, 7, 8, 0]]]]


def test_only_layers_that_allow_it_are_changed_and_only_within() -> None:
    net = nn.Sequential(
        nn.Conv2d(4, 4, 3, padding=1, bias=False),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Conv2d(4, 4, 3, bias=False),
        nn.Conv2d(4, 4, 1, bias=False),
        nn.Conv2d(4, 4, 3, padding="same", bias=False),
        nn.Conv2d(4, 4, 3, padding=1, stride=2, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, groups=2, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect", bias=False),
    )
    with side_by_side(net):
        assert [type(layer) is SideBySideConv2d for layer in net] == [True] + [False] * 7
    assert all(type(layer) is nn.Conv2d for layer in net)


@pytest.mark.parametrize(("precision", "expected"), [("bfloat16", True), ("float32", False)])
def test_a_training_in_bfloat16_lays_its_maps_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, expected: bool
) -> None:
    laid = []
    monkeypatch.setattr("convoscope.training.side_by_side.lay", lambda *given: laid.append(given) or lay(*given))
    cs.train("digits", "convnet", "quick", epochs=1, precision=precision, out=tmp_path / "run")
    assert bool(laid) is expected


def test_an_interrupted_training_ends_with_the_same_bits(tmp_path: Path) -> None:
    asked = {"epochs": 2, "seed": 1, "precision": "bfloat16"}
    complete = cs.train("digits", "convnet", "quick", out=tmp_path / "whole", **asked)
    cs.train("digits", "convnet", "quick", out=tmp_path / "stopped", listener=StopsAfter(20), **asked)
    resumed = cs.train(resume=tmp_path / "stopped")
    assert (resumed.path / "model.safetensors").read_bytes() == (complete.path / "model.safetensors").read_bytes()
