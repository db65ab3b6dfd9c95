"""From the receptive fields that Hubel and Wiesel found to a kernel, and what moving a picture does to its map."""

from __future__ import annotations

import numpy as np

from convoscope.convolution import convolve, kernels, pool
from convoscope.convolution.arrays import Array
from convoscope.core.messages import Both
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Choice, Draw, Figure, Number, Slip, Task

VISION = Topic("vision", 3, Both("From the visual cortex to a kernel", "De la corteza visual a un kernel"))

_BARS = {
    "vertical": Both("an upright bar: |", "una barra vertical: |"),
    "horizontal": Both("a level bar: —", "una barra horizontal: —"),
    "falling": Both("a bar that falls to the right: \\", "una barra que baja hacia la derecha: \\"),
    "rising": Both("a bar that rises to the right: /", "una barra que sube hacia la derecha: /"),
}


@VISION.exercise(
    "receptive-field-visual",
    "choice",
    title=Both("A cell of Hubel and Wiesel", "Una célula de Hubel y Wiesel"),
    question=Both(
        "Hubel and Wiesel (1959) found cells in the cat's visual cortex that each watch a small part of the image, "
        "their receptive field. Light on some places of it excites the cell (1), light on others inhibits it (−1). "
        "Such a field is below. To which bar of light does the cell answer most?",
        "Hubel y Wiesel (1959) hallaron en la corteza visual del gato células que vigilan cada una una parte pequeña "
        "de la imagen: su campo receptivo. La luz en unos lugares excita la célula (1), en otros la inhibe (−1). "
        "Abajo está un campo así. ¿A qué barra de luz responde más la célula?",
    ),
    hints=(
        Both(
            "A bar should lie on as many exciting places as possible and on no inhibiting one.",
            "La barra debería caer en tantos lugares excitadores como se pueda y en ninguno inhibidor.",
        ),
        Both(
            "Follow the places with a 1: in which direction do they run?",
            "Siga los lugares con un 1: ¿en qué dirección van?",
        ),
    ),
    explanation=Both(
        "The cell's answers are, upright {vertical}, level {horizontal}, falling {falling}, rising {rising}: sums of "
        "light times weight, just as a kernel makes. A convolutional layer has the same cell at every place.",
        "Las respuestas de la célula son: vertical {vertical}, horizontal {horizontal}, bajando {falling}, subiendo "
        "{rising}: sumas de luz por peso, justo como las hace un kernel. Una capa convolucional tiene la misma célula "
        "en todos los lugares.",
    ),
)
def _receptive_field_visual(draw: Draw) -> Task:
    wave = kernels[f"gabor:angle={draw.choice([0, 45, 90, 135])},wavelength=4,size=5"].numbers
    field = np.sign(np.where(np.abs(wave) > np.abs(wave).max() / 3, wave, 0)).astype(np.int64)
    answers = {name: int(convolve(bar, field).output[0, 0]) for name, bar in _bars().items()}
    best = max(answers, key=lambda name: answers[name])
    weaker = Both(
        "That bar lies on inhibiting places too, or misses exciting ones.",
        "Esa barra cae también en lugares inhibidores, o deja fuera los excitadores.",
    )
    wrong = [Slip(words, weaker) for name, words in _BARS.items() if name != best]
    caption = Both("the cell's receptive field", "el campo receptivo de la célula")
    return Task(Choice(_BARS[best], wrong), answers, [Figure("field", field, caption)])


def _bars() -> dict[str, Array]:
    """Bars of light through the middle of 5 × 5 pixels."""
    level = np.zeros((5, 5), dtype=np.int64)
    level[2] = 1
    falling = np.eye(5, dtype=np.int64)
    return {"vertical": level.T, "horizontal": level, "falling": falling, "rising": np.fliplr(falling)}


