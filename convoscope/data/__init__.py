"""Data sets, the folder reader, splits, batches and augmentation.

Names are loaded when first used, so that importing this room costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "DataSet": "convoscope.data.sets",
    "Deskew": "convoscope.data.deskew",
    "Elastic": "convoscope.data.elastic",
    "ImageData": "convoscope.data.types",
    "Images": "convoscope.data.types",
    "Jitter": "convoscope.data.jitter",
    "LeftOut": "convoscope.data.types",
    "from_arrays": "convoscope.data.arrays",
    "load": "convoscope.data.loading",
    "photograph": "convoscope.data.photographs",
    "read_image": "convoscope.data.decode",
    "registry": "convoscope.data.sets",
    "split_validation": "convoscope.data.splits",
}

__all__ = [
    "DataSet",
    "Deskew",
    "Elastic",
    "ImageData",
    "Images",
    "Jitter",
    "LeftOut",
    "from_arrays",
    "load",
    "photograph",
    "read_image",
    "registry",
    "split_validation",
]

if TYPE_CHECKING:
    from convoscope.data.arrays import from_arrays
    from convoscope.data.decode import read_image
    from convoscope.data.deskew import Deskew
    from convoscope.data.elastic import Elastic
    from convoscope.data.jitter import Jitter
    from convoscope.data.loading import load
    from convoscope.data.photographs import photograph
    from convoscope.data.sets import DataSet, registry
    from convoscope.data.splits import split_validation
    from convoscope.data.types import ImageData, Images, LeftOut


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'convoscope.data' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
