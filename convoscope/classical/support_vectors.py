"""Support vector machines on pixels, those of scikit-learn: linear, and with a Gaussian (RBF) kernel.

Of two classes y = +1 and -1, a machine minimizes 1/2 |w|^2 + C sum over i of loss(y[i] f(x[i])) with
f(x) = <w, phi(x)> + b; K(u, v) = <phi(u), phi(v)>. Both take pictures of any form and give labels (N,).

Source: Cortes and Vapnik, "Support-vector networks", Machine Learning 20, 1995.
"""

from __future__ import annotations

from typing import Any

from sklearn.svm import SVC, LinearSVC

from convoscope.classical._pictures import PixelClassifier
from convoscope.classical._registry import classical_learner


@classical_learner(
    "linear-svm",
    en=("linear SVM", "Separates each class from the rest by the plane with the widest margin."),
    es=("SVM lineal", "Separa cada clase de las demás con el plano de margen más ancho."),
    source="Cortes, Vapnik 1995",
)
class LinearSVM(PixelClassifier):
    """One linear machine a class against the rest, under the squared hinge loss max(0, 1 - y f(x))^2.

    Args:
        C: the price of a picture inside the margin.
        random_state: the order in which the solver visits pictures, where there are fewer of them than pixels.
    """

    def __init__(self, *, C: float = 0.01, random_state: Any = None) -> None:
        self.C = C
        self.random_state = random_state

    def _learner(self) -> Any:
        return LinearSVC(C=self.C, dual="auto", max_iter=5000, random_state=self.random_state)


@classical_learner(
    "rbf-svm",
    en=("RBF SVM", "Separates each pair of classes by the widest margin, by likeness to chosen pictures."),
    es=("SVM con núcleo RBF", "Separa cada par de clases con el margen más ancho, por parecido a imágenes elegidas."),
    source="Cortes, Vapnik 1995",
)
class RbfSVM(PixelClassifier):
    """One machine for each pair of classes, under the hinge loss, with K(u, v) = exp(-|u - v|^2 / (values variance)).

    Args:
        C: the price of a picture inside the margin.
        cache: memory for rows of the kernel, in megabytes.
    """

    def __init__(self, *, C: float = 10.0, cache: int = 1000) -> None:
        self.C = C
        self.cache = cache

    def _learner(self) -> Any:
        return SVC(C=self.C, kernel="rbf", gamma="scale", cache_size=self.cache)