@VISION.exercise(
    "kernel-flat",
    "number",
    title=Both("A kernel on an even area", "Un kernel sobre una zona uniforme"),
    question=Both(
        "All pixels of a part of a picture have the value {value}. The kernel {name} lies on them. Which number comes "
        "out?",
        "Todos los píxeles de una zona de una imagen valen {value}. El kernel {name} está sobre ellos. ¿Qué número "
        "sale?",
    ),
    hints=(
        Both(
            "All nine products have the same pixel in them.",
            "Los nueve productos llevan el mismo píxel.",
        ),
        Both(
            "So the output is the pixel times the sum of the kernel's numbers.",
            "Así que la salida es el píxel por la suma de los números del kernel.",
        ),
    ),
    explanation=Both(
        "{value} times the sum of the kernel, {sum}, is {answer}. Kernels that sum to 0 find edges and give 0 where "
        "nothing changes; those that sum to 1 keep the brightness.",
        "{value} por la suma del kernel, {sum}, es {answer}. Los kernels que suman 0 buscan bordes y dan 0 donde nada "
        "cambia; los que suman 1 conservan la luminosidad.",
    ),
)
def _kernel_flat(draw: Draw) -> Task:
    kernel = kernels[draw.choice(["sharpen", "box-blur", "sobel-x", "sobel-y", "prewitt-x", "cross", "identity"])]
    value = draw.randrange(10, 250)
    output = convolve(np.full(kernel.shape, value), kernel.numbers).output[0, 0]
    slips = [Slip(value * round(float(np.abs(kernel.numbers).sum())), Both("Mind the signs.", "Cuide los signos."))]
    values = {"value": value, "name": kernel.spec, "sum": round(float(kernel.numbers.sum()))}
    caption = Both("the kernel", "el kernel")
    return Task(Number(round(float(output)), slips=slips), values, [Figure("kernel", kernel.numbers, caption)])


