"""What size comes out: padding, stride, dilation, pooling, and chains of layers."""

from __future__ import annotations

from typing import Any

from convoscope.convolution import output_size
from convoscope.core.messages import Both
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Code, Draw, Number, Slip, Task

SIZES = Topic("sizes", 5, Both("Padding, stride, pooling", "Relleno, paso, agrupamiento"))

_NO_PADDING = Both(
    "That would be without padding: it adds pixels on both sides.",
    "Eso sería sin relleno: el relleno añade píxeles a ambos lados.",
)
_ONE_SIDE = Both(
    "The padding is on both sides, so it counts twice.",
    "El relleno está a ambos lados, así que cuenta dos veces.",
)
_FENCE = Both(
    "The first window counts too: one more place than steps.",
    "La primera ventana también cuenta: hay una posición más que pasos.",
)
_ROUNDED_UP = Both(
    "A window that reaches beyond the image is left out: round down.",
    "Una ventana que sale de la imagen se omite: redondee hacia abajo.",
)
_ROUNDED_DOWN = Both(
    "`same` rounds up: padding is added until the last window fits.",
    "`same` redondea hacia arriba: se añade relleno hasta que cabe la última ventana.",
)
_NO_STRIDE = Both("That would be with stride 1.", "Eso sería con paso 1.")


def side(length: int, size: int, **how: Any) -> int:
    """Rows of the output of a window over `length` rows."""
    return output_size((length, length), size, **how)[0]


