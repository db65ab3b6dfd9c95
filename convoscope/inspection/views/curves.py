"""Learning curves of a run, finished or still training, with others laid over them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.inspection.numbers import number, share
from convoscope.inspection.sheet import Block, Chart, Note, Series, Sheet, Table, Text, words
from convoscope.runs.run import Run
from convoscope.runs.views import view

_STILL = 900.0
"""Seconds after its last epoch for which a run without a result counts as training: beyond, it was probably killed."""


@view(
    "curves",
    en=(
        "Learning curves",
        "Losses and validation error by epoch, of a run that is finished or still training, with other runs "
        "laid over them.",
    ),
    es=(
        "Curvas de aprendizaje",
        "Pérdidas y error de validación por época, de una ejecución terminada o que aún se entrena, con "
        "otras superpuestas.",
    ),
)
def curves(
    run: Run,
    _image: ArrayLike | str | Path | None = None,
    _data_dir: Path | str | None = None,
    *,
    beside: str = "",
) -> Sheet:
    """Losses and validation error by epoch, of the run and of those `beside` it: names of folders, joined by ``+``.

    Raises:
        RequestError: one of them holds no run.
    """
    runs = [run, *(_beside(run, name) for name in beside.split("+") if name)]
    found = {one.path.absolute().name: one for one in runs}
    lines = {name: one.curves for name, one in found.items()}
    states = {name: _state(one) for name, one in found.items()}
    blocks: tuple[Block, ...] = (_losses(lines), _errors(lines), _table(found, lines, states), _others(run, found))
    told = [{"run": name, "state": states[name], "curves": lines[name]} for name in found]
    live = "training" in states.values()
    return Sheet("curves", run, blocks, {"runs": told}, live=live)


def _beside(run: Run, name: str) -> Run:
    folder = run.path.absolute().parent / name
    if Path(name).name != name or name in (".", ".."):
        raise RequestError("inspection.curves_beside", field="beside", asked=name)
    return Run(folder)


def _state(run: Run) -> str:
    metrics = run.metrics
    if metrics is not None:
        return "interrupted" if metrics["interrupted"] else "finished"
    file = run.folder.curves_file if run.folder.curves_file.is_file() else run.folder.config_file
    return "training" if time.time() - file.stat().st_mtime < _STILL else "stopped"


_Lines = dict[str, list[dict[str, Any]]]


def _losses(lines: _Lines) -> Chart:
    series = []
    for name, epochs in lines.items():
        for key in ("train_loss", "validation_loss"):
            title = words(f"curves_{key}", run=name)
            series += _series(title, epochs, key)
    axes = words("axis_epoch"), words("axis_loss")
    return Chart(words("curves_losses"), *axes, tuple(series))


def _errors(lines: _Lines) -> Chart:
    series = [one for name, epochs in lines.items() for one in _series(name, epochs, "validation_error", 100)]
    axes = words("axis_epoch"), words("axis_percent")
    return Chart(words("curves_errors"), *axes, tuple(series))


def _series(name: Text, epochs: list[dict[str, Any]], key: str, factor: float = 1.0) -> list[Series]:
    points = [(float(line["epoch"]), factor * line[key]) for line in epochs if key in line]
    return [Series(name, *zip(*points, strict=True))] if points else []  # type: ignore[arg-type]


def _table(found: dict[str, Run], lines: _Lines, states: dict[str, str]) -> Table:
    rows = []
    for name, run in found.items():
        last = lines[name][-1] if lines[name] else {}
        best = min((line["validation_error"] for line in lines[name] if "validation_error" in line), default=None)
        tested = (run.metrics or {}).get("test_error")
        rows.append(
            (
                name,
                words(f"state_{states[name]}"),
                f"{last.get('epoch', 0)} / {run.config['epochs']}",
                "–" if best is None else share(best),
                "–" if tested is None else share(tested),
                number(last.get("images_per_second", float("nan"))),
                number(last.get("seconds", float("nan"))),
            )
        )
    keys = ("run", "state", "epochs", "best", "test_error", "images_per_second", "seconds")
    heads = tuple(words(f"column_{key}") for key in keys)
    return Table(words("curves_runs"), heads, tuple(rows), numeric=2)


def _others(run: Run, found: dict[str, Run]) -> Note:
    """The runs that could be laid over: folders beside this one that hold a run."""
    folders = sorted(path.parent.name for path in run.path.absolute().parent.glob("*/run.json"))
    names = ", ".join(name for name in folders if name not in found)
    return Note(words("curves_others", names=names) if names else words("curves_alone"))
