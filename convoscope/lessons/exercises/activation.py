"""Activation functions, softmax and flatten: by hand, and as code."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from convoscope.convolution import convolve
from convoscope.convolution.arrays import Array
from convoscope.core.messages import Both
from convoscope.lessons.exercises.layers import LAYERS
from convoscope.lessons.task import Code, Draw, Figure, Number, Slip, Task


@LAYERS.exercise(
    "relu-value",
    "number",
    title=Both("ReLU of a sum", "ReLU de una suma"),
    question=Both(
        "A unit of a convolutional layer sees the window below, with these weights and the bias {bias}. ReLU follows. "
        "Which number does the unit give?",
        "Una unidad de una capa convolucional ve la ventana de abajo, con estos pesos y el sesgo {bias}. Sigue ReLU. "
        "¿Qué número da la unidad?",
    ),
    hints=(
        Both(
            "First the sum: each pixel times its weight, and the bias once.",
            "Primero la suma: cada píxel por su peso, y el sesgo una vez.",
        ),
        Both(
            "ReLU leaves what is positive as it is and makes 0 of what is negative.",
            "ReLU deja lo positivo como está y hace 0 de lo negativo.",
        ),
    ),
    explanation=Both(
        "{unit}, and ReLU makes {answer} of it. Without an activation function, layers on layers would be one single "
        "linear layer.",
        "{unit}, y ReLU lo convierte en {answer}. Sin función de activación, capas sobre capas serían una sola capa "
        "lineal.",
    ),
)
def _relu_value(draw: Draw) -> Task:
    window, weights, bias = draw.numbers(2, 2, 0, 5), draw.numbers(2, 2, -3, 3), draw.randint(-4, 4)
    trace = convolve(window, weights, bias=bias)
    total = int(trace.output[0, 0])
    no_bias = int(np.maximum(convolve(window, weights).output[0, 0], 0))
    slips = [
        Slip(total, Both("That is the sum; ReLU comes after it.", "Esa es la suma; ReLU viene después.")),
        Slip(no_bias, Both("The bias belongs to the sum.", "El sesgo forma parte de la suma.")),
    ]
    figures = [
        Figure("window", window, Both("the window", "la ventana")),
        Figure("weights", weights, Both("the weights", "los pesos")),
    ]
    return Task(Number(max(total, 0), slips=slips), {"bias": bias, "unit": trace.at(0, 0)}, figures)


@LAYERS.exercise(
    "code-relu",
    "code",
    title=Both("Write ReLU", "Escriba ReLU"),
    question=Both(
        "Write relu(x) for a NumPy array of any shape: what is negative becomes 0, the rest stays. The array that was "
        "handed over must not change.",
        "Escriba relu(x) para un arreglo de NumPy de cualquier forma: lo negativo se vuelve 0, lo demás queda. El "
        "arreglo recibido no debe cambiar.",
    ),
    hints=(
        Both(
            "For each number it is the larger one of the number and 0.",
            "Para cada número es el mayor entre el número y 0.",
        ),
        Both(
            "np.max takes the largest of all; np.maximum compares number by number.",
            "np.max toma el mayor de todos; np.maximum compara número por número.",
        ),
    ),
    explanation=Both(
        "np.maximum makes a new array, so the one that was handed over stays as it is.",
        "np.maximum hace un arreglo nuevo, así que el recibido queda como está.",
    ),
)
def _code_relu(_: Draw) -> Task:
    solution = """
import numpy as np

def relu(x):
    return np.maximum(x, 0)
"""
    return Task(Code("relu(x)", lambda x: np.where(x > 0, x, 0), _arrays, solution))


@LAYERS.exercise(
    "code-flatten",
    "code",
    title=Both("Write flatten", "Escriba flatten"),
    question=Both(
        "Write flatten(image): of an array (channels, rows, columns) one row of all its numbers, channel by channel, "
        "and in each channel row by row.",
        "Escriba flatten(image): de un arreglo (canales, filas, columnas), una fila con todos sus números, canal por "
        "canal, y en cada canal fila por fila.",
    ),
    hints=(
        Both(
            "How many numbers are there? That is the length of the result.",
            "¿Cuántos números hay? Esa es la longitud del resultado.",
        ),
        Both(
            "NumPy keeps arrays in just this order; reshape with −1 lets it count by itself.",
            "NumPy guarda los arreglos en ese orden; reshape con −1 deja que él cuente.",
        ),
    ),
    explanation=Both(
        "The numbers stay, the shape goes: a dense layer doesn't know any more which pixels were neighbours.",
        "Los números quedan, la forma se va: una capa densa ya no sabe qué píxeles eran vecinos.",
    ),
)
def _code_flatten(_: Draw) -> Task:
    solution = """
def flatten(image):
    return image.reshape(-1)
"""
    return Task(Code("flatten(image)", lambda image: image.ravel(), _images, solution))


@LAYERS.exercise(
    "code-softmax",
    "code",
    title=Both("Write softmax", "Escriba softmax"),
    question=Both(
        "Write softmax(logits) for a NumPy array of logits, one for each class: the probabilities of the classes. It "
        "must work for logits of 1000 too.",
        "Escriba softmax(logits) para un arreglo de NumPy de logits, uno por clase: las probabilidades de las clases. "
        "Debe funcionar también con logits de 1000.",
    ),
    hints=(
        Both(
            "np.exp of all logits, divided by their sum. What is np.exp(1000)?",
            "np.exp de todos los logits, dividido entre su suma. ¿Cuánto es np.exp(1000)?",
        ),
        Both(
            "The probabilities stay the same if a number is taken from all logits: take the largest from all of them "
            "first.",
            "Las probabilidades no cambian si se resta un número a todos los logits: reste primero el mayor a todos.",
        ),
    ),
    explanation=Both(
        "With the largest logit taken away, all powers lie between 0 and 1, and nothing overflows.",
        "Restado el logit mayor, todas las potencias están entre 0 y 1, y nada se desborda.",
    ),
)
def _code_softmax(_: Draw) -> Task:
    solution = """
import numpy as np

def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()
"""
    return Task(Code("softmax(logits)", softmax, _logits, solution))


def _arrays(draw: Draw) -> list[tuple[Array]]:
    return [(draw.numbers(draw.randint(1, 3), draw.randint(1, 5), -9, 9) / 2,) for _ in range(60)]


def _images(draw: Draw) -> list[tuple[Array]]:
    sizes = [[draw.randint(1, 2 + number // 20) for _ in range(3)] for number in range(60)]
    return [
        (draw.numbers(channels * rows, columns, 0, 9).reshape(channels, rows, columns),)
        for channels, rows, columns in sizes
    ]


def _logits(draw: Draw) -> list[tuple[Array]]:
    small = [(draw.numbers(1, draw.randint(2, 6), -5, 5)[0] / 2,) for _ in range(50)]
    return [*small, *((logits + draw.choice([-1000, 1000]),) for (logits,) in small[:10])]
