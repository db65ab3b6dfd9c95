from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convoscope.data.augment import Augmentation
from convoscope.data.batches import Batches, Scaling

ALL = Augmentation(rotate=10, scale=0.1, shear=0.1, shift=0.1, elastic=5, flip="random", cutout=0.3)


def make(n: int, batch_size: int, augmentation: Augmentation = ALL, *, rank: int = 0, world: int = 1) -> Batches:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (n, 1, 8, 8), dtype=np.uint8)
    return Batches(
        images,
        np.arange(n),
        np.arange(n),
        batch_size=batch_size,
        scaling=Scaling((0.5,), (0.25,)),
        augmentation=augmentation,
        mirrored=True,
        seed=7,
        rank=rank,
        world=world,
    )


@settings(deadline=None, max_examples=40)
@given(n=st.integers(1, 90), batch_size=st.integers(1, 40), epoch=st.integers(0, 5))
def test_every_picture_is_shown_once_an_epoch_in_batches_of_nearly_equal_size(
    n: int, batch_size: int, epoch: int
) -> None:
    batches = make(n, batch_size, Augmentation())
    shown = [batches.batch(epoch, step) for step in range(batches.steps)]
    assert sorted(torch.cat([labels for _, labels, _ in shown]).tolist()) == list(range(n))
    sizes = [len(labels) for _, labels, _ in shown]
    assert max(sizes) - min(sizes) <= 1
    assert all(count == size for (_, _, count), size in zip(shown, sizes, strict=True))


@settings(deadline=None, max_examples=40)
@given(
    weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=90),
    batch_size=st.integers(1, 40),
    epoch=st.integers(0, 5),
    world=st.integers(1, 2),
)
def test_with_weights_a_picture_is_shown_in_proportion(
    weights: list[float], batch_size: int, epoch: int, world: int
) -> None:
    n = len(weights)
    ranks = [make(n, max(batch_size, world), Augmentation(), rank=rank, world=world) for rank in range(world)]
    given_weights = np.array(weights)
    shown: list[int] = []
    for step in range(ranks[0].steps):
        for batches in ranks:
            labels = batches.batch(epoch, step, None, given_weights)[1]
            assert labels.tolist() == batches.places(epoch, step, given_weights).tolist()
            shown += labels.tolist()
    assert len(shown) == n
    expected = given_weights / given_weights.sum() * n
    times = np.bincount(shown, minlength=n)
    assert np.all(times >= np.floor(expected - 1e-6))
    assert np.all(times <= np.ceil(expected + 1e-6))


def test_a_batch_depends_on_seed_epoch_and_step_alone() -> None:
    one, other = make(50, 8), make(50, 8)
    for step in range(5):  # the second is asked out of order
        other.batch(3, step)
    images, labels, _ = one.batch(1, 2)
    again, same, _ = other.batch(1, 2)
    assert torch.equal(images, again)
    assert torch.equal(labels, same)
    assert not torch.equal(images, one.batch(2, 2)[0])


@settings(deadline=None, max_examples=25)
@given(n=st.integers(12, 60), batch_size=st.integers(8, 20), world=st.integers(2, 4))
def test_processes_share_a_batch_and_see_the_same_pictures(n: int, batch_size: int, world: int) -> None:
    whole, labels, count = make(n, batch_size).batch(0, 0)
    parts = [make(n, batch_size, rank=rank, world=world).batch(0, 0) for rank in range(world)]
    assert torch.equal(torch.cat([part[1] for part in parts]), labels)
    torch.testing.assert_close(torch.cat([part[0] for part in parts]), whole)
    assert {part[2] for part in parts} == {count}


def test_order_differs_between_epochs_and_pixels_are_scaled_in_channels_last_memory() -> None:
    batches = make(20, 20, Augmentation())
    first, second = batches.batch(0, 0), batches.batch(1, 0)
    assert first[1].tolist() != second[1].tolist()
    expected = (batches.images[first[1].numpy()] / 255 - 0.5) / 0.25
    np.testing.assert_allclose(first[0].numpy(), expected, rtol=1e-5, atol=1e-5)
    assert first[0].is_contiguous(memory_format=torch.channels_last)


def test_scaling_is_mean_and_deviation_of_the_rows_named() -> None:
    images = np.random.default_rng(1).integers(0, 256, (30, 3, 5, 6), dtype=np.uint8)
    rows = np.arange(0, 30, 2)
    scaling = Scaling.of(images, rows)
    values = images[rows] / 255
    assert scaling.mean == pytest.approx(tuple(values.mean((0, 2, 3))), abs=1e-5)
    assert scaling.std == pytest.approx(tuple(values.std((0, 2, 3))), abs=1e-5)


def test_a_channel_without_contrast_does_not_divide_by_zero() -> None:
    scaling = Scaling.of(np.full((4, 1, 3, 3), 9, np.uint8))
    assert scaling.apply(torch.full((1, 1, 3, 3), 9.0)).isfinite().all()
