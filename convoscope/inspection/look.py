"""What each layer of a net makes of one picture, and what its kernels are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from convoscope.data.types import Pixels
from convoscope.inspection.recorder import Recorder
from convoscope.models import Layer
from convoscope.models.layers import window_of
from convoscope.models.modules import TableConv2d
from convoscope.runs.run import Run

Maps = NDArray[np.float32]

_WINDOWED = (nn.Conv2d, TableConv2d)


@dataclass(frozen=True, eq=False)
class Look:
    """A picture's way through the net.

    Args:
        inputs: what the net got, (C, H, W), normalised.
        outputs: layer name -> what came out, (C, H, W) or (features,).
        probabilities: (classes,).
    """

    inputs: Maps
    outputs: dict[str, Maps]
    probabilities: NDArray[np.float64]

    def likeliest(self, classes: Sequence[str]) -> tuple[str, float]:
        """The most probable of the `classes`, and its probability."""
        best = int(self.probabilities.argmax())
        return classes[best], float(self.probabilities[best])


def look(run: Run, layers: Sequence[Layer], pixels: Pixels) -> Look:
    """Send a picture (C, H, W) uint8 of the net's own size through, and keep what comes out of `layers`.

    Raises:
        RequestError: the run's weights lead to what is no number.
    """
    recorder = Recorder(run, [layer.name for layer in layers], lambda output: output[0].float().contiguous().clone())
    heard = recorder.record(pixels[None])
    outputs = {name: maps.numpy() for name, maps in heard.outputs.items()}
    return Look(heard.inputs[0].numpy(), outputs, heard.logits[0].double().softmax(dim=0).numpy())


def filters_of(module: nn.Module) -> Maps | None:
    """The weights (F, C / groups, kH, kW) of a convolution; None for other layers."""
    if not isinstance(module, _WINDOWED):
        return None
    weights: Maps = module.weight.detach().float().cpu().contiguous().numpy()
    return weights


def walk_of(module: nn.Module) -> dict[str, Any] | None:
    """How a convolution's kernel walks: its stride, padding and dilation; None for other layers."""
    if not isinstance(module, _WINDOWED):
        return None
    window = window_of(module)
    return {"stride": window.stride, "padding": window.padding, "dilation": window.dilation}
