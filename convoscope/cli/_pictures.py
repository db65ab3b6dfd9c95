"""Pictures as they are named on the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from convoscope.core.errors import RequestError

if TYPE_CHECKING:
    from convoscope.data.types import Pixels

_OF_SET = re.compile(r"(?P<name>[\w-]+):(?P<index>\d{1,9})")


def picture_named(name: str, data_dir: Path | None) -> Pixels | None:
    """A picture (C, H, W): a file, or a training picture of a data set (``mnist-5k:12``); None if `name` is neither.

    Raises:
        RequestError: the file is no picture, or the set can't be had or has no such picture.
    """
    if Path(name).exists():
        from convoscope.data.decode import read_image

        return read_image(name)
    asked = _OF_SET.fullmatch(name)
    if asked is None:
        return None
    from convoscope.data import load

    images = load(asked["name"], data_dir=data_dir).train.images
    if int(asked["index"]) >= len(images):
        values = {"name": asked["name"], "asked": asked["index"], "last": len(images) - 1}
        raise RequestError("convolution.no_such_picture", field="image", **values)
    pixels: Pixels = images[int(asked["index"])]
    return pixels
