"""Listeners that several tests use."""

from __future__ import annotations

import signal

from convoscope.training.progress import Listener


class StopsAfter(Listener):
    """Interrupts the training as Ctrl-C does, after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_step(self, epoch: int, loss: float, images: int) -> None:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