@VISION.exercise(
    "equivariance",
    "choice",
    title=Both("The picture moves", "La imagen se mueve"),
    question=Both(
        "In the map of a convolution with stride {stride}, the largest number, {best}, is at row {row}, column "
        "{column}. Now what is in the picture moves {down} pixels down and {across} to the right, and stays inside. "
        "Where is the largest number of the new map?",
        "En el mapa de una convolución con paso {stride}, el número mayor, {best}, está en la fila {row}, columna "
        "{column}. Ahora lo que hay en la imagen se mueve {down} píxeles hacia abajo y {across} a la derecha, y sigue "
        "dentro. ¿Dónde está el número mayor del mapa nuevo?",
    ),
    hints=(
        Both(
            "The kernel is the same at each place, so it answers to the same pattern with the same number.",
            "El kernel es el mismo en cada lugar, así que responde al mismo patrón con el mismo número.",
        ),
        Both(
            "From one output to the next are as many pixels as the stride says.",
            "De una salida a la siguiente hay tantos píxeles como dice el paso.",
        ),
    ),
    explanation=Both(
        "Computed anew, the largest number is again {best}, at {place}. The map moves along with the picture: a "
        "convolution is equivariant. Pooling over the whole map gives {best} both times: that is invariant.",
        "Calculado de nuevo, el número mayor es otra vez {best}, en {place}. El mapa se mueve con la imagen: una "
        "convolución es equivariante. Agrupar sobre todo el mapa da {best} las dos veces: eso es invariante.",
    ),
)
def _equivariance(draw: Draw) -> Task:
    stride = draw.choice([1, 2])
    down, across = stride * draw.randint(1, 2), stride * draw.randint(3, 4)
    pattern = kernels["cross"].numbers
    image = np.zeros((16, 16), dtype=np.int64)
    top, left = stride * draw.randint(0, 2), stride * draw.randint(0, 1)
    image[top : top + 3, left : left + 3] = pattern > 0
    before = convolve(image, pattern, stride=stride).output
    after = convolve(np.roll(image, (down, across), axis=(0, 1)), pattern, stride=stride).output
    row, column = _top(before)
    place = str(_top(after))
    stays = Both("The kernel finds the pattern where it is now.", "El kernel encuentra el patrón donde está ahora.")
    swapped = Both("Down are rows, to the right are columns.", "Hacia abajo son filas, a la derecha son columnas.")
    steps = Both(
        "Mind the stride: neighbouring outputs are that many pixels apart.",
        "Cuide el paso: las salidas vecinas están a esa distancia en píxeles.",
    )
    back = Both("The map moves the same way as the picture.", "El mapa se mueve en el mismo sentido que la imagen.")
    other = 2 if stride == 1 else 1
    wrong = [
        Slip(str((row, column)), stays),
        Slip(str((row + across // stride, column + down // stride)), swapped),
        Slip(str((row + down // other, column + across // other)), steps),
        Slip(str((row - down // stride, column - across // stride)), back),
    ]
    values = {"stride": stride, "best": int(before.max()), "row": row, "column": column, "place": place}
    values |= {"down": down, "across": across}
    return Task(Choice(place, wrong), values)


def _top(output: Array) -> tuple[int, int]:
    row, column = np.unravel_index(output.argmax(), output.shape)
    return int(row), int(column)


@VISION.exercise(
    "invariance",
    "choice",
    title=Both("What pooling doesn't notice", "Lo que el agrupamiento no nota"),
    question=Both(
        "In an image of {length} × {length} zeros there is a single 1, at row {row}, column {column}, counted from 0. "
        "Max pooling with windows of {size} × {size} that don't overlap follows. After which move of the 1 is the "
        "output the same as before?",
        "En una imagen de {length} × {length} ceros hay un único 1, en la fila {row}, columna {column}, contadas "
        "desde 0. Sigue un agrupamiento máximo con ventanas de {size} × {size} que no se solapan. ¿Tras qué "
        "movimiento del 1 es la salida igual que antes?",
    ),
    hints=(
        Both(
            "The maximum of a window doesn't tell where in the window it was.",
            "El máximo de una ventana no dice en qué lugar de ella estaba.",
        ),
        Both(
            "Windows begin at rows and columns that {size} divides. Which move stays in the same window?",
            "Las ventanas empiezan en filas y columnas divisibles entre {size}. ¿Qué movimiento queda en la misma "
            "ventana?",
        ),
    ),
    explanation=Both(
        "Row {row}, column {column} is in the window that begins at row {top}, column {left}. Only that move stays in "
        "it. Pooling makes a network blind to small moves: translation invariance, as far as a window reaches.",
        "La fila {row}, columna {column} está en la ventana que empieza en la fila {top}, columna {left}. Solo ese "
        "movimiento queda en ella. El agrupamiento hace a la red ciega a movimientos pequeños: invarianza "
        "traslacional, hasta donde llega una ventana.",
    ),
)
def _invariance(draw: Draw) -> Task:
    size, windows = draw.choice([2, 3, 4]), 4
    row, column = (size * draw.randint(1, windows - 2) + draw.randrange(size) for _ in range(2))
    image = np.zeros((size * windows, size * windows), dtype=np.int64)
    image[row, column] = 1
    before = pool(image, "max", size).output
    moves = [
        (down, across)
        for down in range(-size, size + 1)
        for across in range(-size, size + 1)
        if (down, across) != (0, 0)
    ]
    same = [move for move in moves if (pool(np.roll(image, move, axis=(0, 1)), "max", size).output == before).all()]
    noticed = [move for move in moves if move not in same and min(map(abs, move)) < size]
    leaves = Both("With that move the 1 gets into another window.", "Con ese movimiento el 1 pasa a otra ventana.")
    wrong = [Slip(_move(*move), leaves) for move in draw.sample(noticed, 3)]
    values = {"length": size * windows, "row": row, "column": column, "size": size}
    values |= {"top": row // size * size, "left": column // size * size}
    return Task(Choice(_move(*draw.choice(same)), wrong), values)


def _move(down: int, across: int) -> Both:
    rows = Both(f"{abs(down)} {'down' if down > 0 else 'up'}", f"{abs(down)} hacia {'abajo' if down > 0 else 'arriba'}")
    columns = Both(
        f"{abs(across)} to the {'right' if across > 0 else 'left'}",
        f"{abs(across)} a la {'derecha' if across > 0 else 'izquierda'}",
    )
    parts = [part for part, steps in ((rows, down), (columns, across)) if steps]
    return Both(", ".join(part.en for part in parts), ", ".join(part.es for part in parts))
