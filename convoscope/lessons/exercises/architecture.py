"""The typical architecture: what follows what."""

from __future__ import annotations

from convoscope.core.messages import Both
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Choice, Draw, Slip, Task

ARCHITECTURE = Topic("architecture", 8, Both("The typical architecture", "La arquitectura típica"))


@ARCHITECTURE.exercise(
    "architecture-order",
    "choice",
    title=Both("What follows what?", "¿Qué sigue a qué?"),
    question=Both(
        "A network for pictures of {rows} × {rows} in the typical order, with {blocks} blocks of convolution and one "
        "hidden dense layer. Which order of layers is it?",
        "Una red para imágenes de {rows} × {rows} en el orden típico, con {blocks} bloques de convolución y una capa "
        "densa oculta. ¿Qué orden de capas es?",
    ),
    hints=(
        Both(
            "Convolution and pooling need maps, with rows and columns; dense layers need a single row of numbers.",
            "La convolución y el agrupamiento necesitan mapas, con filas y columnas; las capas densas, una sola fila "
            "de números.",
        ),
        Both(
            "Flatten stands between the two, once. An activation function follows each layer that has weights, but "
            "the last.",
            "Flatten está entre ambos, una vez. Una función de activación sigue a cada capa que tiene pesos, menos a "
            "la última.",
        ),
    ),
    explanation=Both(
        "Blocks of convolution, activation and pooling; flatten; dense layers. The maps grow in number and shrink in "
        'size. cs.summary("{spec}", (1, {rows}, {rows})) shows this network.',
        "Bloques de convolución, activación y agrupamiento; flatten; capas densas. Los mapas crecen en número y se "
        'achican. cs.summary("{spec}", (1, {rows}, {rows})) muestra esta red.',
    ),
)
def _architecture_order(draw: Draw) -> Task:
    from convoscope.models import summary

    blocks, rows = draw.choice([2, 3]), draw.choice([28, 32])
    spec = f"typical:blocks={blocks},dropout=0"
    kinds = [layer.kind for layer in summary(spec, (1, rows, rows)).layers]
    body, head = kinds[: kinds.index("Flatten")], kinds[kinds.index("Flatten") + 1 :]
    linear = [kind for kind in kinds if kind != "ReLU"]
    flat_first = Both(
        "After flatten there are no rows and columns left for a convolution to slide over.",
        "Tras flatten no quedan filas ni columnas sobre las que deslizar una convolución.",
    )
    dense_first = Both(
        "A dense layer mixes all pixels: no places are left for a convolution to look at.",
        "Una capa densa mezcla todos los píxeles: no quedan lugares que una convolución pueda mirar.",
    )
    no_activation = Both(
        "Without activation functions all these layers are a single linear one.",
        "Sin funciones de activación, todas estas capas son una sola lineal.",
    )
    wrong = [
        Slip(_chain(["Flatten", *body, *head]), flat_first),
        Slip(_chain(["Flatten", *head, *body]), dense_first),
        Slip(_chain(linear), no_activation),
    ]
    return Task(Choice(_chain(kinds), wrong), {"rows": rows, "blocks": blocks, "spec": spec})


def _chain(kinds: list[str]) -> str:
    return " → ".join(kinds)


@ARCHITECTURE.exercise(
    "where-parameters",
    "choice",
    title=Both("Where are the parameters?", "¿Dónde están los parámetros?"),
    question=Both(
        "The network {spec} for pictures of {rows} × {rows} has {parameters} parameters. Which layer has most of them?",
        "La red {spec} para imágenes de {rows} × {rows} tiene {parameters} parámetros. ¿Qué capa tiene la mayoría?",
    ),
    hints=(
        Both(
            "A convolution uses its few weights again at each place. Which layers have a weight for each input?",
            "Una convolución vuelve a usar sus pocos pesos en cada lugar. ¿Qué capas tienen un peso por cada entrada?",
        ),
        Both(
            "Inputs times units: at which dense layer is that product largest?",
            "Entradas por unidades: ¿en qué capa densa es mayor ese producto?",
        ),
    ),
    explanation=Both(
        "{most} of {parameters} are there, {share} %. Convolutions have few parameters and do most of the work; the "
        "first dense layer is the other way round.",
        "Ahí hay {most} de {parameters}, el {share} %. Las convoluciones tienen pocos parámetros y hacen la mayor "
        "parte del trabajo; la primera capa densa es al revés.",
    ),
)
def _where_parameters(draw: Draw) -> Task:
    from convoscope.models import summary

    spec, rows = draw.choice(["typical:blocks=2", "typical:blocks=3", "lenet5"]), draw.choice([28, 32])
    found = summary(spec, (1, rows, rows))
    layers = {layer.name: layer for layer in found.layers if layer.parameters}
    most = max(layers, key=lambda name: layers[name].parameters)
    fewer = Both("It has fewer: count inputs times units.", "Tiene menos: cuente entradas por unidades.")
    wrong = [Slip(f"{name} ({layer.kind})", fewer) for name, layer in layers.items() if name != most]
    values = {"spec": spec, "rows": rows, "parameters": found.parameters, "most": layers[most].parameters}
    values["share"] = round(100 * layers[most].parameters / found.parameters)
    return Task(Choice(f"{most} ({layers[most].kind})", wrong), values)
