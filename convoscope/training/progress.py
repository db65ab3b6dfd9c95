"""What a training tells while it runs. The loop calls a `Listener`; each hook is a no-op until somebody listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convoscope.core.messages import say
from convoscope.core.numerals import grouped


@dataclass(frozen=True)
class Plan:
    """How long a training is, known before it starts."""

    epochs: int
    steps: int
    images: int

    @property
    def total_steps(self) -> int:
        """Steps of the whole training."""
        return self.epochs * self.steps


class Listener:
    """Named no-ops; override what you want to hear."""

    def on_begin(self, config: dict[str, Any]) -> None:
        """The run is about to begin or to go on; `config` is its ``run.json``."""

    def on_start(self, plan: Plan, done_steps: int) -> None:
        """The loop is about to take its first step; `done_steps` were taken before a resume."""

    def on_step(self, epoch: int, loss: float, images: int) -> None:
        """A step over `images` pictures is done."""

    def on_epoch(self, line: dict[str, Any]) -> None:
        """An epoch is done and validated; `line` is what ``curves.jsonl`` gets."""

    def on_note(self, text: str) -> None:
        """Something the user should know, as a sentence."""

    def on_end(self) -> None:
        """The loop has ended, whatever the reason."""


class Terminal(Listener):
    """A line an epoch and a moving bar on a terminal's standard error; notes only where that is no terminal."""

    def __init__(self) -> None:
        self._bar: Any = None

    @property
    def console(self) -> Any:
        """Made when first used: a listener travels to worker processes, a console can't."""
        from rich.console import Console

        return self._bar.console if self._bar else Console(stderr=True, highlight=False)

    def on_begin(self, config: dict[str, Any]) -> None:
        """Print the data, the network and the recipe with all that it says."""
        if not self.console.is_terminal:
            return
        data, setting = config["data"], config["setting"]
        counts = {name: grouped(data[f"{name}_images"]) for name in ("training", "validation", "test")}
        self._print(say("training.begin_data", name=data["name"], **counts))
        self._print(say("training.begin_model", model=setting["model"], epochs=config["epochs"]))
        augmentation = setting["augmentation"]
        stated = {key: value for key, value in setting.items() if key not in ("model", "augmentation")} | augmentation
        words = ", ".join(f"{key} {value}" for key, value in stated.items() if value not in (0, "none", []))
        self._print(say("training.begin_recipe", recipe=config["recipe"], words=words), "dim")

    def on_start(self, plan: Plan, done_steps: int) -> None:
        """Open the bar and print the heads of the columns."""
        console = self.console
        if not console.is_terminal:
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._print(say("training.table_head"), "dim")
        columns = [TextColumn("{task.description}"), BarColumn(bar_width=24), TimeRemainingColumn(compact=True)]
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("", total=plan.total_steps, completed=done_steps)
        self._plan = plan
        self._bar.start()

    def on_step(self, epoch: int, loss: float, images: int) -> None:
        """Move the bar."""
        if self._bar:
            text = f"{epoch + 1}/{self._plan.epochs}  {loss:.3f}"
            self._bar.update(self._task, advance=1, description=text)

    def on_epoch(self, line: dict[str, Any]) -> None:
        """Print the epoch's row."""
        if not self._bar:
            return
        validation = f"{line['validation_error']:.2%}" if "validation_error" in line else "–"
        speed = grouped(line["images_per_second"])
        row = f"{line['epoch']:5}  {line['train_loss']:10.4f}  {validation:>10}  {speed:>10}  {line['seconds']:8.1f}"
        self._print(row + ("  *" if line["best"] else ""))

    def on_note(self, text: str) -> None:
        """Print the sentence."""
        self._print(text)

    def on_end(self) -> None:
        """Close the bar."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _print(self, text: str, style: str | None = None) -> None:
        """A line as it is: names of files may look like markup, and a command is copied whole."""
        self.console.print(text, style=style, markup=False, emoji=False, soft_wrap=True)