@SIZES.exercise(
    "padding-size",
    "number",
    title=Both("Padding: what size comes out?", "Relleno: ¿qué tamaño sale?"),
    question=Both(
        "A {size} × {size} kernel slides with stride 1 over an image of {length} × {length} pixels with a padding of "
        "{padding} on each side. How many rows has the output?",
        "Un kernel de {size} × {size} se desliza con paso 1 sobre una imagen de {length} × {length} píxeles con un "
        "relleno de {padding} en cada lado. ¿Cuántas filas tiene la salida?",
    ),
    hints=(
        Both(
            "First make the image larger by its padding; then count the places at which the kernel fits.",
            "Primero agrande la imagen con su relleno; luego cuente en cuántos lugares cabe el kernel.",
        ),
        Both(
            "n rows with padding p on both sides are n + 2p. A kernel of k rows fits at (n + 2p) − k + 1 places.",
            "n filas con relleno p a ambos lados son n + 2p. Un kernel de k filas cabe en (n + 2p) − k + 1 lugares.",
        ),
    ),
    explanation=Both(
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
    title=Both("Padding `same`: what size comes out?", "Relleno `same`: ¿qué tamaño sale?"),
    question=Both(
        "A {size} × {size} kernel slides with stride {stride} and padding `same` over an image of {length} × {length} "
        "pixels. How many rows has the output?",
        "Un kernel de {size} × {size} se desliza con paso {stride} y relleno `same` sobre una imagen de {length} × "
        "{length} píxeles. ¿Cuántas filas tiene la salida?",
    ),
    hints=(
        Both(
            "With `same` the size of the kernel doesn't matter: only the image and the stride do.",
            "Con `same` no importa el tamaño del kernel: solo la imagen y el paso.",
        ),
        Both(
            "Divide the image's rows by the stride. If something is left over, does one more window come or not?",
            "Divida las filas de la imagen entre el paso. Si sobra algo, ¿viene una ventana más o no?",
        ),
    ),
    explanation=Both(
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
            Both("That would be without padding (`valid`).", "Eso sería sin relleno (`valid`)."),
        ),
    ]
    return Task(Number(right, slips=slips), {"length": length, "size": size, "stride": stride})


@SIZES.exercise(
    "stride-size",
    "number",
    title=Both("Stride: what size comes out?", "Paso: ¿qué tamaño sale?"),
    question=Both(
        "A {size} × {size} kernel slides with stride {stride} over an image of {length} × {length} pixels with a "
        "padding of {padding} on each side. How many rows has the output?",
        "Un kernel de {size} × {size} se desliza con paso {stride} sobre una imagen de {length} × {length} píxeles "
        "con un relleno de {padding} en cada lado. ¿Cuántas filas tiene la salida?",
    ),
    hints=(
        Both(
            "From the first window to the last: how many pixels can it move, and how many steps are these?",
            "De la primera ventana a la última: ¿cuántos píxeles puede moverse y cuántos pasos son?",
        ),
        Both(
            "(n + 2p − k) / s, rounded down, are the steps. Windows are one more than steps.",
            "(n + 2p − k) / s, redondeado hacia abajo, son los pasos. Las ventanas son una más que los pasos.",
        ),
    ),
    explanation=Both(
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


@SIZES.exercise(
    "dilation-size",
    "number",
    title=Both("Dilation: what size comes out?", "Dilatación: ¿qué tamaño sale?"),
    question=Both(
        "A {size} × {size} kernel with dilation {dilation} slides with stride 1 and no padding over an image of "
        "{length} × {length} pixels. How many rows has the output?",
        "Un kernel de {size} × {size} con dilatación {dilation} se desliza con paso 1 y sin relleno sobre una imagen "
        "de {length} × {length} píxeles. ¿Cuántas filas tiene la salida?",
    ),
    hints=(
        Both(
            "With dilation d there are d pixels from one number of the kernel to the next. How many rows does it span?",
            "Con dilatación d hay d píxeles de un número del kernel al siguiente. ¿Cuántas filas abarca?",
        ),
        Both(
            "k numbers with d pixels from each to the next span (k − 1) · d + 1 rows. Then count as for any kernel.",
            "k números con d píxeles de cada uno al siguiente abarcan (k − 1) · d + 1 filas. Luego cuente como "
            "siempre.",
        ),
    ),
    explanation=Both(
        "The kernel spans ({size} − 1) · {dilation} + 1 = {extent} rows, so {length} − {extent} + 1 = {answer}. It "
        "sees farther with as few parameters as before.",
        "El kernel abarca ({size} − 1) · {dilation} + 1 = {extent} filas, así que {length} − {extent} + 1 = {answer}. "
        "Ve más lejos con tan pocos parámetros como antes.",
    ),
)
def _dilation_size(draw: Draw) -> Task:
    size, dilation, length = draw.choice([3, 5]), draw.choice([2, 3, 4]), draw.randrange(24, 64)
    right = side(length, size, dilation=dilation)
    plain = Both("That would be without dilation.", "Eso sería sin dilatación.")
    all_of_it = Both(
        "k numbers have k − 1 gaps between them, not k.",
        "Entre k números hay k − 1 huecos, no k.",
    )
    slips = [Slip(side(length, size), plain), Slip(side(length, size * dilation), all_of_it), Slip(right - 1, _FENCE)]
    values = {"size": size, "dilation": dilation, "length": length, "extent": length - right + 1}
    return Task(Number(right, slips=slips), values)


@SIZES.exercise(
    "chain-size",
    "number",
    title=Both("Numbers at the end of a chain", "Números al final de una cadena"),
    question=Both(
        "A picture of {length} × {length} pixels goes through: convolution with {first} filters of {size} × {size}, "
        "no padding; max pooling 2 × 2, stride 2; convolution with {second} filters of {size} × {size}, no padding; "
        "max pooling 2 × 2, stride 2; flatten. How many numbers come out?",
        "Una imagen de {length} × {length} píxeles pasa por: convolución con {first} filtros de {size} × {size}, sin "
        "relleno; agrupamiento máximo 2 × 2, paso 2; convolución con {second} filtros de {size} × {size}, sin "
        "relleno; agrupamiento máximo 2 × 2, paso 2; aplanar (flatten). ¿Cuántos números salen?",
    ),
    hints=(
        Both(
            "Follow one side through the layers: what a convolution takes away, what a pooling halves.",
            "Siga un lado por las capas: lo que quita una convolución, lo que divide un agrupamiento.",
        ),
        Both(
            "At the end there are {second} maps; flatten takes all numbers of all maps.",
            "Al final hay {second} mapas; aplanar toma todos los números de todos los mapas.",
        ),
    ),
    explanation=Both(
        "{length} → {sides}, so {second} · {last} · {last} = {answer}. So many inputs has the dense layer that "
        "follows.",
        "{length} → {sides}, así que {second} · {last} · {last} = {answer}. Tantas entradas tiene la capa densa que "
        "sigue.",
    ),
)
def _chain_size(draw: Draw) -> Task:
    length, size = draw.randrange(24, 66), draw.choice([3, 5])
    first, second = draw.choice([8, 16, 32]), draw.choice([12, 24, 48, 64])
    sides = [side(length, size)]
    sides += [side(sides[-1], 2, stride=2)]
    sides += [side(sides[-1], size)]
    sides += [side(sides[-1], 2, stride=2)]
    one_map = Both("That is a single map.", "Eso es un solo mapa.")
    not_product = Both(
        "The second layer has as many maps as it has filters: the maps below are summed, not multiplied.",
        "La segunda capa tiene tantos mapas como filtros: los mapas de abajo se suman, no se multiplican.",
    )
    slips = [Slip(sides[-1] ** 2, one_map), Slip(first * second * sides[-1] ** 2, not_product)]
    way = " → ".join(map(str, sides))
    values = {"length": length, "size": size, "first": first, "second": second, "sides": way, "last": sides[-1]}
    return Task(Number(second * sides[-1] ** 2, slips=slips), values)


_SOLUTION = """
def output_size(length, size, padding, stride):
    return (length + 2 * padding - size) // stride + 1
"""


@SIZES.exercise(
    "code-output-size",
    "code",
    title=Both("Write the rule for sizes", "Escriba la regla de los tamaños"),
    question=Both(
        "Write output_size(length, size, padding, stride): how many rows come out of an image of `length` rows, for a "
        "kernel of `size` rows, with `padding` pixels on each side.",
        "Escriba output_size(length, size, padding, stride): cuántas filas salen de una imagen de `length` filas, "
        "para un kernel de `size` filas, con `padding` píxeles a cada lado.",
    ),
    hints=(
        Both(
            "How far can the window move from its first place to its last?",
            "¿Cuánto puede moverse la ventana de su primer lugar al último?",
        ),
        Both(
            "Divide that by the stride and round down, with //. Windows are one more than moves.",
            "Divídalo entre el paso y redondee hacia abajo, con //. Las ventanas son una más que los movimientos.",
        ),
    ),
    explanation=Both(
        "convoscope.convolution.output_size knows both axes, dilation and `same` too.",
        "convoscope.convolution.output_size conoce los dos ejes, la dilatación y también `same`.",
    ),
)
def _code_output_size(_: Draw) -> Task:
    code = Code("output_size(length, size, padding, stride)", _rows, _cases, _SOLUTION)
    return Task(code)


def _rows(length: int, size: int, padding: int, stride: int) -> int:
    return side(length, size, padding=padding, stride=stride)


def _cases(draw: Draw) -> list[tuple[int, int, int, int]]:
    cases = []
    for number in range(200):
        size, padding = draw.randint(1, 2 + number // 20), draw.randint(0, 3)
        length = max(1, size - 2 * padding) + draw.randint(0, 4 + number)
        cases.append((length, size, padding, draw.randint(1, 4)))
    return cases
