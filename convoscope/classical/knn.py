"""k-nearest neighbours on pixels, the nearer with the larger vote: Cover and Hart 1967, Dudani 1976."""

from __future__ import annotations

from typing import Any

from sklearn.neighbors import KNeighborsClassifier

from convoscope.classical._pictures import ProbabilityClassifier
from convoscope.classical._registry import classical_learner


@classical_learner(
    "knn",
    en=("k-nearest neighbours", "Answers as the most similar training pictures do."),
    es=("k vecinos más cercanos", "Responde como las imágenes de entrenamiento más parecidas."),
    source="Cover, Hart 1967; Dudani 1976",
)
class NearestNeighbours(ProbabilityClassifier):
    """The class of most of the training pictures nearest by |u - v|, each with the weight 1 / |u - v|.

    Takes pictures of any form and gives labels (N,).

    Args:
        neighbours: k.

    Source: Cover and Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information Theory 13, 1967;
    Dudani, "The distance-weighted k-nearest-neighbor rule", IEEE Transactions on Systems, Man, and Cybernetics 6, 1976.
    """

    def __init__(self, *, neighbours: int = 3) -> None:
        self.neighbours = neighbours

    def _learner(self) -> Any:
        return KNeighborsClassifier(n_neighbors=self.neighbours, weights="distance", algorithm="brute", n_jobs=-1)
