"""Trees and ensembles of trees on pixels, those of scikit-learn.

A tree asks one pixel at each node whether it is above a threshold. A forest, with T trees that each give class
frequencies p[t](x) (K,), answers with the class of the largest 1/T sum over t of p[t](x); boosting adds each tree to
those before, along the gradient of the cross-entropy. All take (N, values) and give labels (N,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier

from convoscope.classical._pictures import ProbabilityClassifier
from convoscope.classical._registry import classical_learner


@classical_learner(
    "decision-tree",
    en=("decision tree", "Asks one pixel after another whether it is bright."),
    es=("árbol de decisión", "Pregunta, píxel tras píxel, si es claro."),
    source="Breiman, Friedman, Olshen, Stone 1984",
)
class DecisionTree(ProbabilityClassifier):
    """A tree; each split lowers the Gini impurity, sum over k of p[k] (1 - p[k]), the most.

    Args:
        leaf: the fewest pictures in a leaf.
        random_state: decides between splits that are equally good.

    Source: Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984.
    """

    def __init__(self, *, leaf: int = 2, random_state: Any = None) -> None:
        self.leaf = leaf
        self.random_state = random_state

    def _learner(self) -> Any:
        return DecisionTreeClassifier(min_samples_leaf=self.leaf, random_state=self.random_state)


class _OnSamples(ProbabilityClassifier):
    """Trees that each learn from a sample of `share` of the training set."""

    share: float

    def _learn(self, levels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        # A whole number, since scikit-learn warns of small samples where it has to work it out.
        self._size = max(1, round(self.share * len(levels)))
        super()._learn(levels, labels)


@classical_learner(
    "bagging",
    en=("bagging", "Trees on samples drawn with replacement, and their mean."),
    es=("bagging", "Árboles sobre muestras tomadas con reemplazo, y su promedio."),
    source="Breiman 1996",
    small={"trees": 10},
)
class Bagging(_OnSamples):
    """Trees that each learn from a sample drawn with replacement (bootstrap aggregating).

    Args:
        trees: T.
        share: size of a sample, as a share of the training set.
        random_state: draws the samples.

    Source: Breiman, "Bagging predictors", Machine Learning 24, 1996.
    """

    def __init__(self, *, trees: int = 50, share: float = 0.5, random_state: Any = None) -> None:
        self.trees = trees
        self.share = share
        self.random_state = random_state

    def _learner(self) -> Any:
        return BaggingClassifier(n_estimators=self.trees, max_samples=self._size, random_state=self.random_state)


@classical_learner(
    "pasting",
    en=("pasting", "Trees on samples drawn without replacement, and their mean."),
    es=("pasting", "Árboles sobre muestras tomadas sin reemplazo, y su promedio."),
    source="Breiman 1999",
    small={"trees": 10},
)
class Pasting(_OnSamples):
    """Trees that each learn from a sample drawn without replacement.

    Args:
        trees: T.
        share: size of a sample, as a share of the training set.
        random_state: draws the samples.

    Source: Breiman, "Pasting small votes for classification in large databases and on-line", Machine Learning 36, 1999.
    """

    def __init__(self, *, trees: int = 50, share: float = 0.5, random_state: Any = None) -> None:
        self.trees = trees
        self.share = share
        self.random_state = random_state

    def _learner(self) -> Any:
        return BaggingClassifier(
            n_estimators=self.trees, max_samples=self._size, bootstrap=False, random_state=self.random_state
        )


@classical_learner(
    "random-forest",
    en=("random forest", "Trees on bootstrap samples that look at a few pixels at each node, and their mean."),
    es=("bosque aleatorio", "Árboles sobre muestras con reemplazo que miran pocos píxeles por nodo, y su promedio."),
    source="Breiman 2001",
    small={"trees": 30},
)
class RandomForest(ProbabilityClassifier):
    """Trees on bootstrap samples; each node takes the best split among sqrt(values) pixels drawn at random.

    Args:
        trees: T.
        random_state: draws samples and pixels.

    Source: Breiman, "Random forests", Machine Learning 45, 2001.
    """

    def __init__(self, *, trees: int = 500, random_state: Any = None) -> None:
        self.trees = trees
        self.random_state = random_state

    def _learner(self) -> Any:
        return RandomForestClassifier(n_estimators=self.trees, n_jobs=-1, random_state=self.random_state)


@classical_learner(
    "extra-trees",
    en=("extra trees", "Trees with thresholds drawn at random, and their mean."),
    es=("árboles extra", "Árboles con umbrales al azar, y su promedio."),
    source="Geurts, Ernst, Wehenkel 2006",
    small={"trees": 30},
)
class ExtraTrees(ProbabilityClassifier):
    """Extremely randomized trees: each node takes the best of random thresholds, one for each of sqrt(values) pixels.

    Args:
        trees: T.
        random_state: draws pixels and thresholds.

    Source: Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
    """

    def __init__(self, *, trees: int = 500, random_state: Any = None) -> None:
        self.trees = trees
        self.random_state = random_state

    def _learner(self) -> Any:
        return ExtraTreesClassifier(n_estimators=self.trees, n_jobs=-1, random_state=self.random_state)


@classical_learner(
    "gradient-boosting",
    en=("gradient boosting", "Small trees, each along the gradient of what those before it get wrong."),
    es=("potenciación del gradiente", "Árboles pequeños, cada uno según el gradiente de lo que fallan los anteriores."),
    source="Friedman 2001",
    small={"rounds": 20},
)
class GradientBoosting(ProbabilityClassifier):
    """Boosted regression trees on binned pixels, one for each class in each round, under cross-entropy.

    Args:
        rounds: of one tree a class.
        rate: factor of each tree.
        random_state: draws the pictures that the bins are made from, where there are more than 200,000.

    Source: Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29, 2001.
    """

    def __init__(self, *, rounds: int = 300, rate: float = 0.1, random_state: Any = None) -> None:
        self.rounds = rounds
        self.rate = rate
        self.random_state = random_state

    def _learner(self) -> Any:
        return HistGradientBoostingClassifier(
            max_iter=self.rounds, learning_rate=self.rate, early_stopping=False, random_state=self.random_state
        )
