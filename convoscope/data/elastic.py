"""Elastic distortion as a transformer; the field is that of the augmentation."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.utils import check_random_state

from convoscope.data.augment import Augmentation, Augmenter
from convoscope.data.transformer import Array, PictureTransformer

_BLOCK = 1000  # pictures at a time


class Elastic(PictureTransformer):
    """Bend each picture by a smooth random field.

    Every pixel (y, x) is read from (y, x) + alpha (G * u)(y, x), where u is uniform noise from -1 to 1, two numbers a
    pixel, and G * u its convolution with a Gaussian of `sigma` pixels whose values sum to 1; between pixels by bilinear
    interpolation. What comes in from outside is 0.

    Args:
        alpha: strength of the field, in pixels; the mean move is less, by how much the Gaussian averages out.
        sigma: its smoothness, in pixels.
        random_state: an int, a `numpy.random.RandomState` or None; draws the fields.

    Source: Simard, Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document
    analysis" (2003), with alpha = 34 and sigma = 4.
    """

    def __init__(self, alpha: float = 34.0, sigma: float = 4.0, *, random_state: Any = None) -> None:
        self.alpha = alpha
        self.sigma = sigma
        self.random_state = random_state

    def _change(self, images: Array) -> Array:
        bend = Augmenter(Augmentation(elastic=self.alpha, elastic_sigma=self.sigma), mirrored=False)
        generator = torch.Generator().manual_seed(int(check_random_state(self.random_state).randint(2**31 - 1)))
        blocks = [
            bend(torch.from_numpy(images[first : first + _BLOCK].astype("float32")), generator)
            for first in range(0, len(images), _BLOCK)
        ]
        changed: Array = torch.cat(blocks).numpy()
        return changed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags
