"""Convolution by hand: the sum behind one output, where a pattern is found, and why nothing is flipped."""

from __future__ import annotations

import numpy as np

from convoscope.convolution import convolve, kernels
from convoscope.convolution.arrays import Array
from convoscope.core.messages import Both
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Choice, Code, Draw, Figure, Number, Slip, Task

CONVOLUTION = Topic("convolution", 4, Both("Convolution by hand", "Convolución a mano"))

IMAGE = Both("the image", "la imagen")
KERNEL = Both("the kernel", "el kernel")


@CONVOLUTION.exercise(
    "convolution-value",
    "number",
    title=Both("One number of the output", "Un número de la salida"),
    question=Both(
        "The kernel slides over the image, stride 1, no padding, as in a CNN. Which number comes out at row {row}, "
        "column {column} of the output, counted from 0?",
        "El kernel se desliza sobre la imagen, con paso 1 y sin relleno, como en una CNN. ¿Qué número sale en la fila "
        "{row}, columna {column} de la salida, contadas desde 0?",
    ),
    hints=(
        Both(
            "Lay the kernel on the image so that its upper left corner is on row {row}, column {column}.",
            "Ponga el kernel sobre la imagen con su esquina superior izquierda en la fila {row}, columna {column}.",
        ),
        Both(
            "Multiply each number of the kernel by the pixel below it, nine products, and add them up.",
            "Multiplique cada número del kernel por el píxel que tiene debajo, nueve productos, y súmelos.",
        ),
    ),
    explanation=Both(
        "{unit}\n\ncs.convolve(image, kernel).at({row}, {column}) shows any output like this.",
        "{unit}\n\ncs.convolve(image, kernel).at({row}, {column}) muestra así cualquier salida.",
    ),
)
def _convolution_value(draw: Draw) -> Task:
    image = draw.numbers(5, 5, 0, 4)
    kernel = draw.numbers(3, 3, -2, 2)
    while (kernel == np.flip(kernel)).all():
        kernel = draw.numbers(3, 3, -2, 2)
    row, column = draw.randrange(3), draw.randrange(3)
    trace = convolve(image, kernel)
    flipped = convolve(image, np.flip(kernel)).output
    slips = [
        Slip(
            int(flipped[row, column]),
            Both(
                "You turned the kernel round. A CNN lays it on as it is: no flip.",
                "Giró el kernel. Una CNN lo pone tal como está: sin voltear.",
            ),
        ),
        Slip(
            int(trace.output[column, row]),
            Both("That is row and column exchanged.", "Ahí están cambiadas la fila y la columna."),
        ),
    ]
    values = {"row": row, "column": column, "unit": trace.at(row, column)}
    return Task(Number(int(trace.output[row, column]), slips=slips), values, _figures(image, kernel))


@CONVOLUTION.exercise(
    "convolution-cross",
    "choice",
    title=Both("Where is the cross?", "¿Dónde está la cruz?"),
    question=Both(
        "The kernel has 1 on a cross and −1 elsewhere; the image has ones and zeros. It slides over the image, stride "
        "1, no padding. At which (row, column) of the output is the largest number, that is, where is the cross?",
        "El kernel tiene 1 en una cruz y −1 en lo demás; la imagen tiene unos y ceros. Se desliza sobre la imagen, "
        "con paso 1 y sin relleno. ¿En qué (fila, columna) de la salida está el número mayor, o sea, dónde está la "
        "cruz?",
    ),
    hints=(
        Both(
            "The sum is largest where the ones of the image lie on the ones of the kernel, and zeros on the rest.",
            "La suma es mayor donde los unos de la imagen caen sobre los unos del kernel, y ceros en lo demás.",
        ),
        Both(
            "A perfect cross gives {best}. Its place in the output is that of the window's upper left corner.",
            "Una cruz perfecta da {best}. Su lugar en la salida es el de la esquina superior izquierda de la ventana.",
        ),
    ),
    explanation=Both(
        "The whole output is\n{trace}\nwith {best} where the cross is. A kernel is a pattern, and its map says how "
        "well the pattern fits at each place.",
        "La salida entera es\n{trace}\ncon {best} donde está la cruz. Un kernel es un patrón, y su mapa dice cuánto "
        "encaja el patrón en cada lugar.",
    ),
)
def _convolution_cross(draw: Draw) -> Task:
    kernel = kernels["cross"].numbers
    row, column = draw.randrange(4), draw.randrange(4)
    while row == column:
        column = draw.randrange(4)
    while True:
        image = draw.numbers(6, 6, 0, 1)
        image[row : row + 3, column : column + 3] = kernel > 0
        trace = convolve(image, kernel)
        best = trace.output.max()
        if (trace.output == best).sum() == 1:
            break
    elsewhere = Both(
        "There the sum is smaller: compare the window with the kernel, one by one.",
        "Ahí la suma es menor: compare la ventana con el kernel, uno por uno.",
    )
    middle = Both(
        "That is the middle of the cross in the image, not the upper left corner of the window.",
        "Ese es el centro de la cruz en la imagen, no la esquina superior izquierda de la ventana.",
    )
    swapped = Both("That is row and column exchanged.", "Ahí están cambiadas la fila y la columna.")
    others = [(r, c) for r in range(4) for c in range(4) if (r, c) not in ((row, column), (column, row))]
    wrong = [
        Slip(_place(column, row), swapped),
        Slip(_place(row + 1, column + 1), middle),
        *(Slip(_place(*place), elsewhere) for place in draw.sample(others, 2)),
    ]
    values = {"best": int(best), "trace": trace}
    return Task(Choice(_place(row, column), wrong), values, _figures(image, kernel))


