"""``convoscope train``: from images to a tested classifier."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from convoscope.cli._common import AsJson, DataDir, Lang, answer, members, option, tell
from convoscope.core.messages import say


def _recipes() -> str:
    return members("training", "recipes", suffix=".toml")


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("cli.train_help"))
    def train(
        data: Annotated[str | None, option("--data", "train_data", metavar="NAME|FOLDER")] = None,
        model: Annotated[str | None, option("--model", "train_model", metavar="NAME")] = None,
        recipe: Annotated[str | None, option("--recipe", "train_recipe", metavar="NAME", known=_recipes())] = None,
        epochs: Annotated[int | None, option("--epochs", "train_epochs", metavar="N")] = None,
        seed: Annotated[int | None, option("--seed", "train_seed", metavar="N")] = None,
        out: Annotated[Path | None, option("--out", "train_out", metavar="DIR")] = None,
        devices: Annotated[int | None, option("--devices", "train_devices", metavar="N")] = None,
        precision: Annotated[str | None, option("--precision", "train_precision", metavar="NAME")] = None,
        resume: Annotated[Path | None, option("--resume", "train_resume", metavar="DIR")] = None,
        size: Annotated[int | None, option("--size", "train_size", metavar="PIXELS")] = None,
        tta: Annotated[str | None, option("--tta", "train_tta", metavar="KIND")] = None,
        data_dir: DataDir = None,
        checkpoint_seconds: Annotated[
            float | None, option("--checkpoint-seconds", "train_checkpoint_seconds", metavar="S")
        ] = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.training.launch import describe_result
        from convoscope.training.launch import train as train_now
        from convoscope.training.processes import is_first
        from convoscope.training.progress import Terminal

        listener = Terminal()
        run = train_now(
            data,
            model,
            recipe,
            epochs=epochs,
            seed=seed,
            out=out,
            devices=devices,
            resume=resume,
            data_dir=data_dir,
            size=size,
            test_time_augmentation=tta,
            checkpoint_seconds=checkpoint_seconds,
            precision=precision,
            listener=listener,
        )
        if not is_first():
            return
        metrics: dict[str, Any] = run.metrics or {}
        tell(say("cli.train_next", path=shlex.quote(str(run.path))))
        answer(as_json, metrics, describe_result(run))
