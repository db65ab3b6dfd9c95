"""Which pictures a run learned from, which it was chosen by, and which it never saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convoscope.data import ImageData, split_validation
from convoscope.runs.run import Run

Rows = NDArray[np.int64]


def parts_of(run: Run, data: ImageData) -> tuple[Rows, Rows]:
    """The rows of ``data.train`` that the run was trained on, and those it was chosen by (none if it kept none)."""
    labels = data.train.labels
    amount = run.config["setting"]["validation"]
    if amount == 0:
        return np.arange(len(labels)), np.arange(0)
    return split_validation(labels, amount, run.config["seed"])


def held_out(run: Run, data: ImageData, most: int) -> Rows:
    """At most `most` training rows to judge by without the test set: those the run was chosen by, or else any."""
    trained, chosen = parts_of(run, data)
    rows = chosen if len(chosen) else trained
    return rows[:: -(-len(rows) // most)] if len(rows) > most else rows
