"""What a layer is: filters, maps, depth, and what they cost."""

from __future__ import annotations

import math

from convoscope.convolution import Window, count_convolution, receptive_fields
from convoscope.core.messages import Both
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Draw, Number, Slip, Task

LAYERS = Topic("layers", 7, Both("What a layer is", "Qué es una capa"))

_NO_BIAS = Both("Each filter has a bias too.", "Cada filtro tiene además un sesgo.")
_ALL_MAPS = Both("A filter goes through all maps below it.", "Un filtro atraviesa todos los mapas que tiene debajo.")
_ONLY_BELOW = Both(
    "That is what it sees of the map below, not of the picture.",
    "Eso es lo que ve del mapa de abajo, no de la imagen.",
)


@LAYERS.exercise(
    "filter-parameters",
    "number",
    title=Both("Parameters of a convolutional layer", "Parámetros de una capa convolucional"),
    question=Both(
        "A convolutional layer has {filters} filters of {size} × {size} and stands on {depth} feature maps of {rows} "
        "× {rows}. How many parameters has it, weights and biases?",
        "Una capa convolucional tiene {filters} filtros de {size} × {size} y está sobre {depth} mapas de "
        "características de {rows} × {rows}. ¿Cuántos parámetros tiene, pesos y sesgos?",
    ),
    hints=(
        Both(
            "Does the size of the maps matter? A filter is the same wherever it lies.",
            "¿Importa el tamaño de los mapas? Un filtro es el mismo dondequiera que esté.",
        ),
        Both(
            "One filter has {size} · {size} weights for each of the {depth} maps below it, and one bias.",
            "Un filtro tiene {size} · {size} pesos por cada uno de los {depth} mapas que tiene debajo, y un sesgo.",
        ),
    ),
    explanation=Both(
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
    one_bias = Both("There is one bias for each filter.", "Hay un sesgo por cada filtro.")
    slips = [Slip(count.weights, _NO_BIAS), Slip(flat.parameters, _ALL_MAPS), Slip(count.weights + 1, one_bias)]
    values = {"size": size, "depth": depth, "filters": filters, "rows": rows}
    return Task(Number(count.parameters, slips=slips), values)


@LAYERS.exercise(
    "feature-maps",
    "number",
    title=Both("How many feature maps?", "¿Cuántos mapas de características?"),
    question=Both(
        "A convolutional layer with {filters} filters stands on {depth} feature maps. How many feature maps does it "
        "give?",
        "Una capa convolucional con {filters} filtros está sobre {depth} mapas de características. ¿Cuántos mapas de "
        "características da?",
    ),
    hints=(
        Both(
            "What does one filter make of all the maps below it?",
            "¿Qué hace un filtro de todos los mapas que tiene debajo?",
        ),
        Both(
            "A filter adds up its sums over all maps below it, so it leaves a single map.",
            "Un filtro suma sus sumas sobre todos los mapas que tiene debajo, así que deja un solo mapa.",
        ),
    ),
    explanation=Both(
        "One map for each filter: {answer}. That is the depth of the layer's output, whatever the depth below.",
        "Un mapa por cada filtro: {answer}. Esa es la profundidad de la salida de la capa, sea cual sea la de abajo.",
    ),
)
def _feature_maps(draw: Draw) -> Task:
    depth, filters = draw.choice([3, 8, 16, 32]), draw.randrange(10, 100)
    maps = count_convolution((depth, 9, 9), filters, 3).output_shape[0]
    product = Both(
        "Each filter goes through all maps and adds them up: that is one map, not one for each map below.",
        "Cada filtro atraviesa todos los mapas y los suma: es un mapa, no uno por cada mapa de abajo.",
    )
    return Task(Number(maps, slips=[Slip(filters * depth, product)]), {"depth": depth, "filters": filters})


@LAYERS.exercise(
    "filter-depth",
    "number",
    title=Both("How deep is a filter?", "¿Qué profundidad tiene un filtro?"),
    question=Both(
        "The first convolutional layer has {first} filters of {size} × {size} on colour pictures, the second has "
        "{second} filters of {size} × {size}. How many weights (without the bias) has ONE filter of the second layer?",
        "La primera capa convolucional tiene {first} filtros de {size} × {size} sobre imágenes en color; la segunda, "
        "{second} filtros de {size} × {size}. ¿Cuántos pesos (sin el sesgo) tiene UN filtro de la segunda capa?",
    ),
    hints=(
        Both(
            "What lies below the second layer: the picture, or the maps of the first layer?",
            "¿Qué hay debajo de la segunda capa: la imagen o los mapas de la primera?",
        ),
        Both(
            "A filter is as deep as there are maps below it: {size} · {size} weights for each of them.",
            "Un filtro es tan profundo como mapas tiene debajo: {size} · {size} pesos por cada uno.",
        ),
    ),
    explanation=Both(
        "{size} · {size} · {first} = {answer}. A filter is a small block, (depth, rows, columns) = ({first}, {size}, "
        "{size}).",
        "{size} · {size} · {first} = {answer}. Un filtro es un pequeño bloque, (profundidad, filas, columnas) = "
        "({first}, {size}, {size}).",
    ),
)
def _filter_depth(draw: Draw) -> Task:
    size, first, second = draw.choice([3, 5, 7]), draw.choice([16, 24, 32, 48]), draw.choice([20, 40, 64])
    layer = count_convolution((first, 32, 32), second, size)
    whole = Both("That is the whole layer, not one filter.", "Eso es toda la capa, no un filtro.")
    picture = Both("Below the second layer lies no picture.", "Debajo de la segunda capa no está la imagen.")
    slips = [Slip(layer.weights, whole), Slip(size * size, _ALL_MAPS), Slip(3 * size * size, picture)]
    values = {"size": size, "first": first, "second": second}
    return Task(Number(layer.weights // second, slips=slips), values)


@LAYERS.exercise(
    "layer-macs",
    "number",
    title=Both("The work of a layer", "El trabajo de una capa"),
    question=Both(
        "A convolutional layer with {filters} filters of {size} × {size}, padding `same`, stride 1, stands on {depth} "
        "maps of {rows} × {rows}. How many multiplications by weights does it need for one picture (MACs)?",
        "Una capa convolucional con {filters} filtros de {size} × {size}, relleno `same` y paso 1, está sobre {depth} "
        "mapas de {rows} × {rows}. ¿Cuántas multiplicaciones por pesos necesita para una imagen (MAC)?",
    ),
    hints=(
        Both(
            "How many multiplications make one number of the output?",
            "¿Cuántas multiplicaciones hacen un número de la salida?",
        ),
        Both(
            "One number takes {size} · {size} · {depth}. The output has {filters} maps of {rows} × {rows} numbers.",
            "Un número toma {size} · {size} · {depth}. La salida tiene {filters} mapas de {rows} × {rows} números.",
        ),
    ),
    explanation=Both(
        "{size} · {size} · {depth} · {filters} · {rows} · {rows} = {answer}. The parameters don't depend on the size "
        "of the maps, the work does.",
        "{size} · {size} · {depth} · {filters} · {rows} · {rows} = {answer}. Los parámetros no dependen del tamaño de "
        "los mapas; el trabajo, sí.",
    ),
)
def _layer_macs(draw: Draw) -> Task:
    size, depth, filters = draw.choice([3, 5]), draw.choice([3, 8, 16]), draw.choice([8, 16, 32])
    rows = draw.choice([14, 16, 28, 32])
    count = count_convolution((depth, rows, rows), filters, size, padding="same")
    weights = Both(
        "Those are the weights; each is used at every place.",
        "Esos son los pesos; cada uno se usa en cada lugar.",
    )
    one_map = Both("The output has one map for each filter.", "La salida tiene un mapa por cada filtro.")
    slips = [Slip(count.weights, weights), Slip(count.macs // filters, one_map)]
    values = {"size": size, "depth": depth, "filters": filters, "rows": rows}
    return Task(Number(count.macs, slips=slips), values)


@LAYERS.exercise(
    "receptive-field",
    "number",
    title=Both("What a unit of a deep layer sees", "Lo que ve una unidad de una capa profunda"),
    question=Both(
        "Layers: {chain}. All kernels and windows are square. How many rows of the picture can a unit of the last "
        "layer see: how large is its receptive field?",
        "Capas: {chain}. Todos los kernels y ventanas son cuadrados. ¿Cuántas filas de la imagen puede ver una unidad "
        "de la última capa: qué tamaño tiene su campo receptivo?",
    ),
    hints=(
        Both(
            "Begin at the last layer: how many rows of the map below does one unit see? And each of those?",
            "Empiece por la última capa: ¿cuántas filas del mapa de abajo ve una unidad? ¿Y cada una de esas?",
        ),
        Both(
            "From the picture up: each layer adds (k − 1) times the distance, in pixels of the picture, of two "
            "neighbours below it. A stride s makes that distance s times larger for the layers above.",
            "De la imagen hacia arriba: cada capa añade (k − 1) veces la distancia, en píxeles de la imagen, entre "
            "dos vecinos de abajo. Un paso s hace esa distancia s veces mayor para las capas de encima.",
        ),
    ),
    explanation=Both(
        "Layer by layer the field is {fields} rows. Deep units see more of the picture, through the same small "
        "kernels.",
        "Capa por capa, el campo es de {fields} filas. Las unidades profundas ven más de la imagen, con los mismos "
        "kernels pequeños.",
    ),
)
def _receptive_field(draw: Draw) -> Task:
    kernels = [draw.choice([3, 5]) for _ in range(draw.choice([2, 3]))]
    pools = [draw.random() < 0.6 for _ in kernels[:-1]] + [False]
    layers, names = [], []
    for size, pooled in zip(kernels, pools, strict=True):
        layers.append(Window(size, padding="same"))
        names.append(Both(f"convolution {size} × {size}", f"convolución {size} × {size}"))
        if pooled:
            layers.append(Window(2, 2))
            names.append(Both("pooling 2 × 2, stride 2", "agrupamiento 2 × 2, paso 2"))
    fields = [field.size[0] for field in receptive_fields(layers, (64, 64))]
    product = Both(
        "Fields don't multiply: each layer adds to them.",
        "Los campos no se multiplican: cada capa les suma.",
    )
    without = receptive_fields([Window(size) for size in kernels], (64, 64))[-1].size[0]
    strides = Both("Mind the strides of the poolings.", "Cuide los pasos de los agrupamientos.")
    slips = [Slip(math.prod(kernels), product), Slip(kernels[-1], _ONLY_BELOW), Slip(without, strides)]
    chain = Both("; ".join(name.en for name in names), "; ".join(name.es for name in names))
    return Task(Number(fields[-1], slips=slips), {"chain": chain, "fields": " → ".join(map(str, fields))})
