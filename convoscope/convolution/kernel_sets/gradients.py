"""Kernels that measure how fast an image changes: Sobel, Prewitt, Scharr, emboss, Laplacian of Gaussian.

The "-x" kernels compare left with right, so they find vertical edges; the "-y" kernels compare above with below.
No flip is applied, so an image that grows brighter to the right (or downwards) gives positive numbers.
"""

from __future__ import annotations

import numpy as np

from convoscope.convolution.kernel import Numbers, named_kernel

_DIFFERENCE = np.array([-1, 0, 1])
_SOBEL = "Sobel & Feldman 1968, “A 3×3 isotropic gradient operator for image processing”"
_PREWITT = "Prewitt 1970, “Object enhancement and extraction”"
_SCHARR = "Scharr 2000, “Optimale Operatoren in der Digitalen Bildverarbeitung”, Heidelberg"


@named_kernel(
    "sobel-x",
    en=(
        "Sobel, vertical edges",
        "Right less left, the middle row counted twice: positive where it brightens rightwards.",
    ),
    es=(
        "Sobel, bordes verticales",
        "Derecha menos izquierda, con doble peso en la fila central: positivo donde se aclara hacia la derecha.",
    ),
    source=_SOBEL,
)
def sobel_x() -> Numbers:
    """1 2 1 down, -1 0 1 across."""
    return np.outer([1, 2, 1], _DIFFERENCE)


@named_kernel(
    "sobel-y",
    en=(
        "Sobel, horizontal edges",
        "Below less above, the middle column counted twice: positive where it brightens downwards.",
    ),
    es=(
        "Sobel, bordes horizontales",
        "Abajo menos arriba, con doble peso en la columna central: positivo donde se aclara hacia abajo.",
    ),
    source=_SOBEL,
)
def sobel_y() -> Numbers:
    """-1 0 1 down, 1 2 1 across."""
    return np.outer(_DIFFERENCE, [1, 2, 1])


@named_kernel(
    "prewitt-x",
    en=("Prewitt, vertical edges", "Right column less left column, all rows alike."),
    es=("Prewitt, bordes verticales", "Columna derecha menos columna izquierda, todas las filas por igual."),
    source=_PREWITT,
)
def prewitt_x() -> Numbers:
    """1 1 1 down, -1 0 1 across."""
    return np.outer([1, 1, 1], _DIFFERENCE)


@named_kernel(
    "prewitt-y",
    en=("Prewitt, horizontal edges", "Bottom row less top row, all columns alike."),
    es=("Prewitt, bordes horizontales", "Fila inferior menos fila superior, todas las columnas por igual."),
    source=_PREWITT,
)
def prewitt_y() -> Numbers:
    """-1 0 1 down, 1 1 1 across."""
    return np.outer(_DIFFERENCE, [1, 1, 1])


@named_kernel(
    "scharr-x",
    en=("Scharr, vertical edges", "Like Sobel, with weights that treat slanted edges more evenly."),
    es=("Scharr, bordes verticales", "Como Sobel, con pesos que tratan mejor los bordes inclinados."),
    source=_SCHARR,
)
def scharr_x() -> Numbers:
    """3 10 3 down, -1 0 1 across."""
    return np.outer([3, 10, 3], _DIFFERENCE)


@named_kernel(
    "scharr-y",
    en=("Scharr, horizontal edges", "Like Sobel, with weights that treat slanted edges more evenly."),
    es=("Scharr, bordes horizontales", "Como Sobel, con pesos que tratan mejor los bordes inclinados."),
    source=_SCHARR,
)
def scharr_y() -> Numbers:
    """-1 0 1 down, 3 10 3 across."""
    return np.outer(_DIFFERENCE, [3, 10, 3])


@named_kernel(
    "emboss",
    en=("emboss", "Turns the image into a relief lit along the diagonal."),
    es=("relieve", "Convierte la imagen en un relieve iluminado en diagonal."),
    source=("GIMP manual, “Convolution Matrix”", "Manual de GIMP, “Matriz de convolución”"),
)
def emboss() -> Numbers:
    """Negative top left, positive bottom right; the sum is 1, so flat areas keep their brightness."""
    return [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]


@named_kernel(
    "laplacian-of-gaussian",
    en=(
        "Laplacian of Gaussian",
        "Blurs, then looks for edges in every direction: finds spots and edges, ignores noise.",
    ),
    es=(
        "laplaciano del gaussiano",
        "Desenfoca y luego busca bordes en todas las direcciones: halla manchas y bordes sin hacer caso al ruido.",
    ),
    source="Marr & Hildreth 1980, “Theory of edge detection”",
)
def laplacian_of_gaussian() -> Numbers:
    """The "Mexican hat": 16 in the middle, negative around it; the sum is 0."""
    return [[0, 0, -1, 0, 0], [0, -1, -2, -1, 0], [-1, -2, 16, -2, -1], [0, -1, -2, -1, 0], [0, 0, -1, 0, 0]]
