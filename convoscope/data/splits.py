"""Stratified, seeded splits: every class keeps its share on both sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convoscope.core.errors import RequestError
from convoscope.data.types import Labels


def split_validation(
    labels: npt.NDArray[np.integer], amount: float | int, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Set part of a training set aside for validation.

    The split depends on `labels`, `amount` and `seed` alone: it is the same with every version of NumPy, because it
    uses only the raw stream of PCG64, which NumPy guarantees.

    Args:
        labels: (N,) class of each picture.
        amount: a float below 1 is the fraction to set aside (rounded to whole pictures, at least one a class); an int
            is the exact number of pictures.
        seed: same seed, same split.

    Returns:
        (train_idx, val_idx): two sorted int64 index arrays, disjoint, together all of `labels`; every class is in both.

    Raises:
        RequestError: a class has a single picture, or `amount` can't give every class a picture on both sides.
    """
    labels = np.asarray(labels)
    classes, counts = np.unique(labels, return_counts=True)
    wanted = _wanted(amount, len(labels), len(classes))
    if len(counts) and counts.min() < 2:
        raise RequestError("data.split_single", label=classes[counts.argmin()])
    if not len(classes) <= wanted <= len(labels) - len(classes):
        raise RequestError("data.split_amount", amount=amount, pictures=len(labels), classes=len(classes))
    chosen = _drawn(labels, counts, _shares(counts, wanted, 1, counts - 1), seed)
    return np.flatnonzero(~chosen).astype(np.int64), np.flatnonzero(chosen).astype(np.int64)


def stratified(labels: npt.NDArray[np.integer], count: int, seed: int, *, least: int = 1) -> npt.NDArray[np.int64]:
    """Draw `count` pictures so that every class keeps its share; the same with every version of NumPy.

    Args:
        labels: (N,) class of each picture.
        count: how many pictures.
        seed: same seed, same pictures.
        least: pictures that each class gets in any case, or all that it has if these are fewer.

    Returns:
        (count,) sorted indices; all N where there are no more than `count`, or where `count` is too few for `least` of
        each class.
    """
    labels = np.asarray(labels)
    _, counts = np.unique(labels, return_counts=True)
    lowest = np.minimum(counts, least)
    if not lowest.sum() <= count < len(labels):
        return np.arange(len(labels))
    return np.flatnonzero(_drawn(labels, counts, _shares(counts, count, lowest, counts), seed)).astype(np.int64)


def _drawn(
    labels: npt.NDArray[np.integer], counts: npt.NDArray[np.int64], shares: npt.NDArray[np.int64], seed: int
) -> npt.NDArray[np.bool_]:
    """(N,) which pictures are among the first `shares` of their class, in a random order."""
    order = np.argsort(np.random.PCG64(seed).random_raw(len(labels)), kind="stable")
    by_class = order[np.argsort(labels[order], kind="stable")]  # grouped by class, shuffled inside each
    starts = np.cumsum(counts) - counts
    taken = [by_class[start : start + share] for start, share in zip(starts, shares, strict=True)]
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[np.concatenate(taken)] = True
    return chosen


def class_counts(labels: Labels, classes: int) -> list[int]:
    """How many pictures each of `classes` classes has."""
    return [int(count) for count in np.bincount(labels, minlength=classes)]


def _wanted(amount: float | int, pictures: int, classes: int) -> int:
    """The number of pictures to set aside."""
    if isinstance(amount, int | np.integer) and not isinstance(amount, bool):
        return int(amount)
    if not 0 < amount < 1:
        raise RequestError("data.split_amount", amount=amount, pictures=pictures, classes=classes)
    return max(round(amount * pictures), classes)


def _shares(
    counts: npt.NDArray[np.int64], wanted: int, least: int | npt.NDArray[np.int64], most: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Split `wanted` over classes in proportion to `counts`, by largest remainder, within `least` … `most` each."""
    quota = counts * (wanted / counts.sum())
    shares: npt.NDArray[np.int64] = np.clip(np.floor(quota).astype(np.int64), least, most)
    while (missing := wanted - int(shares.sum())) != 0:
        step = 1 if missing > 0 else -1
        movable = shares < most if step > 0 else shares > least
        need = np.where(movable, step * (quota - shares), -np.inf)
        shares[int(np.argmax(need))] += step
    return shares
