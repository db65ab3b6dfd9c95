from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from convoscope.data.batches import Batches
from convoscope.training import train
from convoscope.training.focus import LEAST, Focus


def test_a_miss_counts_from_the_next_epoch_on_and_twice_shown_by_its_mean() -> None:
    focus, alone = Focus(3, 2.0), SimpleNamespace(world_size=1)
    labels = torch.tensor([0, 1, 0])
    focus.note(np.array([0, 1, 0]), torch.tensor([[0.0, 0.0], [0.0, 50.0], [50.0, 0.0]]), labels)
    assert focus.weights() == pytest.approx((1 + LEAST) ** 2)
    focus.end_epoch(alone)
    # Picture 0 was missed by a half and by nothing, picture 1 by nothing, picture 2 was not shown.
    assert focus.missed.tolist() == pytest.approx([0.25, 0, 1])
    assert focus.weights() == pytest.approx([(0.25 + LEAST) ** 2, LEAST**2, (1 + LEAST) ** 2])


def test_what_is_half_known_is_known_after_a_checkpoint() -> None:
    focus, other = Focus(2, 1.0), Focus(2, 1.0)
    focus.note(np.array([1]), torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    other.load_state_dict(focus.state_dict())
    for each in (focus, other):
        each.end_epoch(SimpleNamespace(world_size=1))
    assert torch.equal(focus.missed, other.missed)


def test_a_training_shows_missed_digits_more_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[int, Any]] = []
    places = Batches.places

    def watched(self: Batches, epoch: int, step: int, weights: Any = None) -> Any:
        found = places(self, epoch, step, weights)
        shown.append((epoch, found))
        return found

    monkeypatch.setattr(Batches, "places", watched)
    train("digits", recipe="default:focus=1,focus_from=0,focus_until=0.6", epochs=5, out=tmp_path / "run")
    once = {}
    for epoch in range(5):
        # Each batch is asked for twice: by the batches themselves and by the focus.
        counts = np.bincount(np.concatenate([found for at, found in shown if at == epoch])) // 2
        once[epoch] = bool((counts == 1).all())
    assert once == {0: True, 1: False, 2: False, 3: True, 4: True}
