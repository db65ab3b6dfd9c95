"""Whether a net is as often right as it is sure, and the one number that mends it.

Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
_WIDEST = 4.0  # the temperature lies between e^-4 and e^4

Logits = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Calibration:
    """How sure a net is and how often it is right, in bins of equal width of its highest probability.

    Args:
        confidence: (bins,) mean highest probability of a bin; NaN where it is empty.
        accuracy: (bins,) share of right answers.
        counts: (bins,) pictures.
        ece: expected calibration error: the mean distance of the two, weighted by the pictures.
        nll: mean negative logarithm of the true class's probability.
        mean_confidence: over all pictures.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    counts: NDArray[np.int64]
    ece: float
    nll: float
    mean_confidence: float


def calibration(logits: Logits, labels: Labels, temperature: float = 1.0, bins: int = BINS) -> Calibration:
    """The calibration of logits (N, classes), divided by `temperature`, on pictures with `labels` (N,)."""
    logs = log_probabilities(logits / temperature)
    sure = np.exp(logs.max(axis=1))
    right = logs.argmax(axis=1) == labels
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, sure, bins) / counts
        accuracy = np.bincount(place, right, bins) / counts
    full = counts > 0
    ece = float((np.abs(confidence - accuracy)[full] * counts[full]).sum() / len(labels))
    nll = float(-logs[np.arange(len(labels)), labels].mean())
    return Calibration(confidence, accuracy, counts, ece, nll, float(sure.mean()))


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature by which logits (N, classes) divided give the least mean loss on `labels` (N,).

    The loss as a function of 1 / temperature is convex, so there is one. No answer changes, only how sure it is. To be
    fitted on pictures that the net was not trained on, and judged on yet others.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return float(-log_probabilities(logits / np.exp(log_temperature))[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(-_WIDEST, _WIDEST), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def log_probabilities(logits: Logits) -> NDArray[np.float64]:
    """(N, classes) logits to the logarithms of the probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs
