"""A small network that learns real digits in a blink: the curves and mistakes of exercises are its own.

Softmax regression (multinomial logistic regression, D. R. Cox, 1966) by gradient descent on a few pictures of the
`digits` set: few enough to be learnt by heart, so that overfitting shows.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from convoscope.convolution.arrays import Array
from convoscope.data import load

EPOCHS = 12
_STEPS = 25
"""Steps of gradient descent an epoch."""

_TRAIN, _VALIDATION, _TEST = 60, 200, 300
_RATE = 0.8
_LABEL_NOISE = 15
"""How many training labels are wrong, as in data that people labelled in a hurry."""


@dataclass(frozen=True, eq=False)
class Learnt:
    """What became of one training.

    Args:
        train_loss: mean cross entropy of the training pictures after each epoch, (epochs,).
        validation_loss: that of the validation pictures, (epochs,).
        probabilities: of the test pictures, after the epoch of the lowest validation loss, (N, 10).
        images: the test pictures, (N, 8, 8) uint8.
        labels: their true classes, (N,).
    """

    train_loss: Array
    validation_loss: Array
    probabilities: Array
    images: Array
    labels: Array


@functools.lru_cache(maxsize=8)
def learnt(number: int) -> Learnt:
    """Train on draw `number` of the pictures."""
    dice = np.random.default_rng(number)
    data = load("digits").train
    rows = dice.permutation(len(data))[: _TRAIN + _VALIDATION + _TEST]
    images, labels = data.images[rows, 0], data.labels[rows].copy()
    inputs = np.hstack([images.reshape(len(rows), -1) / 255.0, np.ones((len(rows), 1))])
    truth = labels.copy()
    labels[:_LABEL_NOISE] = dice.integers(0, 10, _LABEL_NOISE)
    parts = np.split(np.arange(len(rows)), [_TRAIN, _TRAIN + _VALIDATION])
    weights, losses, best = np.zeros((inputs.shape[1], 10)), [], np.zeros((inputs.shape[1], 10))
    targets = np.eye(10)[labels[parts[0]]]
    for _ in range(EPOCHS):
        for _ in range(_STEPS):
            shares = np.exp(log_softmax(inputs[parts[0]] @ weights, axis=1))
            weights = weights - _RATE * inputs[parts[0]].T @ (shares - targets) / _TRAIN
        losses.append([_loss(inputs[part] @ weights, labels[part]) for part in parts[:2]])
        if losses[-1][1] <= min(loss for _, loss in losses):
            best = weights
    train, validation = np.array(losses).T
    probabilities = np.exp(log_softmax(inputs[parts[2]] @ best, axis=1))
    return Learnt(train, validation, probabilities, images[parts[2]], truth[parts[2]])


def _loss(logits: Array, labels: Array) -> float:
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())
