"""Pictures as they are named on the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convoscope.data.types import Pixels


def picture_named(name: str, data_dir: Path | None) -> Pixels | None:
    """A picture (C, H, W): a file, or a training picture of a data set (``mnist-5k:12``); None if `name` is neither.

    Raises:
        RequestError: the file is no picture, or the set can't be had or has no such picture.
    """
    if os.path.exists(name):  # `Path.exists` raises for a name that is too long, as typed numbers may be
        from convoscope.data.decode import read_image

        return read_image(name)
    from convoscope.data.named_picture import picture_of_set

    return picture_of_set(name, data_dir)
