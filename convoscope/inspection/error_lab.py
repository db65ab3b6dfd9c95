"""What a net gets wrong, how sure it is of it, and which labels may be wrong themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from convoscope.data import ImageData
from convoscope.inspection.calibration import Calibration, calibration, fit_temperature, log_probabilities
from convoscope.inspection.features import features_of
from convoscope.inspection.label_errors import Suspect, cross_validated, suspects
from convoscope.inspection.parts import parts_of
from convoscope.runs.run import Run

Judged = Literal["validation", "features"]

CONFIDENT = 0.9


@dataclass(frozen=True, eq=False)
class ErrorLab:
    """The test set under the net, and the labels of the training set.

    Args:
        run: the trained network.
        data: its data.
        logits: (N, classes) of the test pictures.
        before: their calibration.
        temperature: fitted on the validation pictures; None if the run kept none.
        after: the calibration with it.
        judged: by what the training labels were judged.
        rows: the training pictures judged.
        suspects: those of them whose label is probably wrong; `Suspect.row` is a place in `rows`.
    """

    run: Run
    data: ImageData
    logits: NDArray[np.float64]
    before: Calibration
    temperature: float | None
    after: Calibration | None
    judged: Judged
    rows: NDArray[np.int64]
    suspects: tuple[Suspect, ...]

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) true classes of the test pictures."""
        return self.data.test.labels

    @property
    def guesses(self) -> NDArray[np.int64]:
        """(N,) what the net says."""
        guesses: NDArray[np.int64] = self.logits.argmax(axis=1)
        return guesses

    @property
    def losses(self) -> NDArray[np.float64]:
        """(N,) negative logarithm of the true class's probability."""
        losses: NDArray[np.float64] = -log_probabilities(self.logits)[np.arange(len(self.labels)), self.labels]
        return losses

    @property
    def sureness(self) -> NDArray[np.float64]:
        """(N,) probability of what the net says."""
        sure: NDArray[np.float64] = np.exp(log_probabilities(self.logits).max(axis=1))
        return sure

    def confusion(self) -> NDArray[np.int64]:
        """(classes, classes): rows are true classes, columns what the net says."""
        count = len(self.run.classes)
        flat = np.bincount(self.labels * count + self.guesses, minlength=count**2)
        return flat.reshape(count, count)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON."""
        classes = self.run.classes
        names = list(classes)
        return {
            "error": float((self.guesses != self.labels).mean()),
            "test_count": len(self.labels),
            "classes": names,
            "confusion": self.confusion().tolist(),
            "top_losses": [self._told(int(row)) for row in np.argsort(-self.losses)[:24]],
            "confident_mistakes": [self._told(row) for row in self.confident_mistakes()],
            "calibration": {"before": _told(self.before), "after": self.after and _told(self.after)},
            "temperature": self.temperature,
            "labels": {
                "judged_by": self.judged,
                "judged": len(self.rows),
                "suspects": [
                    {
                        "training_picture": int(self.rows[one.row]),
                        "label": classes[self.data.train.labels[self.rows[one.row]]],
                        "guess": classes[one.guess],
                        "margin": one.margin,
                    }
                    for one in self.suspects
                ],
            },
        }

    def confident_mistakes(self) -> list[int]:
        """The test pictures that the net gets wrong and is surest of, the surest first."""
        wrong = np.flatnonzero((self.guesses != self.labels) & (self.sureness >= CONFIDENT))
        return [int(row) for row in wrong[np.argsort(-self.sureness[wrong], kind="stable")]]

    def _told(self, row: int) -> dict[str, Any]:
        classes = self.run.classes
        return {
            "test_picture": row,
            "label": classes[self.labels[row]],
            "prediction": classes[self.guesses[row]],
            "probability": float(self.sureness[row]),
            "loss": float(self.losses[row]),
        }


def error_lab(run: Run, data: ImageData, judged: Judged, most: int) -> ErrorLab:
    """Look at the errors of a run.

    Args:
        run: the trained network.
        data: its data.
        judged: by what training labels are judged: ``validation``, by the net itself on the training pictures kept from
            it; ``features``, by linear discriminants over its features, cross-validated over all training pictures.
        most: training pictures judged at most.

    Raises:
        RequestError: the weights lead to what is no number.
    """
    logits = _logits(run, data.test.images)
    before = calibration(logits, data.test.labels)
    _, chosen = parts_of(run, data)
    temperature, after = None, None
    kept = None
    if len(chosen):
        kept = _logits(run, data.train.images[chosen])
        temperature = fit_temperature(kept, data.train.labels[chosen])
        after = calibration(logits, data.test.labels, temperature)
    if judged == "validation" and kept is not None:
        rows, probabilities = chosen[:most], np.exp(log_probabilities(kept))[:most]
    else:
        judged = "features"
        rows = np.arange(len(data.train))[:: -(-len(data.train) // most)]
        last = run.layers[-1].inputs[-1]
        features = features_of(run, [last], data.train.images[rows])[last].astype(np.float64)
        probabilities = cross_validated(features, data.train.labels[rows], len(run.classes))
    found = suspects(probabilities, data.train.labels[rows])
    return ErrorLab(run, data, logits, before, temperature, after, judged, rows, tuple(found))


def _logits(run: Run, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = run.logits(np.ascontiguousarray(images)).double().numpy()
    return numbers


def _told(one: Calibration) -> dict[str, Any]:
    bins = [
        {"confidence": float(sure), "accuracy": float(right), "count": int(count)}
        for sure, right, count in zip(one.confidence, one.accuracy, one.counts, strict=True)
        if count
    ]
    return {"ece": one.ece, "nll": one.nll, "mean_confidence": one.mean_confidence, "bins": bins}
