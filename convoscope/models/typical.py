"""The typical architecture of a first course: blocks of convolution and pooling, then a dense head.

From block to block the maps grow in number and shrink in size. The pattern is that of LeCun et al. 1998 ("Gradient-
based learning applied to document recognition"), with what later became usual: ReLU (Nair, Hinton 2010), small kernels
with padding and doubling widths (Simonyan, Zisserman 2014, "Very Deep Convolutional Networks"), and dropout before the
output layer (Srivastava et al. 2014).

With the default parameters 241,546 parameters on 1x28x28 with 10 classes. The first layer, 3x3x1 -> 32, has
9·32 + 32 = 320 of them, and on RGB, 3x3x3 -> 32, 9·3·32 + 32 = 896.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from torch import nn

from convoscope.core.errors import RequestError
from convoscope.models._registry import registry
from convoscope.models.activation import Activation, activation_layer, first_weights
from convoscope.models.chain import Chain
from convoscope.models.parameters import Limits


@registry.register("typical")
def typical(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    blocks: Annotated[int, Limits(1, 8)] = 3,
    width: Annotated[int, Limits(1, 1024)] = 32,
    convs: Annotated[int, Limits(1, 4)] = 1,
    kernel: Annotated[int, Limits(1, 15)] = 3,
    pool: Literal["max", "avg"] = "max",
    dense: Annotated[int, Limits(0, 8192)] = 128,
    dropout: Annotated[float, Limits(0, 0.95)] = 0.5,
    norm: bool = False,
    activation: Activation = "relu",
) -> nn.Module:
    """Blocks of convolution and pooling, then a dense head. (B, C, H, W) -> logits (B, classes).

    Args:
        input_shape: (C, H, W) of one picture.
        classes: number of classes.
        blocks: how many; each ends in a 2x2 pooling, so the maps lose half their height and width.
        width: feature maps of the first block; each further block has twice as many.
        convs: convolutions a block.
        kernel: rows and columns of each kernel, an odd number: the padding keeps the maps' size.
        pool: maximum or average.
        dense: units of the hidden dense layer; 0 leaves it out.
        dropout: share of the values before the output layer silenced at each training step.
        norm: batch normalisation after each convolution (Ioffe, Szegedy 2015).
        activation: after each convolution and the hidden dense layer.

    Raises:
        RequestError: a pooling gets a map smaller than 2x2 (the sentence names the layer), or an even kernel.
    """
    if kernel % 2 == 0:
        raise RequestError("models.even_kernel", asked=kernel)
    chain = Chain(input_shape)
    number = 0
    for block in range(blocks):
        for _ in range(convs):
            number += 1
            maps = width * 2**block
            chain.add(f"conv{number}", nn.Conv2d(chain.shape[0], maps, kernel, padding=kernel // 2))
            if norm:
                chain.add(f"norm{number}", nn.BatchNorm2d(maps))
            chain.add(f"act{number}", activation_layer(activation))
        chain.add(f"pool{block + 1}", nn.MaxPool2d(2) if pool == "max" else nn.AvgPool2d(2))
    chain.add("flatten", nn.Flatten())
    if dense:
        chain.add("fc", nn.Linear(math.prod(chain.shape), dense))
        chain.add(f"act{number + 1}", activation_layer(activation))
    if dropout > 0:
        chain.add("dropout", nn.Dropout(dropout))
    chain.add("output", nn.Linear(math.prod(chain.shape), classes))
    net = chain.net()
    first_weights(net, activation)
    return net
