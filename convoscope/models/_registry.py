"""The registry of network families; its own module, so that a family file can register itself while it is read."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from convoscope.core.registry import Registry

# (input_shape, classes, **parameters) -> net; what differs between families is the keyword parameters.
Family = Callable[..., nn.Module]

registry: Registry[Family] = Registry("model", "convoscope.models")
