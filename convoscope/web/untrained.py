"""A network that has learned nothing yet, as the network level looks into one: how a lesson shows an architecture."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import nn

from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.data import load
from convoscope.data.batches import Scaling
from convoscope.runs.folder import RunFolder
from convoscope.runs.run import Preprocessing, Run

MOST_PARAMETERS = 20_000_000
DATA = "mnist-5k"
"""Its test pictures, which every installation has, brought to the network's size."""


class UntrainedRun(Run):
    """A run without a folder; its weights are random, and always the same.

    Args:
        model: a specification, as ``typical:blocks=3``.
        input_shape: (C, H, W) of its pictures.

    Raises:
        RequestError: no such network, or these pictures don't go through it.
    """

    def __init__(self, model: str, input_shape: tuple[int, int, int]) -> None:
        data = load(DATA)
        classes = data.classes
        # Built without weights: what is wrong with the request is known at once.
        with torch.device("meta"):
            plan = models.build(model, input_shape, len(classes))
        count = sum(parameter.numel() for parameter in plan.parameters())
        if count > MOST_PARAMETERS:
            raise RequestError("tours.model_large", model=model, count=count, most=MOST_PARAMETERS)
        channels, height, width = input_shape
        half = (0.5,) * channels
        self.folder = RunFolder(".")
        self.config: dict[str, Any] = {
            "model": model,
            "data": {"name": DATA, "data_dir": None, "size": None, "seed": 0, "fingerprint": data.fingerprint},
        }
        self.classes = classes
        self.preprocessing = Preprocessing(channels, height, width, Scaling(half, half))

    @property
    def metrics(self) -> None:
        """None: there was no training."""
        return

    @cached_property
    def model(self) -> nn.Module:
        """The network with its first weights, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = models.build(self.config["model"], self.preprocessing.input_shape, len(self.classes))
        return model.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload, no-any-return]
