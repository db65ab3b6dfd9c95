"""What a league tells while it runs, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from convoscope.core.messages import say
from convoscope.core.numerals import grouped
from convoscope.league.table import Outcome


@dataclass(frozen=True)
class Cell:
    """A row with a seed.

    Attributes:
        row: its short name.
        seed: the seed.
        key: what the result depends on.
        expected: about how many seconds it takes, on a machine like ours.
    """

    row: str
    seed: int
    key: str
    expected: float


class Listener:
    """Named no-ops; override what you want to hear."""

    def on_begin(self, cells: Sequence[Cell]) -> None:
        """These are to be measured; all others are done."""

    def on_cell(self, cell: Cell) -> None:
        """A row and seed begins."""

    def on_progress(self, cell: Cell, share: float) -> None:
        """This share of it is done."""

    def on_measured(self, cell: Cell, outcome: Outcome) -> None:
        """It is done; `outcome` is its row's, so far."""

    def on_failed(self, cell: Cell, reason: str) -> None:
        """It came to nothing."""

    def on_end(self) -> None:
        """Nothing more will be measured, whatever the reason."""


class Forecast:
    """The time left: what was expected of the cells to come, times how much longer than expected the others took.

    Args:
        cells: to be measured.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.total = sum(each.expected for each in cells)
        self.done = 0.0
        self._begun = time.monotonic()
        self._current, self._share = 0.0, 0.0

    def start(self, cell: Cell) -> None:
        """A cell begins."""
        self._current, self._share = cell.expected, 0.0

    def move(self, share: float) -> None:
        """This share of it is done."""
        self._share = share

    def finish(self) -> None:
        """It is done."""
        self.done += self._current
        self._current, self._share = 0.0, 0.0

    @property
    def passed(self) -> float:
        """What was expected of all that is done, in seconds."""
        return self.done + self._current * self._share

    def left(self) -> float:
        """Seconds."""
        return (self.total - self.passed) * self._pace()

    def _pace(self) -> float:
        # What was expected counts for a minute's measurement, so that the first second's decides nothing.
        known = 60.0
        return (time.monotonic() - self._begun + known) / (self.passed + known)


class Terminal(Listener):
    """A line for each row and seed, and on a terminal a moving bar; everything on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None

    def on_begin(self, cells: Sequence[Cell]) -> None:
        """Open the bar."""
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._forecast = Forecast(cells)
        self._number, self._count = 0, len(cells)
        if not cells or not self._console.is_terminal:
            return
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn()]
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=self._forecast.total or 1)
        self._bar.start()

    def on_cell(self, cell: Cell) -> None:
        """Say what begins, and when all will be done."""
        self._number += 1
        self._forecast.start(cell)
        self._begins = say(
            "league.begins", number=self._number, count=self._count, row=cell.row, seed=cell.seed,
            left=duration(self._forecast.left()),
        )  # fmt: skip
        if self._bar:
            self._bar.update(self._task, description=self._begins, completed=self._forecast.passed)
        else:
            self._console.print(self._begins)

    def on_progress(self, cell: Cell, share: float) -> None:  # noqa: ARG002
        """Move the bar."""
        self._forecast.move(share)
        if self._bar:
            self._bar.update(self._task, completed=self._forecast.passed)

    def on_measured(self, cell: Cell, outcome: Outcome) -> None:
        """Say what came out."""
        self._forecast.finish()
        figures = outcome.figures[outcome.seeds.index(cell.seed)]
        words = {"error": f"{figures['error']:.2%}", "seconds": grouped(figures["seconds"], 1)}
        self._console.print(say("league.measured", row=cell.row, seed=cell.seed, **words))

    def on_failed(self, cell: Cell, reason: str) -> None:
        """Say why."""
        self._forecast.finish()
        self._console.print(say("league.failed_line", row=cell.row, seed=cell.seed, reason=reason), markup=False)

    def on_end(self) -> None:
        """Close the bar."""
        if self._bar:
            self._bar.stop()
            self._bar = None


def duration(seconds: float) -> str:
    """About how long, in the language in use: seconds below two minutes, minutes below two hours, else hours."""
    if seconds < 120:
        return say("league.about_seconds", count=f"{seconds:.0f}")
    if seconds < 7200:
        return say("league.about_minutes", count=f"{seconds / 60:.0f}")
    return say("league.about_hours", count=f"{seconds / 3600:.1f}")
