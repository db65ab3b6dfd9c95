"""Multinomial logistic regression on pixels (softmax regression): Cox, JRSS B 20, 1958."""

from __future__ import annotations

from typing import Any

from sklearn.linear_model import LogisticRegression

from convoscope.classical._pictures import ProbabilityClassifier
from convoscope.classical._registry import classical_learner


@classical_learner(
    "logistic-regression",
    en=("logistic regression", "Adds up weighted pixels for each class: a network without a hidden layer."),
    es=("regresión logística", "Suma píxeles ponderados para cada clase: una red sin capa oculta."),
    source="Cox 1958",
)
class Logistic(ProbabilityClassifier):
    """P(k | x) = exp(<w[k], x> + b[k]) / sum over j of the same, with the least cross-entropy + |w|^2 / (2 C).

    Takes pictures of any form and gives labels (N,).

    Args:
        C: the inverse strength of the regularization.

    Source: Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society B 20, 1958.
    """

    def __init__(self, *, C: float = 0.1) -> None:
        self.C = C

    def _learner(self) -> Any:
        return LogisticRegression(C=self.C, tol=1e-3, max_iter=2000)
