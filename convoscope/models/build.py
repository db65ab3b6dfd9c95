"""From a specification to a net: ``build("typical:blocks=3", (1, 28, 28), 10)``."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from convoscope.core.errors import RequestError
from convoscope.core.spec import Spec, parse_spec
from convoscope.models._registry import registry
from convoscope.models.parameters import check

_MOST_CHANNELS = 4096
_MOST_PIXELS = 89_478_485  # no picture file of more is read
_MOST_CLASSES = 1_000_000


def build(spec: str | Spec, input_shape: Sequence[int], classes: int) -> nn.Module:
    """The net that `spec` names, with fresh weights from PyTorch's random generator.

    Args:
        spec: a family's name, with its parameters: ``lenet5``, ``typical:blocks=3,width=32``.
        input_shape: (C, H, W) of one picture.
        classes: how many classes there are, at least 2.

    Returns:
        A net from (B, C, H, W) float32, normalised, to logits (B, classes).

    Raises:
        RequestError: no such family or parameter, a value out of its limits, fewer than two classes or too many, a
            picture too large, or one too small for the net (the sentence names the layer).
    """
    spec = parse_spec(spec) if isinstance(spec, str) else spec
    family = registry.get(spec.name)
    parameters = check(spec, family)
    shape = tuple(input_shape)
    if len(shape) != 3 or not all(type(size) is int and size >= 1 for size in shape):
        raise RequestError("models.input_shape", asked="x".join(str(size) for size in shape))
    if type(classes) is not int or classes < 2:
        raise RequestError("models.classes", asked=classes)
    if shape[0] > _MOST_CHANNELS or shape[1] * shape[2] > _MOST_PIXELS:
        limits = {"channels": _MOST_CHANNELS, "pixels": _MOST_PIXELS}
        raise RequestError("models.input_large", asked="x".join(map(str, shape)), **limits)
    if classes > _MOST_CLASSES:
        raise RequestError("models.classes_many", asked=classes, most=_MOST_CLASSES)
    return family(shape, classes, **parameters)
