"""A short training that several tests compare with itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
import torch.nn.functional as F
from torch import nn

import convoscope as cs
from convoscope.data.batches import Scaling, to_pixels
from convoscope.models import build


def last_loss(model: str, within: Callable[[nn.Module], AbstractContextManager[None]]) -> float:
    """The loss of the fifth step on 200 digits, with steps taken within ``within(net)``."""
    data = cs.load("mnist-5k").train
    images = Scaling.of(data.images).apply(to_pixels(data.images[:200], torch.device("cpu")))
    labels = torch.from_numpy(data.labels[:200])
    torch.manual_seed(0)
    net = build(model, (1, 28, 28), 10)
    optimizer = torch.optim.SGD([weight for weight in net.parameters() if weight.requires_grad], lr=0.01)
    with within(net):
        for _ in range(5):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return loss.item()
