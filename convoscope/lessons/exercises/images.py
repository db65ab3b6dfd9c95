"""Images are matrices: pixels, channels, and the numbers that a network gets of a picture."""

from __future__ import annotations

import math

import numpy as np

from convoscope.core.messages import Both
from convoscope.data import load, registry
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Choice, Draw, Figure, Number, Slip, Task

IMAGES = Topic("images", 1, Both("Images as matrices", "Imágenes como matrices"))


@IMAGES.exercise(
    "pixel-count",
    "number",
    title=Both("Numbers in a picture", "Números en una imagen"),
    question=Both(
        "A picture is {rows} pixels high and {columns} pixels wide, in colour: red, green and blue. How many numbers "
        "is it, once it is in memory?",
        "Una imagen tiene {rows} píxeles de alto y {columns} de ancho, en color: rojo, verde y azul. ¿Cuántos números "
        "son, una vez en memoria?",
    ),
    hints=(
        Both(
            "One channel is a matrix with one number for each pixel.",
            "Un canal es una matriz con un número por cada píxel.",
        ),
        Both(
            "Count the numbers of one channel, rows times columns, and then all channels.",
            "Cuente los números de un canal, filas por columnas, y después los de todos los canales.",
        ),
    ),
    explanation=Both(
        "{rows} · {columns} · 3 = {answer}. As an array its shape is (3, {rows}, {columns}): channels, rows, columns.",
        "{rows} · {columns} · 3 = {answer}. Como arreglo, su forma es (3, {rows}, {columns}): canales, filas, "
        "columnas.",
    ),
)
def _pixel_count(draw: Draw) -> Task:
    rows, columns = draw.randrange(20, 120), draw.randrange(20, 120)
    picture = np.zeros((3, rows, columns), dtype=np.uint8)
    one_channel = Both("That is one channel only.", "Eso es un solo canal.")
    return Task(Number(picture.size, slips=[Slip(rows * columns, one_channel)]), {"rows": rows, "columns": columns})


@IMAGES.exercise(
    "channels",
    "choice",
    title=Both("The shape of a data set", "La forma de un conjunto de datos"),
    question=Both(
        "{count} pictures of {name} are one array (pictures, channels, rows, columns). Which shape has it?",
        "{count} imágenes de {name} forman un arreglo (imágenes, canales, filas, columnas). ¿Qué forma tiene?",
    ),
    hints=(
        Both(
            "Grey pictures have one channel, colour pictures three: red, green and blue.",
            "Las imágenes en gris tienen un canal; las de color, tres: rojo, verde y azul.",
        ),
        Both(
            "Is {name} grey or in colour? How many pixels are there to a side? convoscope data show {name} tells.",
            "¿{name} es en gris o en color? ¿Cuántos píxeles tiene cada lado? convoscope data show {name} lo dice.",
        ),
    ),
    explanation=Both(
        "The pictures of {name} have the shape {shape}: channels, rows, columns. So each is {numbers} numbers.",
        "Las imágenes de {name} tienen la forma {shape}: canales, filas, columnas. Así que cada una son {numbers} "
        "números.",
    ),
)
def _channels(draw: Draw) -> Task:
    data_set = registry.get(draw.choice(["mnist", "fashion-mnist", "cifar10", "digits"]))
    count = draw.choice([16, 50, 64, 100, 128])
    depth, rows, columns = data_set.shape
    last = Both("The channels come before rows and columns.", "Los canales van antes de las filas y columnas.")
    lost = Both("The channels have an axis of their own.", "Los canales tienen un eje propio.")
    depths = Both(
        "How many channels has a picture of this data set?",
        "¿Cuántos canales tiene una imagen de este conjunto?",
    )
    wrong = [
        Slip(str((count, rows, columns, depth)), last),
        Slip(str((count, rows * depth, columns)), lost),
        Slip(str((count, 4 - depth, rows, columns)), depths),
    ]
    values = {"count": count, "name": data_set.name, "shape": data_set.shape, "numbers": math.prod(data_set.shape)}
    return Task(Choice(str((count, *data_set.shape)), wrong), values)


@IMAGES.exercise(
    "pixel-value",
    "number",
    title=Both("A pixel of a digit", "Un píxel de un dígito"),
    question=Both(
        "This is a real digit of 8 × 8 pixels as the computer has it. Rows and columns are counted from 0. Which "
        "number is at row {row}, column {column}?",
        "Este es un dígito real de 8 × 8 píxeles como lo tiene la computadora. Filas y columnas se cuentan desde 0. "
        "¿Qué número está en la fila {row}, columna {column}?",
    ),
    hints=(
        Both("Rows run from the top down.", "Las filas van de arriba abajo."),
        Both(
            "In Python it is image[row, column], and the first row has the number 0.",
            "En Python es image[fila, columna], y la primera fila lleva el número 0.",
        ),
    ),
    explanation=Both(
        "image[{row}, {column}] is {answer}. 0 is black and 255 is white, so the digit, a {label}, is written in "
        "white.",
        "image[{row}, {column}] es {answer}. 0 es negro y 255 es blanco; el dígito, un {label}, está escrito en "
        "blanco.",
    ),
)
def _pixel_value(draw: Draw) -> Task:
    train = load("digits").train
    at = draw.randrange(len(train))
    pixels = train.images[at, 0]
    # Where an exchange of row and column, or counting from 1, would be noticed.
    telling = (pixels != pixels.T) & (pixels != np.roll(pixels, 1, axis=(0, 1))) & (pixels > 0)
    row, column = draw.choice(np.argwhere(telling[1:, 1:]).tolist())
    row, column = row + 1, column + 1
    swapped = Both("That is row and column exchanged.", "Ahí están cambiadas la fila y la columna.")
    from_one = Both(
        "Rows and columns are counted from 0, not from 1.",
        "Filas y columnas se cuentan desde 0, no desde 1.",
    )
    slips = [Slip(int(pixels[column, row]), swapped), Slip(int(pixels[row - 1, column - 1]), from_one)]
    caption = Both("a digit of 8 × 8 pixels", "un dígito de 8 × 8 píxeles")
    return Task(
        Number(int(pixels[row, column]), slips=slips),
        {"row": row, "column": column, "label": int(train.labels[at])},
        [Figure("image", pixels.astype(np.int64), caption)],
    )
