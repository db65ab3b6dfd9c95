"""k-nearest neighbours by the distance that is left when one picture is bent into the other: P2DHMDM.

Keysers, Deselaers, Gollan, Ney, "Deformation models for image recognition" (IEEE Transactions on Pattern Analysis and
Machine Intelligence 29(8), 2007).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convoscope.classical._limits import grey_only, within
from convoscope.classical._pictures import ScoringClassifier
from convoscope.classical._registry import classical_learner

STEEPEST = 1020
"""The largest Sobel gradient of pictures of levels 0 … 255."""
FIRST = 50
"""References that each test picture begins with: the nearest ones without deformation."""
TESTS = 10
"""Test pictures that a thread takes at a time."""
BLOCK = 10_000
"""References that are compared without deformation at a time."""


@classical_learner(
    "p2dhmdm",
    en=(
        "k-nearest neighbours, non-linear deformation (P2DHMDM), shiftable edges",
        "Answers as the training pictures do that can be bent into the picture with the least difference in edges.",
    ),
    es=(
        "k vecinos más cercanos, deformación no lineal (P2DHMDM), bordes desplazables",
        "Responde como las imágenes de entrenamiento que se deforman hasta la imagen con menor diferencia de bordes.",
    ),
    source="Keysers, Deselaers, Gollan, Ney 2007",
    colour=False,
    small={"warp": 1},
    exceptions={
        "check_classifiers_train": "it sees differences between neighbouring pixels only, and two values have just one",
    },
)
class DeformationNeighbours(ScoringClassifier):
    """The class of most of the k references nearest by the pseudo two-dimensional hidden Markov distortion model.

    With a(j, i) and b(j, i) the vectors of 18 numbers that the vertical and the horizontal Sobel gradients of test
    picture and reference have in the 3 x 3 context of row j, column i, the distance is

        d(a, b) = min over x, y of  sum over i, j of  | a(j, i) - b(y(j, i), x(j, i)) |^2

    where the deformation keeps the order of columns, and of rows in each column, up to one pixel sideways:

        x(j, i) - c(i) in {-1, 0, 1},      c(i + 1) - c(i) in {0, 1, 2},      |c(i) - i| <= warp,
        y(j + 1, i) - y(j, i) in {0, 1, 2},                                   |y(j, i) - j| <= warp.

    c is the column that column i as a whole is mapped to. Both minima are dynamic programmes (hidden Markov models
    whose states are places and whose skips are 0, 1 and 2), one within each column for each c, and one over columns.
    Beyond a picture all gradients are 0, first and last columns and rows may be displaced like all others, and the
    gradients at a border take the picture to go on as it ends. Gradients are rounded to whole numbers from -levels to
    levels, so that distances are exact; a column counts up to 65535.

    The paper has no limit `warp` for this model; with one, all 10,000 x 60,000 distances of MNIST are a matter of
    minutes. The neighbours found are those that all distances would give: references are left out by lower bounds only.
    With `preselect`, only the nearest references without deformation are looked at, which is an approximation.

    Takes grey pictures of any form and gives labels (N,). A tie is decided by the nearest of the neighbours.

    Args:
        neighbours: k.
        warp: the largest displacement of a row or column in pixels, 0 to 8.
        levels: the steps that gradients are rounded to, 1 to 21.
        preselect: how many references, the nearest ones without deformation, are looked at; all of them if None.
        n_jobs: threads, as everywhere in scikit-learn; -1 for all cores.

    Attributes:
        gradients_: (N, 2, H, W) int8, of the training pictures.
        labels_: (N,) their class numbers.

    Source: Keysers, Deselaers, Gollan and Ney 2007.
    """

    def __init__(
        self,
        *,
        neighbours: int = 3,
        warp: int = 2,
        levels: int = 15,
        preselect: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.neighbours = neighbours
        self.warp = warp
        self.levels = levels
        self.preselect = preselect
        self.n_jobs = n_jobs

    def kneighbors(self, X: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The nearest training pictures.

        Returns:
            distances (N, k), nearest first, and the numbers (N, k) of the training pictures; of two at the same
            distance the one of the smaller number comes first. k is at most the number of training pictures.
        """
        return self._nearest(self._checked(X))

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        grey_only(self, levels)
        within("neighbours", self.neighbours, 1, whole=True)
        within("warp", self.warp, 0, 8, whole=True)
        within("levels", self.levels, 1, 21, whole=True)
        if self.preselect is not None:
            within("preselect", self.preselect, self.neighbours, whole=True)
        self.gradients_ = gradients(levels, self.levels)
        self.labels_ = labels

    def _scores(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        _, neighbours = self._nearest(levels)
        count = neighbours.shape[1]
        scores = np.zeros((len(levels), len(self.classes_)))
        for rank in range(count - 1, -1, -1):  # the nearest of a class last, since its rank decides a tie
            labels = self.labels_[neighbours[:, rank]][:, None]
            votes = np.ceil(np.take_along_axis(scores, labels, 1))
            np.put_along_axis(scores, labels, votes + 1 - rank / (2 * count), 1)
        return scores

    def _nearest(self, levels: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        from sklearn.utils.parallel import Parallel, delayed

        from convoscope.classical import _p2dhmdm

        references, tests = self.gradients_, gradients(levels, self.levels)
        _, _, height, width = references.shape
        layout = _p2dhmdm.Layout(height, width, self.warp)
        prepared = (
            layout.references(references),
            _p2dhmdm.first_inked_rows(references),
            layout.envelope(references),
            layout.contexts(),
        )
        shape = (len(tests), min(self.neighbours, len(references)))
        distances, neighbours = np.empty(shape, np.int64), np.empty(shape, np.int64)

        def look(rows: slice, candidates: NDArray[np.int64]) -> None:
            _p2dhmdm.search(
                layout.tests(tests[rows]),
                _p2dhmdm.first_inked_rows(tests[rows]),
                *prepared,
                candidates,
                self.preselect is None,
                width,
                distances[rows],
                neighbours[rows],
            )

        work = self._candidates(tests)
        Parallel(n_jobs=self.n_jobs, prefer="threads", require="sharedmem")(delayed(look)(*each) for each in work)
        return distances, neighbours

    def _candidates(self, tests: NDArray[np.int8]) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Rows of `tests`, a few at a time, with the references (m, n) to begin with, nearest first."""
        count = min(self.preselect or max(FIRST, self.neighbours), len(self.gradients_))
        for first in range(0, len(tests), 50 * TESTS):
            nearest = undeformed_nearest(tests[first : first + 50 * TESTS], self.gradients_, count)
            for start in range(0, len(nearest), TESTS):
                part = nearest[start : start + TESTS]
                yield slice(first + start, first + start + len(part)), part


def gradients(levels: NDArray[np.uint8], steps: int) -> NDArray[np.int8]:
    """Vertical and horizontal Sobel gradients (N, 2, H, W) of pictures (N, 1, H, W), rounded to -steps … steps."""
    from scipy.ndimage import correlate1d

    pictures = levels[:, 0].astype(np.float32)
    slopes = [
        correlate1d(correlate1d(pictures, [-1, 0, 1], axis, mode="nearest"), [1, 2, 1], 3 - axis, mode="nearest")
        for axis in (1, 2)
    ]
    rounded: NDArray[np.int8] = np.rint(np.stack(slopes, axis=1) * (steps / STEEPEST)).astype(np.int8)
    return rounded


def undeformed_nearest(tests: NDArray[np.int8], references: NDArray[np.int8], count: int) -> NDArray[np.int64]:
    """The `count` references nearest to each test by the sum of squared differences: (M, count), nearest first."""
    rows = tests.reshape(len(tests), -1).astype(np.float32)
    kept = np.zeros((len(tests), 0), np.int64)
    lengths = np.zeros((len(tests), 0), np.float32)
    for first in range(0, len(references), BLOCK):
        block = references[first : first + BLOCK].reshape(-1, rows.shape[1]).astype(np.float32)
        new = np.einsum("nv,nv->n", block, block) - 2 * rows @ block.T  # but for |test|^2, which all have in common
        lengths = np.hstack([lengths, new])
        kept = np.hstack([kept, np.broadcast_to(np.arange(first, first + len(block)), new.shape)])
        best = np.argsort(lengths, axis=1, kind="stable")[:, :count]
        lengths, kept = np.take_along_axis(lengths, best, 1), np.take_along_axis(kept, best, 1)
    return kept
