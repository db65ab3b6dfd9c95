"""Pooling: what is left of a window, and how many windows there are."""

from __future__ import annotations

from typing import Literal

from convoscope.convolution import output_size, pool
from convoscope.convolution.arrays import Array
from convoscope.core.messages import Both
from convoscope.lessons.exercises.convolution import IMAGE
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Code, Draw, Figure, Number, Slip, Task

POOLING = Topic("pooling", 6, Both("Pooling", "Agrupamiento"))

_MAX = Both("maximum", "máximo")
_AVERAGE = Both("average", "promedio")


@POOLING.exercise(
    "pool-value",
    "number",
    title=Both("What is left of a window", "Lo que queda de una ventana"),
    question=Both(
        "Pooling by the {kind}, with windows of 2 × 2 that don't overlap (stride 2). Which number is at row {row}, "
        "column {column} of the output, counted from 0? Give two decimals.",
        "Agrupamiento por el {kind}, con ventanas de 2 × 2 que no se solapan (paso 2). ¿Qué número está en la fila "
        "{row}, columna {column} de la salida, contadas desde 0? Dé dos decimales.",
    ),
    hints=(
        Both(
            "With stride 2 the window of output row r begins at image row 2r; columns likewise.",
            "Con paso 2 la ventana de la fila r de la salida empieza en la fila 2r de la imagen; igual las columnas.",
        ),
        Both(
            "Four pixels are in the window. The maximum is the largest of them, the average is their sum over four.",
            "En la ventana hay cuatro píxeles. El máximo es el mayor; el promedio es su suma entre cuatro.",
        ),
    ),
    explanation=Both(
        "{unit}. The whole output is\n{trace}\nPooling has no weights: there is nothing to learn in it.",
        "{unit}. La salida entera es\n{trace}\nEl agrupamiento no tiene pesos: no hay nada que aprender en él.",
    ),
)
def _pool_value(draw: Draw) -> Task:
    image = draw.numbers(4, 6, 0, 9)
    row, column = draw.randrange(2), draw.randrange(3)
    largest = draw.random() < 0.5
    kind: Literal["max", "avg"] = "max" if largest else "avg"
    trace, slip = pool(image, kind, 2), pool(image, "avg" if largest else "max", 2)
    overlapping = pool(image, kind, 2, stride=1)
    slips = [
        Slip(
            slip.output[row, column].item(),
            Both("That is the other kind of pooling.", "Ese es el otro tipo de agrupamiento."),
        ),
        Slip(
            overlapping.output[row, column].item(),
            Both("The windows don't overlap: the stride is 2.", "Las ventanas no se solapan: el paso es 2."),
        ),
    ]
    values = {
        "kind": _MAX if largest else _AVERAGE,
        "row": row,
        "column": column,
        "unit": trace.at(row, column),
        "trace": trace,
    }
    right = trace.output[row, column].item()
    return Task(Number(right, digits=2, slips=slips), values, [Figure("image", image, IMAGE)])


@POOLING.exercise(
    "pool-size",
    "number",
    title=Both("Pooling: what size comes out?", "Agrupamiento: ¿qué tamaño sale?"),
    question=Both(
        "Max pooling with windows of {size} × {size} and stride {stride}, no padding, on maps of {length} × {length}. "
        "How many rows have the maps that come out?",
        "Agrupamiento máximo con ventanas de {size} × {size} y paso {stride}, sin relleno, sobre mapas de {length} × "
        "{length}. ¿Cuántas filas tienen los mapas que salen?",
    ),
    hints=(
        Both(
            "Windows of a pooling slide as kernels do: the same rule holds.",
            "Las ventanas del agrupamiento se deslizan como los kernels: vale la misma regla.",
        ),
        Both(
            "(n − k) / s, rounded down, plus one. A last window that doesn't fit is left out.",
            "(n − k) / s, redondeado hacia abajo, más uno. Una última ventana que no cabe se omite.",
        ),
    ),
    explanation=Both(
        "⌊({length} − {size}) / {stride}⌋ + 1 = {answer}. The number of maps stays as it was: each is pooled by "
        "itself.",
        "⌊({length} − {size}) / {stride}⌋ + 1 = {answer}. El número de mapas no cambia: cada uno se agrupa por "
        "separado.",
    ),
)
def _pool_size(draw: Draw) -> Task:
    size, stride = draw.choice([(2, 2), (3, 3), (3, 2), (4, 4)])
    length = stride * draw.randrange(6, 30) + draw.randrange(1, stride)
    right = output_size((length, length), size, stride=stride)[0]
    up = output_size((length, length), size, stride=stride, ceil_mode=True)[0]
    rounded = Both(
        "A last window that doesn't fit is left out: round down.",
        "Una última ventana que no cabe se omite: redondee hacia abajo.",
    )
    fence = Both("The first window counts too.", "La primera ventana también cuenta.")
    slips = [Slip(up, rounded), Slip(right - 1, fence)]
    return Task(Number(right, slips=slips), {"size": size, "stride": stride, "length": length})


_SOLUTION = """
import numpy as np

def max_pool(image, size):
    rows, columns = image.shape[0] // size, image.shape[1] // size
    output = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            output[row, column] = image[row * size : (row + 1) * size, column * size : (column + 1) * size].max()
    return output
"""


@POOLING.exercise(
    "code-max-pool",
    "code",
    title=Both("Write the max pooling", "Escriba el agrupamiento máximo"),
    question=Both(
        "Write max_pool(image, size): max pooling of a NumPy array with windows of size × size that don't overlap. "
        "What is left over at the lower and right edge is dropped. Pixels may be negative.",
        "Escriba max_pool(image, size): el agrupamiento máximo de un arreglo de NumPy con ventanas de size × size que "
        "no se solapan. Lo que sobra en los bordes inferior y derecho se descarta. Los píxeles pueden ser negativos.",
    ),
    hints=(
        Both(
            "The output has image.shape[0] // size rows. // divides and rounds down.",
            "La salida tiene image.shape[0] // size filas. // divide y redondea hacia abajo.",
        ),
        Both(
            "Two loops over the output; the window begins at (row * size, column * size). Its maximum is window.max().",
            "Dos bucles sobre la salida; la ventana empieza en (fila * size, columna * size). Su máximo es "
            "ventana.max().",
        ),
    ),
    explanation=Both(
        "cs.pool(image, 'max', size) does the same, with stride, padding and dilation besides.",
        "cs.pool(image, 'max', size) hace lo mismo, y además con paso, relleno y dilatación.",
    ),
)
def _code_max_pool(_: Draw) -> Task:
    return Task(Code("max_pool(image, size)", lambda image, size: pool(image, "max", size).output, _cases, _SOLUTION))


def _cases(draw: Draw) -> list[tuple[Array, int]]:
    cases = []
    for number in range(60):
        size = draw.randint(1, 2 + number // 15)
        rows, columns = (size * draw.randint(1, 4) + draw.randrange(size) for _ in range(2))
        # Negative ones besides: an output that begins with zeros must not win.
        cases.append((draw.numbers(rows, columns, -9, 9) - 9 * (number % 3 == 2), size))
    return cases
