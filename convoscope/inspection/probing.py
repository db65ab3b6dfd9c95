"""How much of the classes a linear classifier reads off each layer, and what excites filters most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convoscope.data import ImageData, split_validation
from convoscope.data.batches import inputs_from
from convoscope.inspection.features import features_of
from convoscope.inspection.filter_banks import FilterBank
from convoscope.inspection.label_errors import discriminant
from convoscope.inspection.parts import parts_of
from convoscope.inspection.reading import read_layers
from convoscope.inspection.recorder import Recorder
from convoscope.models import Layer
from convoscope.runs.run import Run

MOST_FEATURES = 800
_BATCH = 250


@dataclass(frozen=True)
class Probe:
    """A linear classifier on one layer.

    Args:
        layer: its name; ``input`` for the pixels.
        features: numbers it reads of a picture.
        accuracy: share of right answers on pictures that it was not fitted to.
    """

    layer: str
    features: int
    accuracy: float


def probe_rows(run: Run, data: ImageData, fitted: int, judged: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Training rows to fit to and others to judge by: those the run was chosen by, or a fifth if it kept none."""
    trained, chosen = parts_of(run, data)
    if len(chosen) == 0:
        trained, chosen = split_validation(data.train.labels, 0.2, run.config["seed"])
    return _some(trained, fitted), _some(chosen, judged)


def _some(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return rows[:: -(-len(rows) // most)]


def probes(run: Run, data: ImageData, fitted: NDArray[np.int64], judged: NDArray[np.int64]) -> tuple[Probe, ...]:
    """Linear discriminants on the pixels and on each layer that is read by another that mixes it.

    Source: Alain, Bengio 2016, "Understanding intermediate layers using linear classifier probes". Maps of more than
    800 numbers are first averaged over squares, so that layers of every size are judged by as many.

    Args:
        run: the trained network.
        data: its data.
        fitted: training rows to fit to.
        judged: training rows to judge by.
    """
    names = [layer.name for layer in read_layers(run.model, run.layers)]
    classes, train = len(run.classes), data.train
    parts = [_features(run, names, train.images[rows]) for rows in (fitted, judged)]
    found = []
    for name in ("input", *names):
        x, other = (part[name].astype(np.float64) for part in parts)
        spread = x.std(axis=0)
        mean, spread = x.mean(axis=0), np.where(spread > 0, spread, 1)
        shares = discriminant((x - mean) / spread, train.labels[fitted], (other - mean) / spread, classes)
        right = shares.argmax(axis=1) == train.labels[judged]
        found.append(Probe(name, x.shape[1], float(right.mean())))
    return tuple(found)


def _features(run: Run, names: list[str], images: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    p = run.preprocessing
    pixels = inputs_from(images, p.scaling, (p.height, p.width), torch.device("cpu"))
    found = features_of(run, names, images, MOST_FEATURES)
    side = max(1, int((MOST_FEATURES / p.channels) ** 0.5))
    if max(p.height, p.width) > side:
        pixels = torch.nn.functional.adaptive_avg_pool2d(pixels, (min(side, p.height), min(side, p.width)))
    return {"input": pixels.flatten(1).numpy(), **found}


@dataclass(frozen=True, eq=False)
class Excited:
    """The pictures that excite the filters of a bank most.

    Args:
        bank: the filters.
        layer: where they are read: after their activation, before any pooling.
        values: (filters, pictures) the largest output on a picture, the most exciting first.
        rows: (filters, pictures) which picture, a place among those looked at.
        places: (filters, pictures, 2) row and column of the output.
    """

    bank: FilterBank
    layer: Layer
    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]


def excited(run: Run, banks: tuple[FilterBank, ...], images: NDArray[np.uint8], most: int) -> tuple[Excited, ...]:
    """The `most` of `images` (N, C, H, W) uint8 on which each filter gives its largest outputs.

    Raises:
        RequestError: the weights lead to what is no number.
    """
    layers = {layer.name: layer for layer in run.layers}
    names = [bank.activation or bank.layer.name for bank in banks]
    recorder = Recorder(run, names, _peaks)
    heard = [recorder.record(images[start : start + _BATCH]).outputs for start in range(0, len(images), _BATCH)]
    return tuple(
        _best(bank, layers[name], [peaks[name] for peaks in heard], most)
        for bank, name in zip(banks, names, strict=True)
    )


def _peaks(output: Tensor) -> tuple[NDArray[Any], NDArray[Any]]:
    """The largest output (B, filters) of each filter on each picture, and its place in the map."""
    value, place = output.flatten(2).max(dim=2)
    return value.numpy(), place.numpy()


def _best(bank: FilterBank, layer: Layer, peaks: list[tuple[NDArray[Any], NDArray[Any]]], most: int) -> Excited:
    values, places = (np.concatenate(parts).T for parts in zip(*peaks, strict=True))  # (filters, pictures)
    best = np.argsort(-values, axis=1, kind="stable")[:, :most]
    flat = np.take_along_axis(places, best, axis=1)
    columns = layer.output_shape[2]
    where = np.stack([flat // columns, flat % columns], axis=2).astype(np.int64)
    return Excited(bank, layer, np.take_along_axis(values, best, axis=1), best.astype(np.int64), where)
