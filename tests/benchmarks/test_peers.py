"""The peers are the networks that were published, and they learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import convoscope as cs
from benchmarks.peers import PEERS, Airbench, MnistExample
from benchmarks.peers.airbench import near_orthogonal, whiten_
from convoscope import models
from convoscope.data.types import ImageData
from tests.benchmarks.conftest import part_of


class SmallBatches(Airbench):
    """A few pictures a step, so that a few steps cost little."""

    batch_size = 40


@pytest.fixture(scope="module")
def digits() -> ImageData:
    return part_of(cs.load("mnist-5k"), 640)


@pytest.fixture(scope="module")
def coloured_digits(digits: ImageData) -> ImageData:
    """Digits in the shape of CIFAR-10's pictures, which are not at hand everywhere."""

    def coloured(images: np.ndarray) -> np.ndarray:
        return np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2))).repeat(3, axis=1)

    few = part_of(digits, 80)
    return cs.data.from_arrays(
        coloured(few.train.images), few.train.labels, coloured(few.test.images), few.test.labels, mirrored=True
    )


def test_the_mnist_example_has_the_published_size(digits: ImageData) -> None:
    peer = MnistExample(digits, 0)
    assert sum(parameter.numel() for parameter in peer.model.parameters()) == 1_199_882
    assert peer.batches.steps == 10
    assert MnistExample.published_epochs == 14


def test_airbench_has_the_published_cost(coloured_digits: ImageData) -> None:
    peer = Airbench(coloured_digits, 0)
    cost = models.summary(peer.model, (3, 32, 32))
    assert cost.train_flops_per_image == pytest.approx(0.708e9, rel=0.001)
    assert cost.parameters == 1_972_792
    shapes = {layer.name: layer.output_shape for layer in cost.layers}
    assert (shapes["whiten"], shapes["pool1"], shapes["pool3"]) == ((24, 31, 31), (64, 15, 15), (256, 3, 3))


def test_the_whitening_bias_is_frozen_after_three_eighths(coloured_digits: ImageData) -> None:
    peer = Airbench(coloured_digits, 0)
    costs = []
    for step in (0, 2, 3):
        peer.before_step(step)
        costs.append(peer.flops_per_image())
    first = models.summary(peer.model, (3, 32, 32)).layers[2]
    # Without a bias to train before it, the first trained convolution needs no gradient of its input.
    assert costs == [costs[0], costs[0], costs[0] - 2 * first.macs]
    assert peer.planned_flops() == len(coloured_digits.train) * (3 * costs[0] + 5 * costs[2])


def test_whitened_patches_are_uncorrelated(coloured_digits: ImageData) -> None:
    pictures = torch.rand(20, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    layer = nn.Conv2d(3, 24, 2, bias=False)
    whiten_(layer, pictures)
    numbers = layer(pictures)[:, :12].permute(1, 0, 2, 3).flatten(1)
    torch.testing.assert_close(numbers @ numbers.T / numbers.shape[1], torch.eye(12), atol=0.05, rtol=0)


def test_muons_quintic_keeps_directions_and_evens_out_lengths() -> None:
    generator = torch.Generator().manual_seed(1)
    left, _, right = torch.linalg.svd(torch.randn(6, 10, generator=generator), full_matrices=False)
    matrix = left @ torch.diag(torch.tensor([1.0, 0.9, 0.8, 0.6, 0.5, 0.4])) @ right
    for one in (matrix, matrix.T):
        assert torch.linalg.svdvals(near_orthogonal(one)).min() > 0.5
        assert torch.linalg.svdvals(near_orthogonal(one)).max() < 1.5


def test_the_mnist_example_learns(digits: ImageData) -> None:
    peer = MnistExample(digits, 0, epochs=2)
    peer.train_epoch()
    peer.train_epoch()
    assert peer.losses[1] < 0.5 * peer.losses[0]
    assert peer.test() < 0.5
    assert peer.flops == pytest.approx(peer.planned_flops())


def test_airbench_learns(full_data: Path) -> None:
    peer = SmallBatches(part_of(cs.load("cifar10", data_dir=full_data), 120), 0, epochs=3)
    for _ in range(3):
        peer.train_epoch()
    # The loss is a sum in training, and a mean a picture here; label smoothing keeps it up.
    assert peer.losses[2] < peer.losses[0]
    assert 0 <= peer.test("flip-shift") <= 1


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_goes_on_from_its_last_epoch(
    name: str, digits: ImageData, coloured_digits: ImageData, tmp_path: Path
) -> None:
    kind, loaded = (SmallBatches, coloured_digits) if name == "airbench94" else (MnistExample, part_of(digits, 128))
    whole = kind(loaded, 1, epochs=2)
    whole.train_epoch()
    whole.save(tmp_path, seconds=1.5)
    other = kind(loaded, 1, epochs=2)
    assert other.restore(tmp_path)["seconds"] == 1.5
    for peer in (whole, other):
        peer.train_epoch()
    assert (other.epochs_done, other.flops, other.losses) == (2, whole.flops, whole.losses)
    for one, another in zip(whole.model.state_dict().values(), other.model.state_dict().values(), strict=True):
        torch.testing.assert_close(one, another, atol=0, rtol=0)


def test_a_fresh_peer_starts_at_the_beginning(digits: ImageData, tmp_path: Path) -> None:
    assert MnistExample(digits, 0).restore(tmp_path) == {}


def test_every_peer_names_its_source() -> None:
    for kind in PEERS.values():
        assert kind.source
        assert kind.title.endswith("re-implemented")
