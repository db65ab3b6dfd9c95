"""What becomes of the layers of a net when its picture moves: maps that move along, and numbers that stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from convoscope.data.types import Pixels
from convoscope.inspection.recorder import Recorder
from convoscope.models import Layer
from convoscope.runs.run import Run

_BATCH = 200


@dataclass(frozen=True)
class Following:
    """How a layer follows its picture, as means over all shifts.

    Args:
        layer: its name.
        equivariance: correlation of the maps, moved back, with those of the picture where it stood, over the part that
            both show; only over shifts by whole units of the layer. None for layers without maps, or without such a
            shift.
        invariance: correlation of the outputs as they are.
    """

    layer: str
    equivariance: float | None
    invariance: float


@dataclass(frozen=True, eq=False)
class Translation:
    """A picture moved by every (dy, dx) up to `reach` pixels.

    Args:
        reach: the farthest shift.
        probabilities: (2 reach + 1, 2 reach + 1, classes), rows are dy from -reach (up) on.
        following: how each layer follows.
        maps: layer -> its maps where the picture stands, and moved by (reach // 2, reach // 2), each (C, H, W).
    """

    reach: int
    probabilities: NDArray[np.float64]
    following: tuple[Following, ...]
    maps: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]


def moved(pixels: Pixels, dy: int, dx: int) -> Pixels:
    """A picture (C, H, W) moved down by `dy` and right by `dx`; what comes in repeats the border."""
    _, height, width = pixels.shape
    rows = np.clip(np.arange(height) - dy, 0, height - 1)
    columns = np.clip(np.arange(width) - dx, 0, width - 1)
    return pixels[:, rows[:, None], columns]


def translate(run: Run, layers: tuple[Layer, ...], pixels: Pixels, reach: int) -> Translation:
    """Move a picture (C, H, W) uint8 of the net's own size, and look at `layers`.

    Raises:
        RequestError: the weights lead to what is no number.
    """
    shifts = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
    recorder = Recorder(run, [layer.name for layer in layers], Tensor.clone)
    middle = recorder.record(pixels[None]).outputs
    sums: dict[str, list[list[float]]] = {layer.name: [[], []] for layer in layers}
    probabilities = []
    for start in range(0, len(shifts), _BATCH):
        some = shifts[start : start + _BATCH]
        heard = recorder.record(np.stack([moved(pixels, *shift) for shift in some]))
        probabilities.append(heard.logits.double().softmax(dim=1).numpy())
        for layer in layers:
            for at, shift in enumerate(some):
                _note(sums[layer.name], layer, middle[layer.name][0], heard.outputs[layer.name][at], shift)
    following = tuple(
        Following(name, float(np.mean(along)) if along else None, float(np.mean(still)))
        for name, (along, still) in sums.items()
    )
    half = reach // 2
    beside = recorder.record(moved(pixels, half, half)[None]).outputs
    maps = {
        layer.name: (middle[layer.name][0].numpy(), beside[layer.name][0].numpy())
        for layer in layers
        if len(layer.output_shape) == 3
    }
    side = 2 * reach + 1
    return Translation(reach, np.concatenate(probabilities).reshape(side, side, -1), following, maps)


def _note(sums: list[list[float]], layer: Layer, still: Tensor, now: Tensor, shift: tuple[int, int]) -> None:
    along, same = sums
    same.append(correlation(still, now))
    if len(layer.output_shape) != 3 or layer.field is None or shift == (0, 0):
        return
    steps = []
    for pixels, jump, units in zip(shift, layer.field.jump, layer.output_shape[1:], strict=True):
        if pixels % jump or abs(pixels // jump) >= units:
            return
        steps.append(pixels // jump)
    first, second = _overlap(still, now, *steps)
    along.append(correlation(first, second))


def _overlap(still: Tensor, now: Tensor, down: int, right: int) -> tuple[Tensor, Tensor]:
    """The parts of two (C, H, W) that show the same, if the second is the first moved."""

    def cut(length: int, by: int) -> tuple[slice, slice]:
        return slice(max(0, -by), length - max(0, by)), slice(max(0, by), length - max(0, -by))

    rows, columns = cut(still.shape[1], down), cut(still.shape[2], right)
    return still[:, rows[0], columns[0]], now[:, rows[1], columns[1]]


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's correlation of two tensors of one shape; 1 if neither varies, 0 if only one does."""
    first, second = (each.double().flatten() - each.double().mean() for each in (one, other))
    lengths = float(first.norm()), float(second.norm())
    if min(lengths) < 1e-9:
        return float(max(lengths) < 1e-9)
    return float(first @ second) / (lengths[0] * lengths[1])
