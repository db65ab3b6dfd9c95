"""Training: loss, steps, learning rate, and curves that overfit."""

from __future__ import annotations

import math

import numpy as np

from convoscope.core.messages import Both
from convoscope.data import registry
from convoscope.lessons.exercises._digits import learnt
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Choice, Draw, Figure, Number, Slip, Task

TRAINING = Topic("training", 9, Both("Training", "Entrenamiento"))

_DRAWS = 30  # different trainings that students may meet


@TRAINING.exercise(
    "cross-entropy",
    "number",
    title=Both("The loss of one picture", "La pérdida de una imagen"),
    question=Both(
        "A network gives a picture the probabilities below. The picture shows class {label}. What is its cross "
        "entropy, with the natural logarithm? Give two decimals.",
        "Una red da a una imagen las probabilidades de abajo. La imagen muestra la clase {label}. ¿Cuál es su "
        "entropía cruzada, con el logaritmo natural? Dé dos decimales.",
    ),
    hints=(
        Both(
            "Only one of the probabilities counts: that of the true class.",
            "Solo cuenta una de las probabilidades: la de la clase verdadera.",
        ),
        Both(
            "The loss is minus the natural logarithm of that probability: math.log in Python.",
            "La pérdida es menos el logaritmo natural de esa probabilidad: math.log en Python.",
        ),
    ),
    explanation=Both(
        "−ln {share} = {answer}. A sure and right network pays nothing; the less it believes in the true class, the "
        "more it pays, without limit.",
        "−ln {share} = {answer}. Una red segura y acertada no paga nada; cuanto menos cree en la clase verdadera, más "
        "paga, sin límite.",
    ),
)
def _cross_entropy(draw: Draw) -> Task:
    cuts = sorted(draw.sample(range(5, 96), 3))
    shares = np.diff([0, *cuts, 100]) / 100
    label = draw.randrange(4)
    share = shares[label].item()
    common = Both("That is the decimal logarithm.", "Ese es el logaritmo decimal.")
    rest = Both(
        "That is what is missing to 1; the loss is a logarithm.",
        "Eso es lo que falta para 1; la pérdida es un logaritmo.",
    )
    surest = Both("The true class counts, not the surest one.", "Cuenta la clase verdadera, no la más segura.")
    slips = [Slip(-math.log10(share), common), Slip(1 - share, rest), Slip(-math.log(shares.max()), surest)]
    names = [Both(f"class {number}", f"clase {number}") for number in range(4)]
    figure = Figure("probabilities", shares[None], Both("what the network says", "lo que dice la red"), "table", names)
    return Task(Number(-math.log(share), digits=2, slips=slips), {"label": label, "share": share}, [figure])


