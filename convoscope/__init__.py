"""Convoscope: see, train, trust and ship small image classifiers.

Names are loaded when first used, so that ``import convoscope`` costs nothing and ``convoscope.convolve`` works
without PyTorch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "ConvNetClassifier": "convoscope.training.estimator",
    "ImageData": "convoscope.data",
    "Run": "convoscope.runs",
    "Trace": "convoscope.convolution",
    "convolve": "convoscope.convolution",
    "exercise": "convoscope.lessons.exercise",
    "exercises": "convoscope.lessons.listing",
    "kernels": "convoscope.convolution",
    "load": "convoscope.data",
    "pool": "convoscope.convolution",
    "set_language": "convoscope.core.messages",
    "summary": "convoscope.models",
    "train": "convoscope.training",
}

__all__ = [
    "ConvNetClassifier",
    "ImageData",
    "Run",
    "Trace",
    "__version__",
    "convolve",
    "exercise",
    "exercises",
    "kernels",
    "load",
    "pool",
    "set_language",
    "summary",
    "train",
]

if TYPE_CHECKING:
    from convoscope.convolution import Trace, convolve, kernels, pool
    from convoscope.core.messages import set_language
    from convoscope.data import ImageData, load
    from convoscope.lessons.exercise import exercise
    from convoscope.lessons.listing import exercises
    from convoscope.models import summary
    from convoscope.runs import Run
    from convoscope.training import train
    from convoscope.training.estimator import ConvNetClassifier


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'convoscope' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
