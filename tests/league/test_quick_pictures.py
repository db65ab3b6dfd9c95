"""The part of real pictures that a quick league is played on."""

from __future__ import annotations

import numpy as np
import pytest

import convoscope as cs
from convoscope.data import ImageData, from_arrays
from convoscope.league import ordered, registry
from convoscope.league.pictures import subset


@pytest.fixture(scope="module")
def digits() -> cs.ImageData:
    return cs.load("mnist-5k")


def labelled(data: cs.ImageData, labels: np.ndarray, tested: int) -> ImageData:
    """Real pictures with other labels, the first `tested` of them to test with."""
    images = data.train.images[: len(labels)]
    return from_arrays(images[tested:], labels[tested:], images[:tested], labels[:tested], classes=names(labels))


def names(labels: np.ndarray) -> tuple[str, ...]:
    return tuple(str(label) for label in range(labels.max() + 1))


def test_every_class_keeps_its_share(digits: cs.ImageData) -> None:
    part = subset(digits)
    assert (len(part.train), len(part.test)) == (1000, 500)
    assert set(np.bincount(part.train.labels)) == {100}
    assert part.fingerprint == subset(digits).fingerprint != digits.fingerprint


def test_a_few_pictures_more_than_are_wanted_are_no_harm(digits: cs.ImageData) -> None:
    labels = np.arange(2000) % 10
    part = subset(labelled(digits, labels, tested=505))
    assert len(part.test) == 500
    assert set(part.test.labels.tolist()) == set(range(10))


def test_a_class_of_a_few_pictures_keeps_two_to_learn_from(digits: cs.ImageData) -> None:
    labels = np.arange(3000) % 3
    labels[600:][labels[600:] == 2] = 0
    labels[[600, 601, 602]] = 2  # of 2,400 training pictures: one of 1,000, if its share were all
    part = subset(labelled(digits, labels, tested=600))
    assert len(part.train) == 1000
    assert (part.train.labels == 2).sum() == 2
    for name in ordered():
        registry.get(name).learner.check(part)


def test_a_class_of_one_picture_is_kept(digits: cs.ImageData) -> None:
    labels = np.arange(3000) % 2
    labels[[0, 2999]] = 2
    part = subset(labelled(digits, labels, tested=600))
    assert [(images.labels == 2).sum() for images in (part.train, part.test)] == [1, 1]


def test_more_classes_than_pictures_are_wanted_of_leave_all_of_them(digits: cs.ImageData) -> None:
    labels = np.arange(3600) % 600
    part = subset(labelled(digits, labels, tested=1200))
    assert (len(part.train), len(part.test)) == (2400, 1200)
