"""One folder, one training: a second one is told so, and the first goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from convoscope import train
from convoscope.cli import run as convoscope
from convoscope.training.progress import Listener


class Second(Listener):
    """Asks for a second training of the same run while the first is at work."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.codes: list[int] = []

    def on_step(self, epoch: int, loss: float, images: int) -> None:
        if not self.codes:
            self.codes.append(convoscope(["train", "--resume", str(self.path), "--lang", "en"]))


def test_a_second_training_of_a_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listener = Second(tmp_path / "run")
    done = train("digits", "dense-800", "plain", epochs=1, out=listener.path, listener=listener)
    assert listener.codes == [2]
    assert "Another process is training in" in capsys.readouterr().err
    assert done.metrics is not None
    assert convoscope(["train", "--resume", str(listener.path)]) == 0  # it is complete, and nobody holds it
