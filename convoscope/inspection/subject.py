"""The picture that a view looks at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.data.types import Pixels
from convoscope.runs.run import Run


@dataclass(frozen=True, eq=False)
class Subject:
    """One picture.

    Args:
        pixels: (C, H, W) uint8, as the net takes it.
        index: its place in the test set; None for a picture that was given.
        label: its class, where that is known.
    """

    pixels: Pixels
    index: int | None = None
    label: str | None = None


def subject(run: Run, image: ArrayLike | str | Path | None, data_dir: Path | str | None) -> Subject:
    """The picture given, brought to the net's size, or the first test picture of the run's own data.

    Raises:
        RequestError: it is no picture, or more than one; or none was given and the run's data can't be had.
    """
    if image is None:
        test = run.load_data(data_dir=data_dir).test
        return Subject(run.fitted(test.images[0]), 0, run.classes[int(test.labels[0])])
    if isinstance(image, str | Path):
        from convoscope.data.decode import read_image

        image = read_image(image)
    pictures = run.pictures(image)
    if len(pictures) != 1:
        raise RequestError("inspection.one_picture", field="image", count=len(pictures))
    return Subject(pictures[0])
