"""A small residual net for larger pictures: He, Zhang, Ren, Sun 2015, "Deep Residual Learning for Image Recognition".

The blocks are those of their second paper (2016, "Identity Mappings in Deep Residual Networks"): normalisation and
activation come before each convolution, so that the sum of a block goes on untouched. Four stages, each with maps half
the size and twice the number of the one before. The stem halves pictures of 64 pixels and more once (by a 7x7
convolution), and of 128 and more twice (by a pooling besides), so that the first stage, the dearest, works on maps of
about 32 to 64 pixels. A global average comes before the output. Pictures of any size.

With the default parameters 1,227,498 parameters on 1x28x28 with 10 classes.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated

from torch import Tensor, nn

from convoscope.models._registry import registry
from convoscope.models.activation import Activation, activation_layer
from convoscope.models.modules import Add
from convoscope.models.parameters import Limits


@registry.register("resnet")
def resnet(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    stages: Annotated[int, Limits(1, 6)] = 4,
    depth: Annotated[int, Limits(1, 64)] = 1,
    width: Annotated[int, Limits(1, 512)] = 32,
    activation: Activation = "relu",
) -> nn.Module:
    """A residual net with pre-activation (He et al. 2015, 2016). (B, C, H, W) -> logits (B, classes).

    Args:
        input_shape: (C, H, W) of one picture.
        classes: number of classes.
        stages: how many; each but the first halves the maps and doubles their number.
        depth: residual blocks a stage, of two convolutions each.
        width: feature maps of the first stage.
        activation: after each normalisation.
    """
    side = max(input_shape[1:])
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    kernel, stride = (3, 1) if side < 64 else (7, 2)
    layers["conv1"] = nn.Conv2d(input_shape[0], width, kernel, stride, padding=kernel // 2, bias=False)
    if side >= 128:
        layers["pool1"] = nn.MaxPool2d(3, stride=2, padding=1)
    maps = width
    for stage in range(stages):
        for block in range(depth):
            first = block == 0
            out = width * 2**stage
            name = f"stage{stage + 1}_block{block + 1}"
            layers[name] = Block(maps, out, stride=2 if first and stage > 0 else 1, activation=activation)
            maps = out
    layers["norm"] = nn.BatchNorm2d(maps)
    layers["act"] = activation_layer(activation)
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["output"] = nn.Linear(maps, classes)
    return nn.Sequential(layers)


class Block(nn.Module):
    """Two 3x3 convolutions, each after normalisation and activation, added to what came in.

    Where the shape changes, what came in goes through a 1x1 convolution ("projection shortcut"), after the first
    activation, as in the papers' code.

    Args:
        maps: feature maps that come in.
        out: feature maps that go out.
        stride: of the first convolution and of the shortcut.
        activation: after each normalisation.
    """

    def __init__(self, maps: int, out: int, *, stride: int, activation: Activation) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(maps)
        self.act1 = activation_layer(activation)
        self.shortcut = nn.Conv2d(maps, out, 1, stride, bias=False) if stride > 1 or maps != out else None
        self.conv1 = nn.Conv2d(maps, out, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.act2 = activation_layer(activation)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.add = Add()

    def forward(self, x: Tensor) -> Tensor:
        """(B, maps, H, W) -> (B, out, ceil(H / stride), ceil(W / stride))."""
        seen = self.act1(self.norm1(x))
        kept = x if self.shortcut is None else self.shortcut(seen)
        made = self.conv2(self.act2(self.norm2(self.conv1(seen))))
        total: Tensor = self.add(kept, made)
        return total
