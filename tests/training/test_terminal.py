"""What a terminal shows of a training."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path

import pytest

from convoscope import train
from convoscope.core.messages import using_language
from convoscope.training.progress import Terminal


class Interrupted(Terminal):
    """A terminal where Ctrl-C is pressed in the first step."""

    def on_step(self, epoch: int, loss: float, images: int) -> None:
        super().on_step(epoch, loss, images)
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("terminal", [True, False])
def test_names_are_shown_as_they_are_and_commands_in_one_line(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    folder = pictures.rename(pictures.with_name("pets [v2] :cat:"))
    out = folder.with_name("run [bold] of pets " + "with a long name " * 5)
    with using_language("en"):
        train(folder, "dense-800", epochs=2, out=out, listener=Interrupted())
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err).replace("\r", "\n").splitlines()
    assert any(line.endswith(f"go on with: convoscope train --resume {shlex.quote(str(out))}") for line in shown)
    begins = [line for line in shown if line.startswith(f"{folder}: ") and line.endswith(" to test with")]
    assert len(begins) == terminal
