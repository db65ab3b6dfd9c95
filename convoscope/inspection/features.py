"""What layers of a net make of many pictures, as rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convoscope.data.batches import inputs_from
from convoscope.data.types import Pixels
from convoscope.models.shadow import shadow
from convoscope.runs.run import Run

_BATCH = 250


def features_of(run: Run, names: Sequence[str], images: Pixels, most: int | None = None) -> dict[str, NDArray[Any]]:
    """What the layers `names` give on pictures (N, C, H, W) uint8: name -> (N, features) float32.

    Args:
        run: the trained network.
        names: layers.
        images: the pictures.
        most: average maps over squares until they have no more numbers than this; None leaves them as they are.

    Raises:
        RequestError: the weights lead to what is no number.
    """
    p, net = run.preprocessing, shadow(run.model)
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
    heard: dict[str, Tensor] = {}

    def listen(name: str) -> None:
        def note(_: Any, __: Any, output: Tensor) -> None:
            # A layer that works twice is heard the first time; a copy, as the next may work in place.
            heard.setdefault(name, _rows(output, most))

        net.get_submodule(name).register_forward_hook(note)

    for name in names:
        listen(name)
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH):
            heard.clear()
            batch = images[start : start + _BATCH]
            logits = net(inputs_from(batch, p.scaling, (p.height, p.width), torch.device("cpu")))
            if not logits.isfinite().all():
                raise run.folder.damaged(run.folder.weights_file, "NaN")
            for name in names:
                parts[name].append(heard[name].numpy())
    return {name: np.concatenate(rows) for name, rows in parts.items()}


def _rows(output: Tensor, most: int | None) -> Tensor:
    maps = output.float()
    if most is not None and maps.dim() == 4 and maps[0].numel() > most:
        side = max(1, int((most / maps.shape[1]) ** 0.5))
        size = min(maps.shape[2], side), min(maps.shape[3], side)
        maps = torch.nn.functional.adaptive_avg_pool2d(maps, size)
    return maps.flatten(1).clone()
