"""What a layer is: filters, maps, depth, and what they cost."""

from __future__ import annotations

from convoscope.convolution import count_convolution
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Draw, Number, Slip, Task
from convoscope.lessons.text import Text

LAYERS = Topic("layers", 6, Text("What a layer is", "Qué es una capa"))

_NO_BIAS = Text("Each filter has a bias too.", "Cada filtro tiene además un sesgo.")


@LAYERS.exercise(
    "filter-parameters",
    "number",
    title=Text("Parameters of a convolutional layer", "Parámetros de una capa convolucional"),
    question=Text(
        "A convolutional layer has {filters} filters of {size} × {size} and stands on {depth} feature maps of {rows} "
        "× {rows}. How many parameters has it, weights and biases?",
        "Una capa convolucional tiene {filters} filtros de {size} × {size} y está sobre {depth} mapas de "
        "características de {rows} × {rows}. ¿Cuántos parámetros tiene, pesos y sesgos?",
    ),
    hints=(
        Text(
            "Does the size of the maps matter? A filter is the same wherever it lies.",
            "¿Importa el tamaño de los mapas? Un filtro es el mismo dondequiera que esté.",
        ),
        Text(
            "One filter has {size} · {size} weights for each of the {depth} maps below it, and one bias.",
            "Un filtro tiene {size} · {size} pesos por cada uno de los {depth} mapas que tiene debajo, y un sesgo.",
        ),
    ),
    explanation=Text(
        "{size} · {size} · {depth} · {filters} + {filters} = {answer}. The {rows} × {rows} of the maps don't enter: "
        "the same weights are used at each place.",
        "{size} · {size} · {depth} · {filters} + {filters} = {answer}. Los {rows} × {rows} de los mapas no entran: "
        "los mismos pesos se usan en cada lugar.",
    ),
)
def _filter_parameters(draw: Draw) -> Task:
    size, depth, filters = draw.choice([3, 5, 7]), draw.choice([3, 8, 16, 32]), draw.choice([8, 16, 32, 48, 64])
    rows = draw.choice([14, 28, 32, 64])
    count = count_convolution((depth, rows, rows), filters, size)
    flat = count_convolution((1, rows, rows), filters, size)
    one_map = Text(
        "A filter goes through all maps below it.",
        "Un filtro atraviesa todos los mapas que tiene debajo.",
    )
    one_bias = Text("There is one bias for each filter.", "Hay un sesgo por cada filtro.")
    slips = [Slip(count.weights, _NO_BIAS), Slip(flat.parameters, one_map), Slip(count.weights + 1, one_bias)]
    values = {"size": size, "depth": depth, "filters": filters, "rows": rows}
    return Task(Number(count.parameters, slips=slips), values)
