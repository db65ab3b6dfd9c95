"""The kernels of the lecture: identity, the cross, three edge detectors, sharpen and box blur."""

from __future__ import annotations

import numpy as np

from convoscope.convolution.kernel import Numbers, named_kernel, whole_between

_SOURCE = "Wikipedia, “Kernel (image processing)”"


@named_kernel(
    "identity",
    en=("identity", "Leaves the image as it is: each output is the pixel under the middle."),
    es=("identidad", "Deja la imagen como está: cada salida es el píxel bajo el centro."),
    source=_SOURCE,
)
def identity() -> Numbers:
    """1 in the middle, 0 around it."""
    return [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


@named_kernel(
    "cross",
    en=("cross", "Answers most (5) where five pixels form a diagonal cross."),
    es=("cruz", "Responde al máximo (5) donde cinco píxeles forman una cruz diagonal."),
    source=("The lecture that Convoscope follows", "La clase que sigue Convoscope"),
)
def cross() -> Numbers:
    """1 on both diagonals, -1 elsewhere."""
    return [[1, -1, 1], [-1, 1, -1], [1, -1, 1]]


@named_kernel(
    "edges-diagonal",
    en=(
        "edge detection (corners)",
        "Compares the corners of the window: slanted edges stand out, straight ones vanish.",
    ),
    es=(
        "detección de bordes (esquinas)",
        "Compara las esquinas de la ventana: resaltan los bordes inclinados y desaparecen los rectos.",
    ),
    source=_SOURCE,
)
def edges_diagonal() -> Numbers:
    """The differences between opposite corners."""
    return [[1, 0, -1], [0, 0, 0], [-1, 0, 1]]


@named_kernel(
    "edges-4",
    en=("edge detection (4 neighbours)", "Compares each pixel with its 4 neighbours (Laplacian): flat areas give 0."),
    es=(
        "detección de bordes (4 vecinos)",
        "Compara cada píxel con sus 4 vecinos (laplaciano): las zonas lisas dan 0.",
    ),
    source=_SOURCE,
)
def edges_4() -> Numbers:
    """The Laplacian over four neighbours."""
    return [[0, 1, 0], [1, -4, 1], [0, 1, 0]]


@named_kernel(
    "edges-8",
    en=("edge detection (8 neighbours)", "Compares each pixel with its 8 neighbours: edges in every direction."),
    es=("detección de bordes (8 vecinos)", "Compara cada píxel con sus 8 vecinos: bordes en todas las direcciones."),
    source=_SOURCE,
)
def edges_8() -> Numbers:
    """The Laplacian over eight neighbours, positive in the middle."""
    return [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]


@named_kernel(
    "sharpen",
    en=("sharpen", "Adds to each pixel what sets it apart from its 4 neighbours."),
    es=("enfocar", "Suma a cada píxel lo que lo distingue de sus 4 vecinos."),
    source=_SOURCE,
)
def sharpen() -> Numbers:
    """The identity less the Laplacian over four neighbours."""
    return [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]


@named_kernel(
    "box-blur",
    en=("box blur", "Replaces each pixel by the mean of the window."),
    es=("desenfoque de cuadro", "Reemplaza cada píxel por el promedio de la ventana."),
    source=_SOURCE,
)
def box_blur(size: int = 3) -> Numbers:
    """1 / size² everywhere."""
    side = whole_between(size, "size", 1, 99, kernel="box-blur")
    return np.full((side, side), 1 / side**2)
