"""Kernels that blur, and the one that takes a blur away: Gaussian, motion blur, unsharp masking."""

from __future__ import annotations

import numpy as np

from convoscope.convolution.kernel import Numbers, named_kernel, whole_between

_SOURCE = "Wikipedia, “Kernel (image processing)”"
_BINOMIAL_3 = np.outer([1, 2, 1], [1, 2, 1])
_BINOMIAL_5 = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])


@named_kernel(
    "gaussian-3",
    en=("Gaussian blur 3 × 3", "Blurs gently: near pixels count more than far ones."),
    es=("desenfoque gaussiano 3 × 3", "Desenfoca con suavidad: los píxeles cercanos pesan más que los lejanos."),
    source=_SOURCE,
)
def gaussian_3() -> Numbers:
    """The outer product of 1 2 1, over 16."""
    return _BINOMIAL_3 / 16


@named_kernel(
    "gaussian-5",
    en=("Gaussian blur 5 × 5", "Blurs more strongly, over a larger window."),
    es=("desenfoque gaussiano 5 × 5", "Desenfoca con más fuerza, sobre una ventana mayor."),
    source=_SOURCE,
)
def gaussian_5() -> Numbers:
    """The outer product of 1 4 6 4 1, over 256."""
    return _BINOMIAL_5 / 256


@named_kernel(
    "unsharp",
    en=("unsharp masking", "Sharpens by taking a Gaussian blur away: twice the image less its 5 × 5 blur."),
    es=(
        "máscara de enfoque",
        "Enfoca restando un desenfoque gaussiano: el doble de la imagen menos su desenfoque de 5 × 5.",
    ),
    source=_SOURCE,
)
def unsharp() -> Numbers:
    """Twice the identity less the 5 × 5 Gaussian: 476/256 in the middle."""
    twice_identity = np.zeros((5, 5))
    twice_identity[2, 2] = 2
    return np.asarray(twice_identity - _BINOMIAL_5 / 256)


@named_kernel(
    "motion-blur",
    en=("motion blur", "Smears along the diagonal, as when the camera moves while the picture is taken."),
    es=("desenfoque de movimiento", "Arrastra la imagen en diagonal, como si la cámara se moviera al tomar la foto."),
    source=("A line of equal weights that add up to 1", "Una línea de pesos iguales que suman 1"),
)
def motion_blur(size: int = 5) -> Numbers:
    """1 / size along the diagonal from top left to bottom right."""
    side = whole_between(size, "size", 1, 99, kernel="motion-blur")
    return np.eye(side) / side
