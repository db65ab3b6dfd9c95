"""What each layer of a net makes of one picture, and what its kernels are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from convoscope.data.batches import inputs_from
from convoscope.data.types import Pixels
from convoscope.models import Layer
from convoscope.models.layers import window_of
from convoscope.models.modules import TableConv2d
from convoscope.models.shadow import shadow
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
    p, model = run.preprocessing, shadow(run.model)
    outputs: dict[str, Maps] = {}
    for layer in layers:

        def note(_: Any, __: Any, output: torch.Tensor, name: str = layer.name) -> None:
            # A copy, because the next layer may work in place; of a layer that works twice, the first time.
            outputs.setdefault(name, output[0].detach().float().contiguous().clone().numpy())

        model.get_submodule(layer.name).register_forward_hook(note)
    with torch.inference_mode():
        inputs = inputs_from(pixels[None], p.scaling, (p.height, p.width), torch.device("cpu"))
        given = inputs[0].contiguous().clone().numpy()
        logits = model(inputs)
    if not logits.isfinite().all():
        raise run.folder.damaged(run.folder.weights_file, "NaN")
    return Look(given, outputs, logits[0].double().softmax(dim=0).numpy())


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
