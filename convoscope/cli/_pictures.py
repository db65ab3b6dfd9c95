"""Pictures as they are named on the command line."""

from __future__ import annotations

import errno
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
    if _is_there(name):
        from convoscope.data.decode import read_image

        return read_image(name)
    from convoscope.data.named_picture import picture_of_set

    return picture_of_set(name, data_dir)


def _is_there(name: str) -> bool:
    """Whether there is a file of this name; one that we may not look at is there.

    A name that is too long for a file is none: typed numbers may be.
    """
    try:
        os.stat(name)
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP)
    return True
