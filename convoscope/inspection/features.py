"""What layers of a net make of many pictures, as rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from convoscope.data.types import Pixels
from convoscope.inspection.recorder import Recorder
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
    recorder = Recorder(run, names, lambda output: _rows(output, most))
    heard = [recorder.record(images[start : start + _BATCH]).outputs for start in range(0, len(images), _BATCH)]
    return {name: np.concatenate([rows[name].numpy() for rows in heard]) for name in names}


def _rows(output: Tensor, most: int | None) -> Tensor:
    maps = output.float()
    if most is not None and maps.dim() == 4 and maps[0].numel() > most:
        side = max(1, int((most / maps.shape[1]) ** 0.5))
        size = min(maps.shape[2], side), min(maps.shape[3], side)
        maps = F.adaptive_avg_pool2d(maps, size)
    return maps.flatten(1).clone()
