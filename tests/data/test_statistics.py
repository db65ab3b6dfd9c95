"""Statistics of pixels, and repeated files."""

from __future__ import annotations

import numpy as np
import pytest

from convoscope.data import types
from convoscope.data.statistics import duplicates, mean_and_std


def test_mean_and_std_are_those_of_numpy(monkeypatch):
    monkeypatch.setattr(types, "_BLOCK", 400)
    images = np.random.default_rng(0).integers(0, 256, (20, 3, 5, 4), dtype=np.uint8)
    mean, std = mean_and_std(images)
    assert mean == pytest.approx(images.mean(axis=(0, 2, 3)) / 255)
    assert std == pytest.approx(images.std(axis=(0, 2, 3)) / 255)


def test_duplicates_are_grouped():
    assert duplicates("abcde", "xyxzy") == [["a", "c"], ["b", "e"]]
    assert duplicates("ab", "xy") == []
