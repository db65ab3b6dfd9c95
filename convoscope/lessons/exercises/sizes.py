"""What size comes out: padding, stride, dilation, pooling, and chains of layers."""

from __future__ import annotations

from typing import Any

from convoscope.convolution import output_size
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Draw, Number, Slip, Task
from convoscope.lessons.text import Text

SIZES = Topic("sizes", 4, Text("Padding, stride, pooling", "Relleno, paso, agrupamiento"))

_NO_PADDING = Text(
    "That would be without padding: it adds pixels on both sides.",
    "Eso sería sin relleno: el relleno añade píxeles a ambos lados.",
)
_ONE_SIDE = Text(
    "The padding is on both sides, so it counts twice.",
    "El relleno está a ambos lados, así que cuenta dos veces.",
)
_FENCE = Text(
    "The first window counts too: one more place than steps.",
    "La primera ventana también cuenta: hay una posición más que pasos.",
)
_ROUNDED_UP = Text(
    "A window that reaches beyond the image is left out: round down.",
    "Una ventana que sale de la imagen se omite: redondee hacia abajo.",
)
_ROUNDED_DOWN = Text(
    "`same` rounds up: padding is added until the last window fits.",
    "`same` redondea hacia arriba: se añade relleno hasta que cabe la última ventana.",
)
_NO_STRIDE = Text("That would be with stride 1.", "Eso sería con paso 1.")


def side(length: int, size: int, **how: Any) -> int:
    """Rows of the output of a window over `length` rows."""
    return output_size((length, length), size, **how)[0]


@SIZES.exercise(
    "padding-size",
    "number",
    title=Text("Padding: what size comes out?", "Relleno: ¿qué tamaño sale?"),
    question=Text(
        "A {size} × {size} kernel slides with stride 1 over an image of {length} × {length} pixels with a padding of "
        "{padding} on each side. How many rows has the output?",
        "Un kernel de {size} × {size} se desliza con paso 1 sobre una imagen de {length} × {length} píxeles con un "
        "relleno de {padding} en cada lado. ¿Cuántas filas tiene la salida?",
    ),
    hints=(
        Text(
            "First make the image larger by its padding; then count the places at which the kernel fits.",
            "Primero agrande la imagen con su relleno; luego cuente en cuántos lugares cabe el kernel.",
        ),
        Text(
            "n rows with padding p on both sides are n + 2p. A kernel of k rows fits at (n + 2p) − k + 1 places.",
            "n filas con relleno p a ambos lados son n + 2p. Un kernel de k filas cabe en (n + 2p) − k + 1 lugares.",
        ),
    ),
    explanation=Text(
        "{length} + 2 · {padding} − {size} + 1 = {answer}. With padding (k − 1) / 2 the size stays as it was.",
        "{length} + 2 · {padding} − {size} + 1 = {answer}. Con relleno (k − 1) / 2 el tamaño se conserva.",
    ),
)
def _padding_size(draw: Draw) -> Task:
    length, size, padding = draw.randrange(12, 64), draw.choice([3, 5, 7]), draw.randrange(1, 4)
    right = side(length, size, padding=padding)
    slips = [
        Slip(side(length, size), _NO_PADDING),
        Slip(side(length, size, padding=((padding, 0), (padding, 0))), _ONE_SIDE),
        Slip(right - 1, _FENCE),
    ]
    return Task(Number(right, slips=slips), {"length": length, "size": size, "padding": padding})


@SIZES.exercise(
    "same-size",
    "number",
    title=Text("Padding `same`: what size comes out?", "Relleno `same`: ¿qué tamaño sale?"),
    question=Text(
        "A {size} × {size} kernel slides with stride {stride} and padding `same` over an image of {length} × {length} "
        "pixels. How many rows has the output?",
        "Un kernel de {size} × {size} se desliza con paso {stride} y relleno `same` sobre una imagen de {length} × "
        "{length} píxeles. ¿Cuántas filas tiene la salida?",
    ),
    hints=(
        Text(
            "With `same` the size of the kernel doesn't matter: only the image and the stride do.",
            "Con `same` no importa el tamaño del kernel: solo la imagen y el paso.",
        ),
        Text(
            "Divide the image's rows by the stride. If something is left over, does one more window come or not?",
            "Divida las filas de la imagen entre el paso. Si sobra algo, ¿viene una ventana más o no?",
        ),
    ),
    explanation=Text(
        "{length} / {stride}, rounded up, is {answer}. `same` adds as much padding as the last window needs, so no "
        "pixel is left out. The size stays as it was only with stride 1.",
        "{length} / {stride}, redondeado hacia arriba, es {answer}. `same` añade el relleno que necesita la última "
        "ventana, así que ningún píxel queda fuera. El tamaño solo se conserva con paso 1.",
    ),
)
def _same_size(draw: Draw) -> Task:
    size, stride = draw.choice([3, 5, 7]), draw.choice([2, 3, 4])
    length = draw.randrange(3, 16) * stride + draw.randrange(1, stride)
    right = side(length, size, padding="same", stride=stride)
    slips = [
        Slip(length // stride, _ROUNDED_DOWN),
        Slip(length, _NO_STRIDE),
        Slip(
            side(length, size, stride=stride),
            Text("That would be without padding (`valid`).", "Eso sería sin relleno (`valid`)."),
        ),
    ]
    return Task(Number(right, slips=slips), {"length": length, "size": size, "stride": stride})


@SIZES.exercise(
    "stride-size",
    "number",
    title=Text("Stride: what size comes out?", "Paso: ¿qué tamaño sale?"),
    question=Text(
        "A {size} × {size} kernel slides with stride {stride} over an image of {length} × {length} pixels with a "
        "padding of {padding} on each side. How many rows has the output?",
        "Un kernel de {size} × {size} se desliza con paso {stride} sobre una imagen de {length} × {length} píxeles "
        "con un relleno de {padding} en cada lado. ¿Cuántas filas tiene la salida?",
    ),
    hints=(
        Text(
            "From the first window to the last: how many pixels can it move, and how many steps are these?",
            "De la primera ventana a la última: ¿cuántos píxeles puede moverse y cuántos pasos son?",
        ),
        Text(
            "(n + 2p − k) / s, rounded down, are the steps. Windows are one more than steps.",
            "(n + 2p − k) / s, redondeado hacia abajo, son los pasos. Las ventanas son una más que los pasos.",
        ),
    ),
    explanation=Text(
        "⌊({length} + 2 · {padding} − {size}) / {stride}⌋ + 1 = {answer}. What is left over at the end, no window "
        "sees.",
        "⌊({length} + 2 · {padding} − {size}) / {stride}⌋ + 1 = {answer}. Lo que sobra al final no lo ve ninguna "
        "ventana.",
    ),
)
def _stride_size(draw: Draw) -> Task:
    size, stride, padding = draw.choice([3, 5, 7]), draw.choice([2, 3]), draw.randrange(1, 3)
    length = size + stride * draw.randrange(5, 20) + draw.randrange(1, stride) - 2 * padding
    right = side(length, size, padding=padding, stride=stride)
    slips = [
        Slip(right - 1, _FENCE),
        Slip(right + 1, _ROUNDED_UP),
        Slip(side(length, size, padding=padding), _NO_STRIDE),
    ]
    values = {"length": length, "size": size, "stride": stride, "padding": padding}
    return Task(Number(right, slips=slips), values)
