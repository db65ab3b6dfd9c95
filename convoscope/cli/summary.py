"""``convoscope summary``: what a network is made of and what it costs, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convoscope.cli._common import AsJson, Lang, answer
from convoscope.core.errors import RequestError
from convoscope.core.messages import say

if TYPE_CHECKING:
    from convoscope.models import Summary


_LONGEST = 20  # characters of a side: Python itself refuses to read a number of thousands


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("models.summary_help"))
    def summary(
        model: Annotated[str, typer.Argument(metavar="MODEL|RUN", help=say("models.summary_model"))],
        image: Annotated[
            str | None, typer.Option("--input", metavar="CxHxW", help=say("models.summary_input"), show_default=False)
        ] = None,
        classes: Annotated[
            int | None, typer.Option("--classes", metavar="N", help=say("models.summary_classes"), show_default=False)
        ] = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        shape = None if image is None else _shape(image)
        told = _of_run(model, shape, classes) if _is_path(model) else _of_model(model, shape, classes)
        answer(as_json, told.to_dict(), str(told))


def _of_model(spec: str, shape: tuple[int, ...] | None, classes: int | None) -> Summary:
    from convoscope import models

    return models.summary(spec, (1, 28, 28) if shape is None else shape, classes=10 if classes is None else classes)


def _of_run(folder: str, shape: tuple[int, ...] | None, classes: int | None) -> Summary:
    from convoscope import models
    from convoscope.runs import Run

    run = Run(folder)
    if classes is not None:
        raise RequestError("models.run_has_classes", run=folder, count=len(run.classes), asked=classes)
    return models.summary(run.model, run.preprocessing.input_shape if shape is None else shape)


def _is_path(words: str) -> bool:
    """Whether a folder is meant. A model's name is a model, whatever lies beside us; ``./lenet5`` is the folder."""
    if "/" in words or "\\" in words:
        return True
    from convoscope import models

    return words not in models.registry and Path(words).is_dir()


def _shape(words: str) -> tuple[int, ...]:
    """``1x28x28`` in numbers."""
    parts = words.lower().replace("×", "x").split("x")
    if not all(part.strip().isdecimal() and len(part) < _LONGEST for part in parts):
        raise RequestError("models.input_shape", asked=words)
    return tuple(int(part) for part in parts)
