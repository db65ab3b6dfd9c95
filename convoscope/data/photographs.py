"""The two colour photographs that scikit-learn ships."""

from __future__ import annotations

from convoscope.core.errors import RequestError
from convoscope.data.decode import decode
from convoscope.data.packages import file_of
from convoscope.data.types import Pixels

PHOTOGRAPHS = {"flower": "flower.jpg", "temple": "china.jpg"}
"""Name -> file. Both CC BY 2.0: vultilion (flower) and danielbuechele (temple), Flickr, 2011."""


def photograph(name: str, size: tuple[int, int] | None = None) -> Pixels:
    """A colour photograph that needs no network, (3, H, W) uint8.

    Args:
        name: ``flower`` or ``temple``.
        size: (height, width) to cut and resample it to; 427 x 640 pixels if not given.

    Raises:
        RequestError: there is no photograph of that name, or scikit-learn is not installed.
    """
    if name not in PHOTOGRAPHS:
        raise RequestError("data.photograph_unknown", field="name", asked=name, known=", ".join(PHOTOGRAPHS))
    path = file_of("sklearn", f"datasets/images/{PHOTOGRAPHS[name]}", name=name)
    return decode(path.read_bytes(), channels=3, size=size)
