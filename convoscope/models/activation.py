"""Activation functions by name, and the first weights that suit each."""

from __future__ import annotations

from typing import Literal

from torch import nn

from convoscope.models.modules import ScaledTanh

Activation = Literal["relu", "gelu", "silu", "tanh", "scaled-tanh"]


def activation_layer(name: Activation) -> nn.Module:
    """A new layer that applies the activation function `name`."""
    match name:
        case "relu":
            return nn.ReLU()
        case "gelu":
            return nn.GELU()
        case "silu":
            return nn.SiLU()
        case "tanh":
            return nn.Tanh()
        case "scaled-tanh":
            return ScaledTanh()


def first_weights(net: nn.Module, activation: Activation) -> None:
    """Draw the weights of convolutions and dense layers so that signals keep their size from layer to layer.

    Variance 2 / fan-in for the activations that silence half of their inputs (He et al. 2015), 1 / fan-in for those
    that don't (LeCun et al. 1998b); biases start at zero. For nets that have no normalisation to do it for them.
    On the device ``meta``, which holds no numbers, nothing is drawn: PyTorch would load its compiler to do so, for 2 s.
    """
    nonlinearity: Literal["relu", "linear"] = "linear" if "tanh" in activation else "relu"
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and not layer.weight.is_meta:
            nn.init.kaiming_normal_(layer.weight, nonlinearity=nonlinearity)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
