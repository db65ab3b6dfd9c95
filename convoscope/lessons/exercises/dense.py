"""The fully connected network: flatten, count its parameters, softmax."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from convoscope.convolution import count_dense, dense_beside_convolution
from convoscope.core.messages import Both
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Draw, Figure, Number, Slip, Task

DENSE = Topic("dense", 2, Both("The fully connected network", "La red totalmente conectada"))


@DENSE.exercise(
    "dense-parameters",
    "number",
    title=Both("Parameters of a dense network", "Parámetros de una red densa"),
    question=Both(
        "Pictures of {rows} × {rows} grey pixels are flattened and go into a fully connected network with {hidden} "
        "hidden units and {classes} outputs. How many parameters has it, weights and biases?",
        "Imágenes de {rows} × {rows} píxeles grises se aplanan y entran en una red totalmente conectada con {hidden} "
        "unidades ocultas y {classes} salidas. ¿Cuántos parámetros tiene, pesos y sesgos?",
    ),
    hints=(
        Both(
            "Flatten first: how many inputs are {rows} × {rows} pixels? Each hidden unit has one weight for each "
            "input.",
            "Primero aplane: ¿cuántas entradas son {rows} × {rows} píxeles? Cada unidad oculta tiene un peso por "
            "entrada.",
        ),
        Both(
            "A layer with n inputs and m units has n · m weights and m biases. Add the hidden and the output layer.",
            "Una capa con n entradas y m unidades tiene n · m pesos y m sesgos. Sume la capa oculta y la de salida.",
        ),
    ),
    explanation=Both(
        "{inputs} · {hidden} + {hidden} = {first} in the hidden layer, {hidden} · {classes} + {classes} = {second} in "
        "the output layer, {answer} in all. cs.summary shows it for any network.",
        "{inputs} · {hidden} + {hidden} = {first} en la capa oculta, {hidden} · {classes} + {classes} = {second} en "
        "la de salida, {answer} en total. cs.summary lo muestra para cualquier red.",
    ),
)
def _dense_parameters(draw: Draw) -> Task:
    rows, hidden, classes = draw.choice([8, 14, 16, 28, 32]), draw.randrange(2, 17) * 50, draw.randrange(3, 12)
    first, second = count_dense(rows * rows, hidden), count_dense(hidden, classes)
    no_bias = Both("Each unit has a bias too.", "Cada unidad tiene además un sesgo.")
    one_layer = Both("That is the hidden layer only.", "Esa es solo la capa oculta.")
    slips = [Slip(first.weights + second.weights, no_bias), Slip(first.parameters, one_layer)]
    values = {"rows": rows, "hidden": hidden, "classes": classes, "inputs": rows * rows}
    values |= {"first": first.parameters, "second": second.parameters}
    return Task(Number(first.parameters + second.parameters, slips=slips), values)


@DENSE.exercise(
    "dense-explodes",
    "number",
    title=Both("Why n × m × 3 explodes", "Por qué n × m × 3 explota"),
    question=Both(
        "A photograph of {rows} × {columns} × 3 goes into a fully connected layer of {units} units. How many times as "
        "many weights (without biases) has that layer as a convolutional layer of {units} filters of {size} × {size} "
        "on the same photograph? Round to a whole number.",
        "Una fotografía de {rows} × {columns} × 3 entra en una capa totalmente conectada de {units} unidades. "
        "¿Cuántas veces más pesos (sin sesgos) tiene esa capa que una capa convolucional de {units} filtros de {size} "
        "× {size} sobre la misma fotografía? Redondee a un número entero.",
    ),
    hints=(
        Both(
            "A dense unit has a weight for each number of the photograph. A filter has one for each number it covers.",
            "Una unidad densa tiene un peso por cada número de la fotografía. Un filtro, uno por cada número que "
            "cubre.",
        ),
        Both(
            "Weights of one unit over weights of one filter; both are multiplied by {units}, so that cancels out. The "
            "filter goes through all three channels.",
            "Pesos de una unidad entre pesos de un filtro; ambos se multiplican por {units}, así que se cancela. El "
            "filtro atraviesa los tres canales.",
        ),
    ),
    explanation=Both(
        "{dense} weights against {convolution}: {answer} times as many. Twice the side makes four times the dense "
        "weights, and leaves the filters as they are.",
        "{dense} pesos frente a {convolution}: {answer} veces más. El doble de lado da cuatro veces más pesos densos "
        "y deja los filtros como están.",
    ),
)
def _dense_explodes(draw: Draw) -> Task:
    rows, columns = draw.randrange(20, 80) * 10, draw.randrange(20, 80) * 10
    size, units = draw.choice([3, 5]), draw.choice([16, 32, 64])
    found = dense_beside_convolution(rows, columns, size=size, filters=units, units=units)
    one_channel = Both(
        f"A filter goes through all three channels: {size} · {size} · 3 weights.",
        f"Un filtro atraviesa los tres canales: {size} · {size} · 3 pesos.",
    )
    slips = [Slip(round(3 * found.ratio), one_channel)]
    values = {"rows": rows, "columns": columns, "units": units, "size": size}
    values |= {"dense": found.dense_weights, "convolution": found.convolution_weights}
    return Task(Number(round(found.ratio), slips=slips), values)


@DENSE.exercise(
    "softmax-by-hand",
    "number",
    title=Both("Softmax by hand", "Softmax a mano"),
    question=Both(
        "The output layer gives the logits below. Softmax makes probabilities of them. Which probability has class "
        "{label}? Give three decimals.",
        "La capa de salida da los logits de abajo. Softmax los vuelve probabilidades. ¿Qué probabilidad tiene la "
        "clase {label}? Dé tres decimales.",
    ),
    hints=(
        Both(
            "Take e to the power of each logit first: all become positive.",
            "Primero eleve e a cada logit: todos se vuelven positivos.",
        ),
        Both(
            "Divide the power of class {label} by the sum of all powers, so that all probabilities add up to 1.",
            "Divida la potencia de la clase {label} entre la suma de todas, para que las probabilidades sumen 1.",
        ),
    ),
    explanation=Both(
        "{logit} / ({sum}) = {answer}. The largest logit has the largest probability, and all of them add up to 1.",
        "{logit} / ({sum}) = {answer}. El logit mayor tiene la probabilidad mayor, y todas suman 1.",
    ),
)
def _softmax_by_hand(draw: Draw) -> Task:
    logits = np.array(draw.sample(range(-2, 5), 3))
    label = draw.randrange(3)
    share = logits[label] / logits.sum() if logits.sum() else 0.0
    no_power = Both("Take e to the power of the logits first.", "Primero eleve e a los logits.")
    caption = Both("what the output layer gives", "lo que da la capa de salida")
    values = {"label": label, "logit": _power(logits[label]), "sum": " + ".join(map(_power, logits))}
    return Task(
        Number(softmax(logits)[label].item(), digits=3, slips=[Slip(float(share), no_power)]),
        values,
        [Figure("logits", logits[None], caption, "table", [Both(f"class {n}", f"clase {n}") for n in range(3)])],
    )


def _power(logit: int) -> str:
    return f"e^{logit}" if logit >= 0 else f"e^({logit})"
