"""``convoscope predict``: the class of pictures, from files, folders or standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convoscope.cli._common import AsJson, Lang, answer, printable, tell
from convoscope.core.errors import RequestError
from convoscope.core.messages import say

if TYPE_CHECKING:
    from convoscope.runs import Run

BATCH = 256


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("cli.predict_help"))
    def predict(
        run: Annotated[Path, typer.Argument(metavar="RUN", help=say("cli.argument_run"), show_default=False)],
        images: Annotated[
            list[str], typer.Argument(metavar="IMAGE…", help=say("cli.argument_images"), show_default=False)
        ],
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.runs import Run

        predictions, unread = _predict(Run(run), images)
        for file, reason in unread:
            tell(say("cli.predict_unread", file=printable(file), reason=reason))
        if not predictions:
            raise RequestError("cli.predict_nothing", count=len(unread))
        files = [printable(item["file"]) for item in predictions]
        width = max(map(len, files))
        words = [
            f"{file:<{width}}  {printable(item['label'])}  {item['probability']:.1%}"
            for file, item in zip(files, predictions, strict=True)
        ]
        result: dict[str, Any] = {"run": str(run), "predictions": predictions}
        if unread:
            result["unread"] = [{"file": file, "reason": reason} for file, reason in unread]
        answer(as_json, result, "\n".join(words))


def _predict(run: Run, names: list[str]) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Predictions of all pictures that can be read, and the names and reasons of those that can't."""
    from convoscope.data.decode import read_image

    predictions: list[dict[str, Any]] = []
    unread: list[tuple[str, str]] = []
    waiting: list[tuple[str, Any]] = []

    def flush() -> None:
        found = run.predict([image for _, image in waiting]) if waiting else []
        for (file, _), prediction in zip(waiting, found, strict=True):
            chances = dict(zip(run.classes, map(float, prediction.probabilities), strict=True))
            named = {"file": file, "label": prediction.label, "probability": prediction.probability}
            predictions.append({**named, "probabilities": chances})
        waiting.clear()

    run.model  # noqa: B018  # a damaged run is said before any picture is read
    for name, source in _files(names, unread):
        try:
            waiting.append((name, run.fitted(read_image(source))))  # at once: photographs take much memory
        except RequestError as error:
            unread.append((name, _reason(error)))
        if len(waiting) == BATCH:
            flush()
    flush()
    return predictions, unread


def _reason(error: RequestError) -> str:
    """Why a picture can't be read, without its name."""
    from convoscope.data.types import LeftOut

    if error.key == "data.file_closed":
        return LeftOut(error.values["file"], "closed", error.values["detail"]).reason
    return str(error.values.get("reason", error))


def _files(names: list[str], unread: list[tuple[str, str]]) -> Iterator[tuple[str, Path | bytes]]:
    """Every picture named: files, the files of folders, and ``-`` for one picture on standard input.

    What is seen to be none is added to `unread`, with the reason.
    """
    from convoscope.data.listing import files_below
    from convoscope.data.types import LeftOut

    for name in names:
        if name == "-":
            yield "-", sys.stdin.buffer.read() if sys.stdin else b""
        elif os.path.isdir(name):  # `Path.is_dir` raises where it may not look
            folder = Path(name)
            left_out: list[LeftOut] = []
            inside = sorted(folder / file for file, _ in files_below(folder, "", left_out))
            unread += ((str(folder / left.file), left.reason) for left in left_out)
            yield from ((str(path), path) for path in inside)
        else:
            yield name, Path(name)
