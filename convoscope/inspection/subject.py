"""The picture that a view looks at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.data.types import Pixels
from convoscope.inspection.numbers import share
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

    def said(self, likeliest: tuple[str, float] | None) -> str:
        """Which picture it is, and the class and probability that the net gives it."""
        label, probability = likeliest or ("", 0.0)
        key = "said_given" if self.label is None else "said_test"
        return say(f"inspection.{key}", index=self.index, truth=self.label, label=label, share=share(probability, 1))


def told_of(subject: Subject | None, likeliest: tuple[str, float] | None) -> dict[str, Any]:
    """A picture and what the net says of it, ready for JSON; empty for views that look at none."""
    told: dict[str, Any] = {} if subject is None else {"image": subject.pixels.tolist(), "label": subject.label}
    if likeliest is not None:
        told["prediction"] = dict(zip(("label", "probability"), likeliest, strict=True))
    return told


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
