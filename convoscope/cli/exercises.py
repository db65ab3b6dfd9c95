"""``convoscope exercises``: the exercises with the student's state, one of them, and results for the teacher."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convoscope.cli._common import AsJson, Lang, answer, tell
from convoscope.core.messages import say

if TYPE_CHECKING:
    from convoscope.lessons.listing import Listing


def register(app: typer.Typer) -> None:
    """Add the commands, their help in the language in use."""
    group = typer.Typer(help=say("lessons.cli_help"), invoke_without_command=True, rich_markup_mode=None)
    app.add_typer(group, name="exercises")

    @group.callback(invoke_without_command=True)
    def list_(context: typer.Context, as_json: AsJson = False, lang: Lang = None) -> None:
        if context.invoked_subcommand is None:
            from convoscope.lessons.listing import exercises
            from convoscope.lessons.progress import progress_file

            with _told():
                listing = exercises()
            file = progress_file()
            words = f"{listing}\n{say('lessons.cli_file', file=file)}"
            answer(as_json, {"file": str(file), "exercises": _rows(listing)}, words)

    @group.command(help=say("lessons.cli_show_help"))
    def show(
        name: Annotated[str, typer.Argument(metavar="NAME", help=say("cli.argument_exercise"), show_default=False)],
        seed: Annotated[int | None, _option("--seed", "seed", "N")] = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.lessons.exercise import exercise

        with _told():
            found = exercise(name, seed)
        value = {
            "name": found.name,
            "topic": found.topic,
            "kind": found.kind,
            "title": found.title,
            "seed": found.seed,
            "question": found.question,
            "choices": found.choices,
            "figures": {figure: numbers.tolist() for figure, numbers in found.figures.items()},
        }
        answer(as_json, value, f"{found}\n\n{say('lessons.cli_python', name=name, seed=found.seed)}")

    @group.command(help=say("lessons.cli_results_help"))
    def results(
        out: Annotated[Path, _option("--out", "out", "FILE.csv")],
        files: Annotated[
            list[Path] | None, typer.Argument(metavar="FILE…", help=say("cli.argument_progress"), show_default=False)
        ] = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.lessons import progress
        from convoscope.lessons.results import check_place, read_progress, write_results
        from convoscope.lessons.results import results as made

        check_place(out)
        with _told():
            lines = [line for file in files for line in read_progress(file)] if files else progress.done()
        rows = made(lines)
        write_results(out, rows)
        students = len({row["student"] for row in rows})
        answer(as_json, {"file": str(out), "rows": rows}, say("lessons.cli_written", file=out, students=students))


def _option(name: str, key: str, metavar: str) -> Any:
    return typer.Option(name, help=say(f"lessons.cli_{key}_help"), metavar=metavar, show_default=False)


def _rows(listing: Listing) -> list[dict[str, Any]]:
    return [
        {
            "name": entry.name,
            "topic": entry.topic,
            "kind": entry.kind,
            "title": entry.title,
            "state": entry.state.name,
            "attempts": entry.state.attempts,
            "hints": entry.state.hints,
            "solved": entry.state.solved,
        }
        for entry in listing
    ]


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell a warning (a damaged file of progress) in its own words, without the place in the program."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        tell(str(warning.message))
