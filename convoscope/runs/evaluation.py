"""What a network gets wrong, with how sure one can be of it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, Literal, cast, get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from convoscope.core.registry import nearest
from convoscope.data.batches import Scaling, inputs_from

Views = Literal["none", "flip", "shift", "flip-shift", "turn"]
"""Test-time augmentation: which views of a picture are averaged. `shift` adds the picture moved by a pixel along both
diagonals, padded by reflection; `flip` adds each view's mirror image; `flip-shift` is airbench's six views (2024).
`turn` adds the picture turned by 8 degrees to either side, for networks whose training turned pictures too."""

BATCH = 500
"""Pictures that a network sees at a time, at the most."""
VALUES = BATCH * 3 * 64 * 64
"""Values of their pixels at a time, at the most: its maps are many times as many, and must fit into memory."""
_TURN = math.radians(8)


def check_views(views: str) -> Views:
    """`views`, if it is one of the kinds of test-time augmentation.

    Raises:
        RequestError: it is not.
    """
    for known in get_args(Views):
        if views == known:
            return cast(Views, known)
    raise nearest("views", views, get_args(Views))


@torch.inference_mode()
def predict_logits(
    model: Callable[[Tensor], Tensor],
    images: NDArray[np.uint8],
    scaling: Scaling,
    size: tuple[int, int],
    device: torch.device,
    views: Views = "none",
) -> Tensor:
    """Logits (N, classes) of pictures (N, C, H, W) uint8; the model is used as it is, so put it in evaluation mode."""
    parts = []
    batch = min(BATCH, max(1, VALUES // (images.shape[1] * math.prod(size))))
    for start in range(0, len(images), batch):
        inputs = inputs_from(images[start : start + batch], scaling, size, device)
        parts.append(sum(weight * model(view).float() for weight, view in _views(inputs, views)))
    return torch.cat([torch.as_tensor(part).cpu() for part in parts])


def _views(inputs: Tensor, views: Views) -> Iterator[tuple[float, Tensor]]:
    if views == "turn":
        yield from ((1 / 3, view) for view in (_turned(inputs, -_TURN), inputs, _turned(inputs, _TURN)))
        return
    shifted = [(1.0, inputs)]
    if views in ("shift", "flip-shift"):
        padded = F.pad(inputs, (1, 1, 1, 1), mode="reflect")
        height, width = inputs.shape[-2:]
        corners = (padded[:, :, at : at + height, at : at + width] for at in (0, 2))
        shifted = [(0.5, inputs), *((0.25, corner) for corner in corners)]
    for weight, view in shifted:
        if views in ("flip", "flip-shift"):
            yield weight / 2, view
            yield weight / 2, view.flip(-1)
        else:
            yield weight, view


def _turned(inputs: Tensor, angle: float) -> Tensor:
    """(B, C, H, W), turned about their middle by `angle` radians, interpolated, and padded by their border's values."""
    height, width = inputs.shape[-2:]
    cosine, sine = math.cos(angle), math.sin(angle)
    # Each side is 2 long to the grid, whatever it is in pixels.
    turn = torch.tensor([[cosine, -sine * height / width, 0.0], [sine * width / height, cosine, 0.0]])
    grid = F.affine_grid(turn.to(inputs).expand(len(inputs), 2, 3), list(inputs.shape), align_corners=False)
    return F.grid_sample(inputs, grid, padding_mode="border", align_corners=False)


def score(logits: Tensor, labels: NDArray[np.int64], classes: tuple[str, ...]) -> dict[str, Any]:
    """Error, 95% interval, loss, errors per class and confusion matrix, JSON-ready.

    Args:
        logits: (N, classes).
        labels: (N,), the true classes.
        classes: their names.
    """
    truth = torch.from_numpy(np.asarray(labels))
    guesses = logits.argmax(dim=1)
    confusion = torch.bincount(truth * len(classes) + guesses, minlength=len(classes) ** 2).view(len(classes), -1)
    wrong = int((guesses != truth).sum())
    low, high = wilson_interval(wrong, len(truth))
    per_class = [
        {"class": name, "count": int(row.sum()), "errors": int(row.sum() - row[at])}
        for at, (name, row) in enumerate(zip(classes, confusion, strict=True))
    ]
    return {
        "error": wrong / len(truth),
        "errors": wrong,
        "count": len(truth),
        "interval": [low, high],
        "loss": float(F.cross_entropy(logits.double(), truth)),
        "per_class": per_class,
        "confusion": confusion.tolist(),
    }


def wilson_interval(wrong: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95% interval of an error share of `wrong` in `count` (E. B. Wilson, 1927); honest at and near zero."""
    share = wrong / count
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    # At the ends the formula is exact, and its rounding is not.
    low = 0.0 if wrong == 0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if wrong == count else min(1.0, (centre + spread) / scale)
    return low, high


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """A ``with`` block in which `model` is in evaluation mode; afterwards it is in the mode that it was in."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
