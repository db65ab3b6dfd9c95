"""Trainings that are done once, the data in colour, and augmented pictures."""

from __future__ import annotations

import numpy as np
import pytest

import convoscope as cs
from convoscope.core.messages import using_language
from convoscope.data import from_arrays
from convoscope.lessons.training import augmented, colour_data, trained


def test_a_training_is_done_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = ("digits", "dense-800:dropout=0.1", "steady:validation=0.1")
    first = trained(*asked, epochs=1)
    stamp = (first.path / "model.safetensors").stat().st_mtime_ns
    again = trained(*asked, epochs=1)
    assert again.metrics == first.metrics
    assert (again.path / "model.safetensors").stat().st_mtime_ns == stamp
    other = trained(*asked, epochs=1, seed=1)
    assert other.path != first.path
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == sorted([first.path.name, other.path.name])


def test_arrays_are_trained_on_once_as_well(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    digits = cs.load("digits")
    few, others = (
        from_arrays(digits.train.images[part], digits.train.labels[part], name="few")
        for part in (slice(0, 300), slice(300, 600))
    )
    first = trained(few, "dense-800", "steady", epochs=1)
    assert trained(few, "dense-800", "steady", epochs=1).metrics == first.metrics
    assert trained(others, "dense-800", "steady", epochs=1).path != first.path


def test_without_cifar10_there_are_digits_in_colour_and_it_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("CONVOSCOPE_DATA", raising=False)
    monkeypatch.setenv("CONVOSCOPE_CACHE", str(tmp_path))
    with using_language("es"):
        found = colour_data()
    assert found.name == "colour-digits"
    assert found.shape == (3, 32, 32)
    assert "CIFAR-10 no está en esta máquina" in capsys.readouterr().out


def test_cifar10_is_taken_where_it_is(full_data, monkeypatch, capsys):
    monkeypatch.setenv("CONVOSCOPE_DATA", str(full_data))
    assert colour_data().name == "cifar10"
    assert not capsys.readouterr().out


def test_augmented_pictures_are_drawn_by_the_seed():
    picture = cs.load("mnist-5k").train.images[0]
    first, again, other = (augmented(picture, 5, seed=seed, rotate=15.0) for seed in (0, 0, 1))
    assert first.shape == (5, 1, 28, 28)
    assert first.dtype == np.uint8
    assert (first == again).all()
    assert (first != other).any()
    assert (augmented(picture, 2) == picture).all()
    with pytest.raises(ValueError, match="rotated"):
        augmented(picture, rotated=3.0)
