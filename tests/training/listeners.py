"""Listeners that several tests use."""

from __future__ import annotations

import os
import signal
import threading
import time

from convoscope.training.progress import Listener, Plan


class StopsAfter(Listener):
    """Interrupts the training as Ctrl-C does, after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_step(self, epoch: int, loss: float, images: int) -> None:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


class Killer(Listener):
    """Kills its own process, as `kill -9` does, so many seconds after the training began; never for none.

    From a thread of its own, so that it can fall anywhere: in a step, in a file being written.
    """

    def __init__(self, after: float | None) -> None:
        self.after = after

    def on_start(self, plan: Plan, done_steps: int) -> None:
        if self.after is not None:
            threading.Thread(target=self._kill, args=(self.after,), daemon=True).start()

    def _kill(self, after: float) -> None:
        time.sleep(after)
        os.kill(os.getpid(), signal.SIGKILL)
