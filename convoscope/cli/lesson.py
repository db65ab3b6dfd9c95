"""``convoscope lesson``: which lessons there are, and whether a lesson file will open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from convoscope.cli._common import AsJson, Lang, answer
from convoscope.core.messages import say

if TYPE_CHECKING:
    from convoscope.lessons.tour_file import TourFile


def register(app: typer.Typer) -> None:
    """Add the commands, their help in the language in use."""
    group = typer.Typer(help=say("tours.cli_help"), no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name="lesson")

    @group.command("list", help=say("tours.cli_list_help"))
    def list_(as_json: AsJson = False, lang: Lang = None) -> None:
        from convoscope.lessons.tour_file import read_shipped, shipped

        rows = [_row(read_shipped(name)) for name in shipped()]
        answer(as_json, {"lessons": rows}, "\n".join(map(_line, rows)))

    @group.command(help=say("tours.cli_check_help"))
    def check(
        lesson: Annotated[
            str, typer.Argument(metavar="FILE|NAME", help=say("cli.argument_lesson"), show_default=False)
        ],
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.lessons.tour_file import find
        from convoscope.web.touring import OpenTour

        file = find(lesson)
        OpenTour(file).check()
        row = _row(file)
        answer(as_json, {**row, "file": str(file.path)}, say("tours.cli_checked", asked=lesson, **row))


def _line(row: dict[str, Any]) -> str:
    return f"{row['name']:<12} {row['steps']:>3}  {', '.join(row['languages']):<7} {row['title']}"


def _row(file: TourFile) -> dict[str, Any]:
    from convoscope.lessons.tour_question import spoken

    tour = file.tour
    return {
        "name": file.name,
        "title": spoken(tour.title),
        "languages": list(tour.languages),
        "steps": len(tour.steps),
        "questions": sum(step.question is not None for step in tour.steps),
    }
