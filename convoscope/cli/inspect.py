"""``convoscope inspect``: what the layers of a trained network make of a picture, and its filters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from convoscope.cli._common import AsJson, DataDir, Lang, answer, members
from convoscope.cli._pictures import picture_named
from convoscope.core.errors import RequestError
from convoscope.core.messages import say

if TYPE_CHECKING:
    from convoscope.data.types import Pixels
    from convoscope.inspection.pruning import Pruned
    from convoscope.runs import Run


def _option(name: str, key: str, metavar: str, known: str = "") -> Any:
    return typer.Option(name, help=say(f"inspection.help_{key}", known=known), metavar=metavar, show_default=False)


def register(app: typer.Typer) -> None:
    """Add the command, its help in the language in use."""

    @app.command(help=say("inspection.help_inspect"))
    def inspect(
        run: Annotated[Path, typer.Argument(metavar="RUN", help=say("cli.argument_run"), show_default=False)],
        view: Annotated[str, _option("--view", "view", "NAME", members("inspection", "views"))],
        image: Annotated[str | None, _option("--image", "image", "IMAGE")] = None,
        out: Annotated[Path | None, _option("--out", "out", "FILE.html|png")] = None,
        prune: Annotated[Path | None, _option("--prune", "prune", "DIR")] = None,
        data_dir: DataDir = None,
        as_json: AsJson = False,
        lang: Lang = None,
    ) -> None:
        from convoscope.inspection.saving import check_suffix
        from convoscope.runs import Run
        from convoscope.runs.views import view_named

        found = Run(run)
        view_named(view)
        if out is not None:
            check_suffix(out)
        if prune is not None:
            if out is not None or image is not None:
                raise RequestError("inspection.prune_alone", field="prune")
            result = _pruned(found, view, prune, data_dir)
            answer(as_json, {"before": str(run), **result.to_dict()}, str(result))
            return
        shown = found.show(view, None if image is None else _picture(image, data_dir), data_dir=data_dir)
        if out is not None:
            shown.save(out)
        if as_json:
            file = {} if out is None else {"file": str(out)}
            answer(True, {"run": str(run), **shown.to_dict(), **file}, "")
        else:
            print(shown if out is None else say("inspection.saved", file=out))


def _pruned(run: Run, view: str, out: Path, data_dir: Path | None) -> Pruned:
    from convoscope.core.spec import parse_spec
    from convoscope.inspection.pruning import prune

    asked = parse_spec(view)
    if asked.name != "filter-health":
        raise RequestError("inspection.prune_view", field="prune", asked=asked.name)
    limit = {name: float(value) for name, value in asked.parameters.items() if name == "duplicate"}
    return prune(run, out, **limit, data_dir=data_dir)


def _picture(name: str, data_dir: Path | None) -> Pixels:
    pixels = picture_named(name, data_dir)
    if pixels is None:
        raise RequestError("inspection.no_such_image", field="image", asked=name)
    return pixels
