"""LeNet-5: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", II.B.

The sizes are the paper's: C1 6 maps by 5x5, S2 2x2, C3 16 maps by 5x5, S4 2x2, C5 120, F6 84. 61,706 parameters on
1x28x28 with 10 classes, in the variant that is common today, which is the default here. What differs from the paper:

* **Input.** The paper centres 28x28 digits in 32x32. Here C1 pads smaller pictures with zeros up to 32x32 (28x28 by 2);
  larger ones are taken as they are, and C5 spans all of S4, as it does in the paper, so that it stays 120 units.
* **Activation.** The paper's is the scaled tangent, 1.7159 tanh(2x/3): ``activation=scaled-tanh``. Here the plain one.
* **Subsampling.** In the paper S2 and S4 add four units, multiply by a trainable coefficient, add a trainable bias and
  squash: ``pool=trainable``. Here an average, with nothing trained.
* **C3.** In the paper each of its maps sees only some of S2's (table I): ``c3_table=true``. Here all of them.
* **Output.** The paper compares F6 with fixed 7x12 drawings of the characters, by Euclidean radial basis functions, and
  trains with a loss made for them. Here, and without an option, a dense layer gives logits.

With ``lenet5:activation=scaled-tanh,pool=trainable,c3_table=true`` the layers from C1 to F6 have 60,000 trainable
parameters, the paper's number.
"""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

from convoscope.models._registry import registry
from convoscope.models.activation import Activation, activation_layer
from convoscope.models.chain import Chain
from convoscope.models.modules import MapScale, TableConv2d

# Table I of the paper: for each of the 16 maps of C3, the maps of S2 that it sees.
C3_TABLE = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)


@registry.register("lenet5")
def lenet5(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    activation: Activation = "tanh",
    pool: Literal["avg", "max", "trainable"] = "avg",
    c3_table: bool = False,
) -> nn.Module:
    """LeNet-5 (LeCun et al. 1998), its layers under the paper's names. (B, C, H, W) -> logits (B, classes).

    Args:
        input_shape: (C, H, W) of one picture.
        classes: number of classes.
        activation: after C1, C3, C5 and F6 (and after S2 and S4 when they are trainable).
        pool: average, maximum, or the paper's subsampling with a trainable coefficient and bias for each map.
        c3_table: connect C3 to S2 by the paper's table instead of fully.
    """
    chain = Chain(input_shape)
    # Half of what is missing to 32 on each side, rounded up: from 32 as from 33 rows, C3 and S4 get the paper's sizes.
    padding = (max(0, math.ceil((32 - input_shape[1]) / 2)), max(0, math.ceil((32 - input_shape[2]) / 2)))
    chain.add("c1", nn.Conv2d(input_shape[0], 6, 5, padding=padding))
    chain.add("act1", activation_layer(activation))
    _subsample(chain, "s2", pool, activation)
    chain.add("c3", TableConv2d(C3_TABLE, 5) if c3_table else nn.Conv2d(6, 16, 5))
    chain.add("act3", activation_layer(activation))
    _subsample(chain, "s4", pool, activation)
    chain.add("c5", nn.Conv2d(16, 120, (chain.shape[1], chain.shape[2])))
    chain.add("act5", activation_layer(activation))
    chain.add("flatten", nn.Flatten())
    chain.add("f6", nn.Linear(120, 84))
    chain.add("act6", activation_layer(activation))
    chain.add("output", nn.Linear(84, classes))
    return chain.net()


def _subsample(chain: Chain, name: str, pool: Literal["avg", "max", "trainable"], activation: Activation) -> None:
    chain.add(name, nn.MaxPool2d(2) if pool == "max" else nn.AvgPool2d(2))
    if pool == "trainable":
        chain.add(f"{name}_scale", MapScale(chain.shape[0]))
        chain.add(f"act{name[1:]}", activation_layer(activation))
