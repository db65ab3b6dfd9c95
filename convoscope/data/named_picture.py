"""A picture of a data set, as it is named where one picture is asked for: ``mnist-5k:12``."""

from __future__ import annotations

import os
import re

from convoscope.core.errors import RequestError
from convoscope.data.loading import load
from convoscope.data.types import Pixels

_NAMED = re.compile(r"(?P<name>[\w-]+):(?P<index>\d{1,9})")


def picture_of_set(name: str, data_dir: str | os.PathLike[str] | None = None) -> Pixels | None:
    """The training picture (C, H, W) that `name` names; None if it is not the name of a picture of a data set.

    Raises:
        RequestError: the set can't be had or has no such picture.
    """
    asked = _NAMED.fullmatch(name)
    if asked is None:
        return None
    images = load(asked["name"], data_dir=data_dir).train.images
    if int(asked["index"]) >= len(images):
        values = {"name": asked["name"], "asked": asked["index"], "last": len(images) - 1}
        raise RequestError("convolution.no_such_picture", field="image", **values)
    pixels: Pixels = images[int(asked["index"])]
    return pixels
