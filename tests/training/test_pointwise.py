"""1x1 convolutions with a stride, of few maps: the gradient of their kernels is right, and no memory is harmed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from convoscope.training.pointwise import safe_pointwise


@pytest.mark.parametrize("maps", [1, 2, 3, 4, 7, 8, 15, 16])
@pytest.mark.parametrize(("batch", "height", "width", "stride"), [(8, 8, 8, 2), (7, 9, 6, (3, 2)), (16, 32, 32, 2)])
def test_gradients_are_those_of_double_precision(
    maps: int, batch: int, height: int, width: int, stride: int | tuple[int, int]
) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(batch, maps, height, width)
    convolution = nn.Conv2d(maps, 2 * maps, 1, stride).to(memory_format=torch.channels_last)
    exact = nn.Conv2d(maps, 2 * maps, 1, stride).double()
    exact.load_state_dict(convolution.state_dict())
    expected = exact(inputs.double())
    expected.square().sum().backward()
    with safe_pointwise(convolution):
        found = convolution(inputs.contiguous(memory_format=torch.channels_last))
        found.square().sum().backward()
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    for one, other in zip(convolution.parameters(), exact.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        torch.testing.assert_close(one.grad.double(), other.grad, rtol=1e-4, atol=1e-4)
    assert type(convolution) is nn.Conv2d


@pytest.mark.parametrize(("data", "model"), [("digits", "resnet:width=4"), ("colour-digits", "convnet:stem_kernel=1")])
def test_a_training_comes_to_its_end(tmp_path: Path, data: str, model: str) -> None:
    command = [sys.executable, "-m", "convoscope", "train", "--data", data, "--model", model, "--epochs", "1"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "run")], capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
