"""``convoscope evaluate``: what a trained network gets wrong on a test set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from convoscope.cli._common import AsJson, DataDir, Lang, answer, option, printable
from convoscope.core.messages import say
from convoscope.core.numerals import grouped


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("cli.evaluate_help"))
    def evaluate(
        run: Annotated[Path, typer.Argument(metavar="RUN", help=say("cli.argument_run"), show_default=False)],
        data: Annotated[str | None, option("--data", "evaluate_data", metavar="NAME|FOLDER")] = None,
        tta: Annotated[str, option("--tta", "train_tta", metavar="KIND")] = "none",
        data_dir: DataDir = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.runs import Run

        found = Run(run)
        result = {"run": str(run), **found.evaluate(data, data_dir=data_dir, test_time_augmentation=tta)}
        result["parameters"] = sum(parameter.numel() for parameter in found.model.parameters())
        for key in ("seconds", "train_flops"):
            if found.metrics:
                result[key] = found.metrics[key]
        answer(as_json, result, _words(result))


def _words(result: dict[str, Any]) -> str:
    low, high = result["interval"]
    lines = [
        say(
            "cli.evaluate_result",
            data=result["data"],
            error=f"{result['test_error']:.2%}",
            errors=grouped(result["test_errors"]),
            count=grouped(result["test_count"]),
            low=f"{low:.2%}",
            high=f"{high:.2%}",
            views=result["test_time_augmentation"],
        ),
        "",
        *_table(result),
    ]
    return "\n".join(lines)


def _table(result: dict[str, Any]) -> list[str]:
    """Per class: count, errors, error, and what it is most often taken for."""
    names = [printable(row["class"]) for row in result["per_class"]]
    width = max(len(say("cli.class")), *map(len, names))
    head = [say(f"cli.{key}") for key in ("class", "images", "errors", "error", "taken_for")]
    lines = [f"{head[0]:<{width}}  {head[1]:>8}  {head[2]:>8}  {head[3]:>8}  {head[4]}"]
    for at, row in enumerate(result["per_class"]):
        line = f"{names[at]:<{width}}  {grouped(row['count']):>8}  {grouped(row['errors']):>8}"
        share = f"{row['errors'] / row['count']:.2%}" if row["count"] else "–"
        others = [(count, names[to]) for to, count in enumerate(result["confusion"][at]) if to != at and count]
        mistaken = ", ".join(f"{name} ({count})" for count, name in sorted(others, reverse=True)[:3])
        lines.append(f"{line}  {share:>8}  {mistaken}".rstrip())
    return lines
