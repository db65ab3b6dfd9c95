"""The layers of a net whose output is read by layers that mix it: where something new has come about."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from convoscope.inspection.filter_banks import Convolution
from convoscope.models import Layer
from convoscope.models.modules import Add

_PASSING = (nn.Flatten, nn.Dropout, nn.Dropout2d, nn.Identity)
_MIXING = (*Convolution.__args__, nn.Linear, Add)


def read_layers(model: nn.Module, layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layers after which a convolution, a fully connected layer or a sum reads, and the last one, in order."""
    readers: dict[str, list[Layer]] = {}
    for layer in layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)

    def mixed(name: str) -> bool:
        found = readers.get(name, [])
        kinds = [model.get_submodule(one.name) for one in found]
        return not found or any(
            isinstance(kind, _MIXING) or (isinstance(kind, _PASSING) and mixed(one.name))
            for one, kind in zip(found, kinds, strict=True)
        )

    return tuple(
        layer for layer in layers if not isinstance(model.get_submodule(layer.name), _PASSING) and mixed(layer.name)
    )
