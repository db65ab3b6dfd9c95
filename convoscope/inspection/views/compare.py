"""Two runs on one test set: errors before and after, by class, with the pictures mended and broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convoscope.core.errors import RequestError
from convoscope.inspection.numbers import counted, share, written
from convoscope.inspection.sheet import Note, Pictures, Sheet, Shot, Table, Text, Words, words
from convoscope.runs.comparison import Comparison
from convoscope.runs.evaluation import wilson_interval
from convoscope.runs.run import Run
from convoscope.runs.views import view

_MOST_SHOTS = 24


@view(
    "compare",
    en=(
        "Before and after",
        "This run beside another on the same test set: what was mended, what was broken, and whether it is "
        "more than chance.",
    ),
    es=(
        "Antes y después",
        "Esta ejecución junto a otra con el mismo conjunto de prueba: qué se arregló, qué se estropeó y si "
        "es más que azar.",
    ),
)
def compare(
    run: Run,
    _image: ArrayLike | str | Path | None = None,
    data_dir: Path | str | None = None,
    *,
    before: str = "",
) -> Sheet:
    """The run beside the one in the folder `before`: a path, or the name of a folder beside the run's own.

    Raises:
        RequestError: `before` holds no run, or one of other classes or pictures; or the data can't be had.
    """
    other = _other(run, before)
    if (other.classes, other.preprocessing.input_shape) != (run.classes, run.preprocessing.input_shape):
        raise RequestError("inspection.compare_other", before=str(other.path), path=str(run.path))
    test = run.load_data(data_dir=data_dir).test
    if len(test) == 0:
        raise RequestError("runs.no_test", data=run.config["data"]["name"])
    said = [each.logits(test.images).argmax(dim=1).numpy() for each in (other, run)]
    first, second = (guesses != test.labels for guesses in said)
    mended, broken = first & ~second, second & ~first
    counts = (int(part.sum()) for part in (first, second, mended, broken))
    comparison = Comparison(len(test), *counts)

    def caption(row: int) -> Words:
        names = [run.classes[one] for one in (test.labels[row], said[0][row], said[1][row])]
        return words("compare_shot", index=row, truth=names[0], before=names[1], after=names[2])

    def shots(rows: NDArray[np.bool_]) -> tuple[Shot, ...]:
        found = np.flatnonzero(rows)[:_MOST_SHOTS].tolist()
        return tuple(Shot(np.array(test.images[row]), caption(row)) for row in found)

    by_class = _by_class(run, test.labels, first, second)
    blocks = (
        Note(words("compare_lead", before=str(other.path.name), p=written(comparison.p_value, ".3g"))),
        _result(comparison),
        Table(words("compare_classes"), _heads("class", "pictures", "before", "after"), by_class, folded=True),
        Pictures(words("compare_mended"), shots(mended)),
        Pictures(words("compare_broken"), shots(broken)),
    )
    return Sheet("compare", run, blocks, {"before": str(other.path), **comparison.to_dict()})


def _other(run: Run, before: str) -> Run:
    if not before:
        raise RequestError("inspection.compare_with", field="before")
    beside = run.path.absolute().parent / before
    return Run(beside if beside.is_dir() else Path(before))


def _result(comparison: Comparison) -> Table:
    rows = []
    for name, wrong in (("before", comparison.before), ("after", comparison.after)):
        low, high = wilson_interval(wrong, comparison.count)
        interval = f"{share(low)} … {share(high)}"
        rows.append((words(f"column_{name}"), counted(wrong), share(wrong / comparison.count), interval))
    values = {"mended": comparison.mended, "broken": comparison.broken, "p": written(comparison.p_value, ".3g")}
    return Table(
        words("compare_result"),
        _heads("run", "wrong", "error", "interval"),
        tuple(rows),
        note=words("compare_p", **values),
    )


def _by_class(
    run: Run, labels: NDArray[np.int64], first: NDArray[np.bool_], second: NDArray[np.bool_]
) -> tuple[tuple[str, ...], ...]:
    count = len(run.classes)
    numbers = [np.bincount(labels[part], minlength=count) for part in (slice(None), first, second)]
    return tuple((name, *(str(int(one[at])) for one in numbers)) for at, name in enumerate(run.classes))


def _heads(*names: str) -> tuple[Text, ...]:
    return tuple(words(f"column_{name}") for name in names)
