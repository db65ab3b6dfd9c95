"""The error lab: confusion matrix, top losses, confident mistakes, calibration, and labels that may be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.data.corrections import picture_names
from convoscope.inspection.calibration import BINS, Calibration
from convoscope.inspection.error_lab import CONFIDENT, ErrorLab, Judged, error_lab
from convoscope.inspection.numbers import counted, share, written
from convoscope.inspection.sheet import (
    Block,
    Chart,
    Matrix,
    Note,
    Pictures,
    Series,
    Sheet,
    Shot,
    Table,
    Text,
    words,
)
from convoscope.models.parameters import Limits
from convoscope.runs.evaluation import wilson_interval
from convoscope.runs.run import Run
from convoscope.runs.views import view

_MOST_SHOTS, _MOST_IN_CELL, _MOST_SUSPECTS = 24, 24, 48


@view(
    "errors",
    en=(
        "Errors",
        "What the network gets wrong on the test set, how sure it is of it, and which training labels may be "
        "wrong themselves.",
    ),
    es=(
        "Errores",
        "En qué se equivoca la red con el conjunto de prueba, cuán segura está de ello, y qué etiquetas de "
        "entrenamiento pueden estar mal.",
    ),
)
def errors(
    run: Run,
    _image: ArrayLike | str | Path | None = None,
    data_dir: Path | str | None = None,
    *,
    labels: Judged = "validation",
    judged: Annotated[int, Limits(10, 1_000_000)] = 10_000,
) -> Sheet:
    """What the net gets wrong on the test set, and which training labels may be wrong.

    `labels` says by what the labels of at most `judged` training pictures are judged (`error_lab`).

    Raises:
        RequestError: the run's data can't be had, or have no test pictures.
    """
    data = run.load_data(data_dir=data_dir)
    if len(data.test) == 0:
        raise RequestError("runs.no_test", data=data.name)
    lab = error_lab(run, data, labels, judged)
    blocks = (_lead(lab), _confusion(lab), _top_losses(lab), _confident(lab), *_calibration(lab), _suspects(lab))
    return Sheet("errors", run, blocks, lab.to_dict())


def _lead(lab: ErrorLab) -> Note:
    wrong, count = int((lab.guesses != lab.labels).sum()), len(lab.labels)
    low, high = wilson_interval(wrong, count)
    values = {"wrong": counted(wrong), "count": counted(count), "error": share(wrong / count)}
    return Note(words("errors_lead", **values, low=share(low), high=share(high)))


def _confusion(lab: ErrorLab) -> Matrix:
    confusion = lab.confusion()
    opens = {}
    for row, column in np.argwhere(confusion > 0).tolist():
        if row != column:
            rows = np.flatnonzero((lab.labels == row) & (lab.guesses == column))
            opens[row, column] = tuple(_shot(lab, int(at)) for at in rows[:_MOST_IN_CELL])
    names = lab.run.classes
    heads = words("errors_true"), words("errors_said")
    return Matrix(words("errors_confusion"), *heads, names, names, confusion, "errors", words("errors_cells"), opens)


def _top_losses(lab: ErrorLab) -> Pictures:
    rows = np.argsort(-lab.losses)[:_MOST_SHOTS]
    shots = tuple(_shot(lab, int(row)) for row in rows)
    return Pictures(words("errors_losses"), shots, words("errors_losses_note"))


def _confident(lab: ErrorLab) -> Block:
    shots = tuple(_shot(lab, row) for row in lab.confident_mistakes()[:_MOST_SHOTS])
    note = words("errors_confident_note" if shots else "errors_confident_none", least=share(CONFIDENT))
    return Pictures(words("errors_confident"), shots, note)


def _shot(lab: ErrorLab, row: int) -> Shot:
    names = lab.run.classes
    values = {"truth": names[lab.labels[row]], "said": names[lab.guesses[row]], "share": share(lab.sureness[row], 1)}
    caption = words("errors_shot", **values, index=row, loss=written(lab.losses[row], ".2f"))
    return Shot(np.array(lab.data.test.images[row]), caption)


def _calibration(lab: ErrorLab) -> tuple[Block, Block]:
    curves = [Series(words("calibration_perfect"), (0.0, 1.0), (0.0, 1.0), "guide")]
    curves.append(_curve("calibration_before", lab.before))
    rows = [_row("calibration_before", lab.before)]
    if lab.after is not None:
        curves.append(_curve("calibration_after", lab.after))
        rows.append(_row("calibration_after", lab.after))
    chart = Chart(
        words("calibration"), words("axis_confidence"), words("axis_accuracy"), tuple(curves),
        words("calibration_note", bins=BINS), limits=(0.0, 1.0),
    )  # fmt: skip
    note = words("calibration_none")
    if lab.temperature is not None:
        note = words("calibration_fitted", temperature=written(lab.temperature, ".3f"))
    heads = tuple(words(f"column_{head}") for head in ("calibrated", "ece", "nll", "confidence"))
    return chart, Table(words("calibration_numbers"), heads, tuple(rows), note=note)


def _curve(key: str, one: Calibration) -> Series:
    full = one.counts > 0
    return Series(words(key), tuple(one.confidence[full].tolist()), tuple(one.accuracy[full].tolist()))


def _row(key: str, one: Calibration) -> tuple[Text, ...]:
    return words(key), share(one.ece), written(one.nll, ".4f"), share(one.mean_confidence)


def _suspects(lab: ErrorLab) -> Pictures:
    train, names = lab.data.train, lab.run.classes
    shots = []
    rows = np.array([lab.rows[one.row] for one in lab.suspects[:_MOST_SUSPECTS]], dtype=np.int64)
    for one, row, mark in zip(lab.suspects, rows.tolist(), picture_names(train, rows), strict=False):
        label = int(train.labels[row])
        values = {"label": names[label], "guess": names[one.guess], "margin": written(one.margin, "+.2f")}
        caption = words("labels_shot", index=row, **values)
        shots.append(Shot(np.array(train.images[row]), caption, mark=mark, label=label))
    values = {"found": counted(len(lab.suspects)), "judged": counted(len(lab.rows))}
    note = words(f"labels_note_{lab.judged}", **values)
    return Pictures(words("labels"), tuple(shots), note)