@TRAINING.exercise(
    "steps-per-epoch",
    "number",
    title=Both("Epochs, batches, steps", "Épocas, lotes, pasos"),
    question=Both(
        "{name} has {count} training pictures. {kept} of them are kept for validation. With batches of {batch} "
        "pictures, how many steps (changes of the weights) are {epochs} epochs? The last batch may be smaller and "
        "counts.",
        "{name} tiene {count} imágenes de entrenamiento. {kept} de ellas se guardan para validación. Con lotes de "
        "{batch} imágenes, ¿cuántos pasos (cambios de los pesos) son {epochs} épocas? El último lote puede ser menor "
        "y cuenta.",
    ),
    hints=(
        Both(
            "In an epoch each picture to learn from is seen once, and the weights change once a batch.",
            "En una época cada imagen para aprender se ve una vez, y los pesos cambian una vez por lote.",
        ),
        Both(
            "Pictures over batch size, rounded up, are the steps of one epoch.",
            "Imágenes entre tamaño del lote, redondeado hacia arriba, son los pasos de una época.",
        ),
    ),
    explanation=Both(
        "{left} pictures in batches of {batch} are {steps} steps an epoch, times {epochs} is {answer}.",
        "{left} imágenes en lotes de {batch} son {steps} pasos por época; por {epochs} son {answer}.",
    ),
)
def _steps_per_epoch(draw: Draw) -> Task:
    name = draw.choice(["mnist", "cifar10", "mnist-5k", "fashion-mnist"])
    count = registry.get(name).counts[0]
    kept, batch, epochs = count // draw.choice([5, 10]), draw.choice([48, 96, 128, 192]), draw.randrange(2, 13)
    left = count - kept
    steps = len(range(0, left, batch))
    unkept = Both("The validation pictures are not learnt from.", "De las imágenes de validación no se aprende.")
    dropped = Both("The last, smaller batch is a step too.", "El último lote, menor, también es un paso.")
    one = Both("That is a single epoch.", "Eso es una sola época.")
    slips = [
        Slip(len(range(0, count, batch)) * epochs, unkept),
        Slip(left // batch * epochs, dropped),
        Slip(steps, one),
    ]
    values = {"name": name, "count": count, "kept": kept, "batch": batch, "epochs": epochs, "left": left}
    return Task(Number(steps * epochs, slips=slips), {**values, "steps": steps})


@TRAINING.exercise(
    "gradient-step",
    "number",
    title=Both("One step downhill", "Un paso cuesta abajo"),
    question=Both(
        "A network with a single weight w has the loss (w − {centre})². Now w = {weight}, and the learning rate is "
        "{rate}. What is w after one step of gradient descent? Give two decimals.",
        "Una red con un único peso w tiene la pérdida (w − {centre})². Ahora w = {weight} y la tasa de aprendizaje es "
        "{rate}. ¿Cuánto vale w tras un paso de descenso por gradiente? Dé dos decimales.",
    ),
    hints=(
        Both(
            "The derivative of (w − c)² is 2 · (w − c). Which sign has it here, and which way is downhill?",
            "La derivada de (w − c)² es 2 · (w − c). ¿Qué signo tiene aquí y hacia dónde es cuesta abajo?",
        ),
        Both(
            "The new w is the old one minus the learning rate times the derivative.",
            "El w nuevo es el viejo menos la tasa de aprendizaje por la derivada.",
        ),
    ),
    explanation=Both(
        "The derivative is 2 · ({weight} − {centre}) = {slope}, so w becomes {weight} − {rate} · ({slope}) = "
        "{answer}. The loss goes from {before} to {after}.",
        "La derivada es 2 · ({weight} − {centre}) = {slope}, así que w pasa a {weight} − {rate} · ({slope}) = "
        "{answer}. La pérdida va de {before} a {after}.",
    ),
)
def _gradient_step(draw: Draw) -> Task:
    centre, weight = draw.sample(range(1, 10), 2)
    rate = draw.choice([0.05, 0.1, 0.2, 0.3])
    slope = 2 * (weight - centre)
    new = weight - rate * slope
    uphill = Both("That goes uphill: the derivative is taken away.", "Eso va cuesta arriba: la derivada se resta.")
    no_two = Both("The derivative of a square has a factor of 2.", "La derivada de un cuadrado lleva un factor 2.")
    slips = [Slip(weight + rate * slope, uphill), Slip(weight - rate * slope / 2, no_two)]
    values = {"centre": centre, "weight": weight, "rate": rate, "slope": slope}
    values |= {"before": (weight - centre) ** 2, "after": round((new - centre) ** 2, 4)}
    return Task(Number(new, digits=2, slips=slips), values)


@TRAINING.exercise(
    "learning-rate",
    "choice",
    title=Both("Too large a learning rate", "Una tasa de aprendizaje demasiado grande"),
    question=Both(
        "Gradient descent on the loss {curve} · w², from w = {start}, {steps} steps with each of these learning "
        "rates. With which one does the loss end larger than it began?",
        "Descenso por gradiente sobre la pérdida {curve} · w², desde w = {start}, {steps} pasos con cada una de estas "
        "tasas de aprendizaje. ¿Con cuál termina la pérdida mayor de lo que empezó?",
    ),
    hints=(
        Both(
            "The derivative is {slope} · w. What does one step make of w?",
            "La derivada es {slope} · w. ¿Qué hace un paso con w?",
        ),
        Both(
            "Each step multiplies w by (1 − rate · {slope}). When does w get larger by that, with either sign?",
            "Cada paso multiplica w por (1 − tasa · {slope}). ¿Cuándo crece w con eso, con cualquier signo?",
        ),
    ),
    explanation=Both(
        "With it each step multiplies w by {factor}: it jumps across the valley, farther each time. Too small a rate "
        "is slow, too large a one diverges.",
        "Con ella cada paso multiplica w por {factor}: salta de un lado a otro del valle, cada vez más lejos. Una "
        "tasa muy pequeña es lenta; una muy grande diverge.",
    ),
)
def _learning_rate(draw: Draw) -> Task:
    curve, start, steps = draw.choice([1, 2, 4]), draw.randrange(2, 9), draw.choice([10, 20])
    slope = 2 * curve
    rates = [round(share / slope, 4) for share in (0.1, 0.5, 1.5, draw.choice([2.2, 2.5, 3.0]))]
    ends = {rate: _descend(start, slope, rate, steps) for rate in rates}
    growing = [rate for rate, end in ends.items() if abs(end) > start]
    smaller = Both("With that rate the loss gets smaller.", "Con esa tasa la pérdida se hace menor.")
    wrong = [Slip(rate, smaller) for rate in rates if rate not in growing]
    values = {
        "curve": curve,
        "start": start,
        "steps": steps,
        "slope": slope,
        "factor": round(1 - growing[0] * slope, 4),
    }
    return Task(Choice(growing[0], wrong), values)


def _descend(weight: float, slope: float, rate: float, steps: int) -> float:
    for _ in range(steps):
        weight -= rate * slope * weight
    return weight


@TRAINING.exercise(
    "overfitting",
    "number",
    title=Both("When to stop", "Cuándo parar"),
    question=Both(
        "A small network learnt real digits from few pictures, some of them wrongly labelled. These are its losses "
        "after each epoch. The weights of which epoch does early stopping keep?",
        "Una red pequeña aprendió dígitos reales de pocas imágenes, algunas mal etiquetadas. Estas son sus pérdidas "
        "tras cada época. ¿Los pesos de qué época conserva la parada temprana (early stopping)?",
    ),
    hints=(
        Both(
            "The training loss always falls. Which of the two tells how new pictures fare?",
            "La pérdida de entrenamiento siempre baja. ¿Cuál de las dos dice cómo van las imágenes nuevas?",
        ),
        Both(
            "Early stopping keeps the weights with the lowest validation loss.",
            "La parada temprana conserva los pesos con la menor pérdida de validación.",
        ),
    ),
    explanation=Both(
        "The validation loss is lowest, {lowest}, after epoch {answer}. From there on it rises while the training "
        "loss still falls: the network learns its training pictures by heart. That is overfitting.",
        "La pérdida de validación es mínima, {lowest}, tras la época {answer}. Desde ahí sube mientras la de "
        "entrenamiento sigue bajando: la red se aprende de memoria sus imágenes. Eso es el sobreajuste.",
    ),
)
def _overfitting(draw: Draw) -> Task:
    curves = np.array([])
    while curves.size == 0 or (curves[:, 1] == curves[:, 1].min()).sum() > 1:
        found = learnt(draw.randrange(_DRAWS))
        curves = np.column_stack([found.train_loss, found.validation_loss]).round(3)
    lowest = int(curves[:, 1].argmin())
    last = Both(
        "There the training loss is lowest; new pictures fare worse by then.",
        "Ahí es mínima la pérdida de entrenamiento; a las imágenes nuevas ya les va peor.",
    )
    from_zero = Both("The first epoch has the number 1.", "La primera época lleva el número 1.")
    slips = [Slip(len(curves), last), Slip(lowest, from_zero)]
    epochs = [Both(f"epoch {number}", f"época {number}") for number in range(1, len(curves) + 1)]
    heads = [Both("training loss", "pérdida de entrenamiento"), Both("validation loss", "pérdida de validación")]
    figure = Figure("losses", curves, Both("loss after each epoch", "pérdida tras cada época"), "table", heads, epochs)
    return Task(Number(lowest + 1, slips=slips), {"lowest": curves[lowest, 1].item()}, [figure])
