"""The Gabor kernel: a wave under a Gaussian, at a chosen angle and wavelength.

Much like what the first layers of trained CNNs learn by themselves, and like cells of the visual cortex.
"""

from __future__ import annotations

import math

import numpy as np

from convoscope.convolution.kernel import Numbers, named_kernel, number_between, whole_between

_ONE_OCTAVE = math.sqrt(math.log(2) / 2) / math.pi * 3
"""Standard deviation over wavelength for a bandwidth of one octave (0.56)."""

_LARGEST_SIDE = 99


@named_kernel(
    "gabor",
    en=("Gabor", "Answers to stripes of one angle and one width (wavelength), like cells of the visual cortex."),
    es=("Gabor", "Responde a franjas de un ángulo y un ancho (longitud de onda), como células de la corteza visual."),
    source="Daugman 1985, “Uncertainty relation for resolution in space, spatial frequency, and orientation …”",
)
def gabor(
    angle: float = 0.0, wavelength: float = 4.0, phase: float = 0.0, aspect: float = 0.5, size: int = 0
) -> Numbers:
    """A cosine wave under a Gaussian, less its mean (so that flat areas give 0), scaled to absolute values of sum 1.

    Args:
        angle: the direction in which the wave runs, in degrees, counter-clockwise as one sees it: 0 answers to vertical
            stripes, 90 to horizontal ones.
        wavelength: from crest to crest, in pixels.
        phase: degrees: 0 is even (answers to a stripe), 90 odd (to an edge).
        aspect: width over length of the Gaussian: 1 is round, less is longer along the stripes.
        size: rows and columns; 0 takes the smallest that holds 2 standard deviations across the stripes.
    """
    turn = math.radians(number_between(angle, "angle", -360, 360, kernel="gabor"))
    period = number_between(wavelength, "wavelength", 2, _LARGEST_SIDE, kernel="gabor")
    shift = math.radians(number_between(phase, "phase", -360, 360, kernel="gabor"))
    ratio = number_between(aspect, "aspect", 0.1, 10, kernel="gabor")
    side = whole_between(size, "size", 0, _LARGEST_SIDE, kernel="gabor")
    deviation = _ONE_OCTAVE * period
    reach = (side - 1) / 2 if side else float(min(_LARGEST_SIDE // 2, max(1, math.ceil(2 * deviation))))
    steps = np.arange(-reach, reach + 1)
    x, y = steps[None, :], -steps[:, None]  # rows are counted downwards, angles upwards
    along = x * math.cos(turn) + y * math.sin(turn)
    across = -x * math.sin(turn) + y * math.cos(turn)
    envelope = np.exp(-(along**2 + (ratio * across) ** 2) / (2 * deviation**2))
    wave = envelope * np.cos(2 * math.pi * along / period + shift)
    wave -= wave.mean()
    # A single pixel less its mean leaves nothing to scale.
    return np.asarray(wave / max(np.abs(wave).sum(), np.finfo(np.float64).tiny))
