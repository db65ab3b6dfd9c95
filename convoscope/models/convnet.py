"""The default: a small net made to train fast on a plain CPU.

A 5x5 convolution with stride 2 halves the picture at once, so that the wide layers work on few pixels; 3x3 convolutions
follow, each with batch normalisation (Ioffe, Szegedy 2015) and GELU (Hendrycks, Gimpel 2016), with maximum poolings
between them and a global maximum (Lin et al. 2013 pool globally, by average) before one dense layer. After Springenberg
et al. 2014, "Striving for Simplicity", for the strided first layer. 61,306 parameters on 1x28x28 with 10 classes.
"""

from __future__ import annotations

from typing import Annotated

from torch import nn

from convoscope.models._registry import registry
from convoscope.models.activation import Activation, activation_layer
from convoscope.models.chain import Chain
from convoscope.models.parameters import Limits

Width = Limits(1, 1024)


@registry.register("convnet")
def convnet(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    first: Annotated[int, Width] = 16,
    widths: Annotated[tuple[int, ...], Width] = (32, 64, 64),
    pool_after: Annotated[tuple[int, ...], Limits(2, 32)] = (2, 4),
    activation: Activation = "gelu",
) -> nn.Module:
    """A strided 5x5 convolution, 3x3 convolutions with poolings, a global maximum. (B, C, H, W) -> logits (B, classes).

    Args:
        input_shape: (C, H, W) of one picture.
        classes: number of classes.
        first: feature maps of the strided 5x5 convolution.
        widths: feature maps of the 3x3 convolutions, one number each.
        pool_after: numbers of the convolutions that a 2x2 maximum pooling follows; the strided one is number 1.
        activation: after each normalisation.

    Raises:
        RequestError: a pooling gets a map smaller than 2x2 (the sentence names the layer).
    """
    chain = Chain(input_shape)
    pools = 0
    for number, maps in enumerate((first, *widths), start=1):
        kernel, stride = (5, 2) if number == 1 else (3, 1)
        # No bias: the normalisation has one.
        convolution = nn.Conv2d(chain.shape[0], maps, kernel, stride, padding=kernel // 2, bias=False)
        chain.add(f"conv{number}", convolution)
        chain.add(f"norm{number}", nn.BatchNorm2d(maps))
        chain.add(f"act{number}", activation_layer(activation))
        if number in pool_after:
            pools += 1
            chain.add(f"pool{pools}", nn.MaxPool2d(2))
    chain.add(f"pool{pools + 1}", nn.AdaptiveMaxPool2d(1))
    chain.add("flatten", nn.Flatten())
    chain.add("output", nn.Linear(chain.shape[0], classes))
    return chain.net()
