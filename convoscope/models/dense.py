"""Fully connected nets, the yardstick of the league: every pixel to every unit, nothing known of what lies beside what.

``dense-800``, 784-800-10: Simard, Steinkraus, Platt 2003, "Best Practices for Convolutional Neural Networks Applied to
Visual Document Analysis". 636,010 parameters on 1x28x28 with 10 classes.

``dense-6``, 784-2500-2000-1500-1000-500-10: Ciresan, Meier, Gambardella, Schmidhuber 2010, "Deep, Big, Simple Neural
Nets for Handwritten Digit Recognition". 11,972,510 parameters on 1x28x28 with 10 classes.

Both papers use a hyperbolic tangent (Ciresan et al. the scaled one, ``activation=scaled-tanh``) and small uniform first
weights; here the default is ReLU with the first weights of He et al. 2015, which trains in far fewer epochs. Pictures
of any size: the first layer takes C·H·W inputs.
"""

from __future__ import annotations

import math
from typing import Annotated

from torch import nn

from convoscope.models._registry import registry
from convoscope.models.activation import Activation, activation_layer, first_weights
from convoscope.models.chain import Chain
from convoscope.models.parameters import Limits

Dropout = Annotated[float, Limits(0, 0.95)]


@registry.register("dense-800")
def dense_800(
    input_shape: tuple[int, int, int], classes: int, *, activation: Activation = "relu", dropout: Dropout = 0.0
) -> nn.Module:
    """One hidden layer of 800 units (Simard et al. 2003). (B, C, H, W) -> logits (B, classes).

    Args:
        input_shape: (C, H, W) of one picture.
        classes: number of classes.
        activation: after the hidden layer.
        dropout: share of the hidden units silenced at each training step.
    """
    return _dense(input_shape, (800,), classes, activation, dropout)


@registry.register("dense-6")
def dense_6(
    input_shape: tuple[int, int, int], classes: int, *, activation: Activation = "relu", dropout: Dropout = 0.0
) -> nn.Module:
    """Hidden layers of 2500, 2000, 1500, 1000 and 500 units (Ciresan et al. 2010). (B, C, H, W) -> logits (B, classes).

    Args:
        input_shape: (C, H, W) of one picture.
        classes: number of classes.
        activation: after each hidden layer.
        dropout: share of the hidden units silenced at each training step.
    """
    return _dense(input_shape, (2500, 2000, 1500, 1000, 500), classes, activation, dropout)


def _dense(
    input_shape: tuple[int, int, int], hidden: tuple[int, ...], classes: int, activation: Activation, dropout: float
) -> nn.Module:
    chain = Chain(input_shape)
    chain.add("flatten", nn.Flatten())
    width = math.prod(input_shape)
    for number, units in enumerate(hidden, start=1):
        chain.add(f"fc{number}", nn.Linear(width, units))
        chain.add(f"act{number}", activation_layer(activation))
        if dropout > 0:
            chain.add(f"dropout{number}", nn.Dropout(dropout))
        width = units
    chain.add("output", nn.Linear(width, classes))
    net = chain.net()
    first_weights(net, activation)
    return net
