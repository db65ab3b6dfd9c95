"""PyTorch's own MNIST example, the first network that many people train.

Source: the repository pytorch/examples, ``mnist/main.py``, with its default options. Two convolutions of 3x3 without
padding, 32 and 64 maps, each with ReLU; max pooling by 2; dropout of a quarter; 9,216 numbers to a dense layer of 128
with ReLU; dropout of a half; ten outputs. 1,199,882 parameters. Adadelta (M. Zeiler 2012) at rate 1, which falls to
0.7 of itself after each epoch; batches of 64; 14 epochs; no augmentation; pixels are scaled by MNIST's mean and
deviation. With another number of epochs the rate falls by the same share after each.

Departures: an epoch is cut into 938 batches of 63 or 64 instead of one short last batch; memory is channels-last.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.optim import Optimizer

from benchmarks.peers.peer import Peer
from convoscope.data.batches import Scaling


class MnistExample(Peer):
    """See the head of this file."""

    title = "PyTorch's MNIST example, re-implemented"
    source = "github.com/pytorch/examples, mnist/main.py"
    published_epochs = 14
    batch_size = 64
    scaling = Scaling((0.1307,), (0.3081,))

    def network(self) -> nn.Module:
        channels, height, width = self.loaded.shape
        features = 64 * ((height - 4) // 2) * ((width - 4) // 2)
        layers: list[tuple[str, nn.Module]] = [
            ("conv1", nn.Conv2d(channels, 32, 3)),
            ("act1", nn.ReLU()),
            ("conv2", nn.Conv2d(32, 64, 3)),
            ("act2", nn.ReLU()),
            ("pool", nn.MaxPool2d(2)),
            ("drop1", nn.Dropout(0.25)),
            ("flatten", nn.Flatten()),
            ("dense", nn.Linear(features, 128)),
            ("act3", nn.ReLU()),
            ("drop2", nn.Dropout(0.5)),
            ("output", nn.Linear(128, len(self.loaded.classes))),
        ]
        return nn.Sequential(OrderedDict(layers))

    def make_optimizers(self) -> list[Optimizer]:
        return [torch.optim.Adadelta(self.model.parameters(), lr=1.0)]

    def before_step(self, step: int) -> None:
        self.optimizers[0].param_groups[0]["lr"] = 0.7 ** (step // self.batches.steps)