@CONVOLUTION.exercise(
    "no-flip",
    "choice",
    title=Both("Flipped or not?", "¿Volteado o no?"),
    question=Both(
        "Mathematics turns the kernel by 180° before it slides it over the image. CNN libraries call their operation "
        "convolution too. Of the outputs below, row by row, which one does a CNN layer compute for this image and "
        "kernel?",
        "La matemática gira el kernel 180° antes de deslizarlo sobre la imagen. Las bibliotecas de CNN también llaman "
        "convolución a su operación. De las salidas siguientes, fila por fila, ¿cuál calcula una capa de CNN para "
        "esta imagen y este kernel?",
    ),
    hints=(
        Both(
            "A CNN learns the numbers of the kernel. Would it matter to it in which order they are laid on?",
            "Una CNN aprende los números del kernel. ¿Le importaría en qué orden se ponen?",
        ),
        Both(
            "Work out the upper left output: pixel times the number of the kernel that lies on it, just as it is "
            "drawn.",
            "Calcule la salida de arriba a la izquierda: píxel por el número del kernel que tiene encima, tal como se "
            "ve.",
        ),
    ),
    explanation=Both(
        "Upper left: {unit}. CNNs compute the cross-correlation: no flip. Turning the kernel first gives {flipped}. "
        "Since the kernel is learnt, training simply finds it turned round, so nobody misses the flip.",
        "Arriba a la izquierda: {unit}. Las CNN calculan la correlación cruzada: sin voltear. Girar antes el kernel "
        "da {flipped}. Como el kernel se aprende, el entrenamiento simplemente lo encuentra girado; nadie echa de "
        "menos el giro.",
    ),
)
def _no_flip(draw: Draw) -> Task:
    while True:
        image, kernel = draw.numbers(3, 3, 0, 5), draw.numbers(2, 2, -2, 3)
        trace = convolve(image, kernel)
        flipped, mirrored, turned = (
            convolve(image, other).output for other in (np.flip(kernel), np.fliplr(kernel), kernel.T)
        )
        if len({_rows(output) for output in (trace.output, flipped, mirrored, turned)}) == 4:
            break
    rotated = Both(
        "That is the convolution of mathematics, with the kernel turned by 180°.",
        "Esa es la convolución de la matemática, con el kernel girado 180°.",
    )
    mirror = Both("There the kernel was mirrored.", "Ahí se reflejó el kernel.")
    transposed = Both(
        "There rows and columns of the kernel were exchanged.",
        "Ahí se cambiaron filas y columnas del kernel.",
    )
    wrong = [Slip(_rows(flipped), rotated), Slip(_rows(mirrored), mirror), Slip(_rows(turned), transposed)]
    values = {"unit": trace.at(0, 0), "flipped": _rows(flipped)}
    return Task(Choice(_rows(trace.output), wrong), values, _figures(image, kernel))


_SOLUTION = """
import numpy as np

def convolve2d(image, kernel):
    rows = image.shape[0] - kernel.shape[0] + 1
    columns = image.shape[1] - kernel.shape[1] + 1
    output = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            window = image[row : row + kernel.shape[0], column : column + kernel.shape[1]]
            output[row, column] = (window * kernel).sum()
    return output
"""


@CONVOLUTION.exercise(
    "code-convolve",
    "code",
    title=Both("Write the convolution", "Escriba la convolución"),
    question=Both(
        "Write convolve2d(image, kernel): the convolution of a CNN (no flip) of two NumPy arrays, stride 1, no "
        "padding. Image and kernel needn't be square.",
        "Escriba convolve2d(image, kernel): la convolución de una CNN (sin voltear) de dos arreglos de NumPy, con "
        "paso 1 y sin relleno. La imagen y el kernel no tienen por qué ser cuadrados.",
    ),
    hints=(
        Both(
            "How many rows and columns has the output? Make an array of that size first, with np.zeros.",
            "¿Cuántas filas y columnas tiene la salida? Haga primero un arreglo de ese tamaño, con np.zeros.",
        ),
        Both(
            "Two loops over the output. In them, cut the window out of the image as a slice; (window * kernel).sum().",
            "Dos bucles sobre la salida. En ellos, corte la ventana de la imagen; (ventana * kernel).sum().",
        ),
    ),
    explanation=Both(
        "Two loops, a window, a sum of products. cs.convolve does the same, and faster, as one product of matrices.",
        "Dos bucles, una ventana, una suma de productos. cs.convolve hace lo mismo, y más rápido, como un producto de "
        "matrices.",
    ),
)
def _code_convolve(_: Draw) -> Task:
    return Task(
        Code("convolve2d(image, kernel)", lambda image, kernel: convolve(image, kernel).output, _cases, _SOLUTION)
    )


def _cases(draw: Draw) -> list[tuple[Array, Array]]:
    cases = []
    for size in range(60):
        most = 2 + size // 4
        kernel = draw.numbers(draw.randint(1, most), draw.randint(1, most), -5, 5)
        more = [length + draw.randrange(0, most + 1) for length in kernel.shape]
        cases.append((draw.numbers(more[0], more[1], 0, 9), kernel))
    return cases


def _figures(image: Array, kernel: Array) -> list[Figure]:
    return [Figure("image", image, IMAGE), Figure("kernel", kernel, KERNEL)]


def _place(row: int, column: int) -> str:
    return f"({row}, {column})"


def _rows(output: Array) -> str:
    return str(output.tolist())
