"""The default: a small net made to be trained in seconds to minutes on a plain CPU.

A first convolution with a large kernel and stride 2 halves the picture at once, so that what follows works on few
pixels (Springenberg et al. 2014, "Striving for Simplicity"). Then blocks of 3x3 convolutions, each with batch
normalisation (Ioffe, Szegedy 2015) and GELU (Hendrycks, Gimpel 2016); the first of a block is pooled before it is
normalised, since that is cheaper. A global maximum and one dense layer end it. 61,296 parameters on 1x28x28 with 10
classes.

That the kernels of a convolution begin by passing its input on, that normalisations have no trainable scale (the next
kernels can do as much), and the frozen whitening layer that may come first are from K. Jordan 2024, "94% on CIFAR-10 in
3.29 seconds on a single GPU" (arXiv 2404.00498).

Only the global maximum fixes a size, so a net made for one size takes other ones too: training may begin on small
pictures.
"""

from __future__ import annotations

from typing import Annotated

from torch import nn

from convoscope.core.errors import RequestError
from convoscope.models._registry import registry
from convoscope.models.activation import Activation, activation_layer
from convoscope.models.chain import Chain
from convoscope.models.parameters import Limits
from convoscope.models.whitening import Whitening

# A pooling of maps smaller than this would leave too little to tell where something is.
_LEAST_POOLED = 4


@registry.register("convnet")
def convnet(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    widths: Annotated[tuple[int, ...], Limits(1, 2048)] = (32, 64, 64),
    depths: Annotated[tuple[int, ...], Limits(1, 8)] = (1,),
    pools: Annotated[tuple[int, ...], Limits(0, 1)] = (1,),
    stem_width: Annotated[int, Limits(1, 1024)] = 16,
    stem_kernel: Annotated[int, Limits(1, 15)] = 5,
    stem_stride: Annotated[int, Limits(1, 8)] = 2,
    stem_padding: bool = True,
    whiten: bool = False,
    activation: Activation = "gelu",
    norm_momentum: Annotated[float, Limits(0.001, 1)] = 0.4,
) -> nn.Module:
    """A strided convolution, blocks of 3x3 convolutions, a global maximum. (B, C, H, W) -> logits (B, classes).

    Args:
        input_shape: (C, H, W) of one picture.
        classes: number of classes.
        widths: feature maps of each block.
        depths: convolutions of each block; one number stands for all blocks.
        pools: 1 for each block that halves the picture, 0 for one that does not; one number stands for all blocks.
        stem_width: feature maps of the first convolution.
        stem_kernel: rows and columns of its kernels.
        stem_stride: its stride.
        stem_padding: zeros around the picture, half a kernel wide, for the first convolution. Without them its maps are
            smaller and all that follows is cheaper; a picture with an empty border loses nothing. A whitening layer
            never has them.
        whiten: make it a frozen whitening layer instead, of 2·C·k·k feature maps, to be fitted to the training pictures
            (`convoscope.models.whitening`).
        activation: after each normalisation.
        norm_momentum: share of the newest batch in the running statistics of the normalisations.

    Raises:
        RequestError: `depths` or `pools` don't go with `widths`, or a picture smaller than a whitening kernel.
    """
    depths, pools = _for_each("depths", depths, widths), _for_each("pools", pools, widths)
    chain = Chain(input_shape)
    number = 1
    if whiten:
        chain.add("conv1", Whitening(input_shape[0], stem_kernel, stem_stride))
    else:
        chain.add("conv1", _convolution(input_shape[0], stem_width, stem_kernel, stem_stride, stem_padding))
        chain.add("norm1", _normalisation(stem_width, norm_momentum))
    chain.add("act1", activation_layer(activation))
    for block, (width, depth) in enumerate(zip(widths, depths, strict=True), start=1):
        halved = pools[block - 1] and min(chain.shape[1:]) >= _LEAST_POOLED
        for place in range(depth):
            number += 1
            chain.add(f"conv{number}", _convolution(chain.shape[0], width, 3, 1))
            if place == 0 and halved:
                chain.add(f"pool{block}", nn.MaxPool2d(2))
            chain.add(f"norm{number}", _normalisation(width, norm_momentum))
            chain.add(f"act{number}", activation_layer(activation))
    chain.add("pool", nn.AdaptiveMaxPool2d(1))
    chain.add("flatten", nn.Flatten())
    output = nn.Linear(chain.shape[0], classes, bias=False)
    if not output.weight.is_meta:
        nn.init.normal_(output.weight, std=1 / chain.shape[0])
    chain.add("output", output)
    return chain.net()


def _convolution(maps: int, out: int, kernel: int, stride: int, padded: bool = True) -> nn.Conv2d:
    # No bias: the normalisation after it has one.
    convolution = nn.Conv2d(maps, out, kernel, stride, padding=kernel // 2 if padded else 0, bias=False)
    if kernel == 3 and stride == 1 and out >= maps:
        # As many kernels as there are maps pass them on; the others stay random.
        nn.init.dirac_(convolution.weight.data[:maps])
    return convolution


def _normalisation(maps: int, momentum: float) -> nn.BatchNorm2d:
    normalisation = nn.BatchNorm2d(maps, momentum=momentum)
    normalisation.weight.requires_grad_(False)
    return normalisation


def _for_each(name: str, numbers: tuple[int, ...], widths: tuple[int, ...]) -> tuple[int, ...]:
    """One of `numbers` for each block."""
    if len(numbers) == 1:
        return numbers * len(widths)
    if len(numbers) != len(widths):
        given = {"name": name, "given": _listed(numbers), "widths": _listed(widths), "count": len(widths)}
        raise RequestError("models.blocks", **given)
    return numbers


def _listed(numbers: tuple[int, ...]) -> str:
    return "-".join(map(str, numbers))
