"""Colour digits: the digits of MNIST-5k over photographs, 10 classes in colour that need no network.

Made as MNIST-M is (Ganin et al. 2016, "Domain-adversarial training of neural networks"): a patch of a photograph, and
where the digit is drawn, the patch's colours inverted in proportion to the ink, |patch - digit|. The patches are 32x32,
from the two photographs that scikit-learn ships; those of test pictures come from the right quarter of each, which no
training picture has seen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convoscope.core.messages import say
from convoscope.data.photographs import PHOTOGRAPHS, photograph
from convoscope.data.sets import Contents, DataSet, Request, registry
from convoscope.data.sets._digits import DIGITS, DIGITS_ES
from convoscope.data.sets.mnist_5k import mnist_5k
from convoscope.data.types import Images, Pixels

SIDE = 32
_LEFT = 480  # columns of a photograph, of 640, that training pictures may take patches from


def read(_data_set: DataSet, request: Request) -> Contents:
    """Read and split the digits, and lay each over a patch that the seed chooses."""
    digits = mnist_5k.read(mnist_5k, request)
    photographs = [photograph(name) for name in PHOTOGRAPHS]
    chance = np.random.default_rng(request.seed)
    train = _laid_over([each[:, :, :_LEFT] for each in photographs], digits.train, chance)
    test = _laid_over([each[:, :, _LEFT:] for each in photographs], digits.test, chance)
    return Contents(train, test, say("data.source_colour_digits", digits=digits.source))


def _laid_over(photographs: list[Pixels], digits: Images, chance: np.random.Generator) -> Images:
    """Digits (N, 1, 28, 28) over random patches, (N, 3, 32, 32)."""
    patches = np.stack([_patch(photographs[chance.integers(len(photographs))], chance) for _ in range(len(digits))])
    edge = (SIDE - digits.images.shape[-1]) // 2
    ink = np.pad(digits.images, ((0, 0), (0, 0), (edge, edge), (edge, edge))).astype(np.int16)
    return Images(np.abs(patches - ink).astype(np.uint8), digits.labels)


def _patch(pixels: Pixels, chance: np.random.Generator) -> npt.NDArray[np.int16]:
    top, left = (int(chance.integers(length - SIDE + 1)) for length in pixels.shape[1:])
    return pixels[:, top : top + SIDE, left : left + SIDE].astype(np.int16)


colour_digits = registry.register("colour-digits")(
    DataSet(
        name="colour-digits",
        shape=(3, SIDE, SIDE),
        classes=DIGITS,
        classes_es=DIGITS_ES,
        counts=mnist_5k.counts,
        mirrored=False,
        official_split=False,
        homepage=mnist_5k.homepage,
        licence="CC BY-SA 3.0 (MNIST), CC BY 2.0 (danielbuechele, vultilion)",
        citation="made as MNIST-M: Y. Ganin et al., JMLR 17 (2016); pictures from MNIST: Y. LeCun et al. (1998)",
        read=read,
    )
)
