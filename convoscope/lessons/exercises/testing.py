"""Testing: what may choose, how sure an error is, and what is mistaken for what."""

from __future__ import annotations

import numpy as np

from convoscope.core.messages import Both
from convoscope.lessons.exercises._digits import learnt
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Choice, Draw, Figure, Number, Slip, Task

TESTING = Topic("testing", 10, Both("Testing", "Prueba"))

_DRAWS = 30  # different trainings that students may meet


@TESTING.exercise(
    "test-set-misuse",
    "number",
    title=Both("Which error may be reported?", "¿Qué error se puede publicar?"),
    question=Both(
        "Six networks were trained; each made so many mistakes on the same {count} validation pictures and on the "
        "same {count} test pictures. You may ship and report one. How many mistakes on the test set may you honestly "
        "report?",
        "Se entrenaron seis redes; cada una cometió estos errores en las mismas {count} imágenes de validación y en "
        "las mismas {count} de prueba. Puede entregar y publicar una. ¿Cuántos errores en el conjunto de prueba puede "
        "publicar honestamente?",
    ),
    hints=(
        Both(
            "Who picks the network by its test errors picks the luck that it had there, too.",
            "Quien elige la red por sus errores de prueba elige también la suerte que tuvo ahí.",
        ),
        Both(
            "The validation set is there to choose. Then the test set is looked at once, for the chosen one only.",
            "El conjunto de validación está para elegir. Después se mira una vez el de prueba, solo para la elegida.",
        ),
    ),
    explanation=Both(
        "Network {chosen} has the fewest validation mistakes, {fewest}, so it is chosen, and its test mistakes are "
        "reported: {answer}. The smallest number of the test column, {luckiest}, is partly luck: all six networks "
        "have the same true error here, {true} %.",
        "La red {chosen} tiene los menos errores de validación, {fewest}, así que se la elige, y se publican sus "
        "errores de prueba: {answer}. El menor número de la columna de prueba, {luckiest}, es en parte suerte: las "
        "seis redes tienen aquí el mismo error verdadero, {true} %.",
    ),
)
def _test_set_misuse(draw: Draw) -> Task:
    count, percent = draw.choice([200, 300, 400]), draw.randrange(6, 15)
    mistakes = np.zeros((6, 2), dtype=np.int64)
    while not _telling(mistakes):
        mistakes = np.array(
            [[sum(draw.random() < percent / 100 for _ in range(count)) for _ in range(2)] for _ in range(6)]
        )
    chosen = int(mistakes[:, 0].argmin())
    luckiest = Both(
        "That one was picked by the test set, which then is no test any more.",
        "Esa la eligió el conjunto de prueba, que entonces ya no es prueba.",
    )
    chooses = Both(
        "That is on the validation set, which has chosen: it is too good to be true.",
        "Eso es en el conjunto de validación, que ya eligió: es demasiado bueno para ser cierto.",
    )
    slips = [Slip(int(mistakes[:, 1].min()), luckiest), Slip(int(mistakes[chosen, 0]), chooses)]
    heads = [Both("validation mistakes", "errores de validación"), Both("test mistakes", "errores de prueba")]
    rows = [Both(f"network {number}", f"red {number}") for number in range(1, 7)]
    figure = Figure("mistakes", mistakes, Both("six networks", "seis redes"), "table", heads, rows)
    values = {"count": count, "chosen": chosen + 1, "fewest": int(mistakes[chosen, 0]), "true": percent}
    values["luckiest"] = int(mistakes[:, 1].min())
    return Task(Number(int(mistakes[chosen, 1]), slips=slips), values, [figure])


def _telling(mistakes: np.ndarray) -> bool:
    """Whether one network is best in validation, and another in the test."""
    validation, test = mistakes.T
    return bool((validation == validation.min()).sum() == 1 and test[validation.argmin()] > test.min())


@TESTING.exercise(
    "error-interval",
    "choice",
    title=Both("How sure is an error?", "¿Qué tan seguro es un error?"),
    question=Both(
        "A network made {wrong} mistakes on {count} test pictures, {share} %. In which interval does its true error "
        "lie with 95% confidence?",
        "Una red cometió {wrong} errores en {count} imágenes de prueba, el {share} %. ¿En qué intervalo está su error "
        "verdadero con un 95 % de confianza?",
    ),
    hints=(
        Both(
            "The interval gets narrower with the number of test pictures, by its square root.",
            "El intervalo se estrecha con el número de imágenes de prueba, según su raíz cuadrada.",
        ),
        Both(
            "Roughly, it reaches 2 · √(p · (1 − p) / n) to either side of the share p.",
            "Más o menos, llega 2 · √(p · (1 − p) / n) a cada lado de la proporción p.",
        ),
    ),
    explanation=Both(
        "Wilson's interval (1927) for {wrong} of {count}. Two networks whose intervals overlap widely can't be told "
        "apart by this test set. convoscope evaluate prints the interval with each error.",
        "Es el intervalo de Wilson (1927) para {wrong} de {count}. Dos redes cuyos intervalos se solapan mucho no se "
        "distinguen con este conjunto de prueba. convoscope evaluate da el intervalo con cada error.",
    ),
)
def _error_interval(draw: Draw) -> Task:
    from convoscope.runs.evaluation import wilson_interval

    count = draw.choice([500, 1000, 2000])
    wrong = count * draw.randrange(3, 12) // 100 + draw.randrange(0, 4)
    narrow = Both(
        "So narrow would it be with ten times as many pictures.",
        "Tan estrecho sería con diez veces más imágenes.",
    )
    wide = Both(
        "So wide would it be with a tenth of the pictures.",
        "Tan ancho sería con la décima parte de las imágenes.",
    )
    shifted = Both("The share found lies inside of the interval.", "La proporción hallada está dentro del intervalo.")
    others = [
        Slip(_percents(wilson_interval(10 * wrong, 10 * count)), narrow),
        Slip(_percents(wilson_interval(round(wrong / 10), count // 10)), wide),
        Slip(_percents(wilson_interval(2 * wrong, count)), shifted),
    ]
    values = {"wrong": wrong, "count": count, "share": f"{100 * wrong / count:.1f}"}
    return Task(Choice(_percents(wilson_interval(wrong, count)), others), values)


def _percents(interval: tuple[float, float]) -> Both:
    low, high = (f"{100 * end:.1f} %" for end in interval)
    return Both(f"{low} to {high}", f"{low} a {high}")


@TESTING.exercise(
    "confusion-reading",
    "number",
    title=Both("Reading a confusion matrix", "Leer una matriz de confusión"),
    question=Both(
        "The confusion matrix of a small network on real digits: a row for each true class, a column for each "
        "predicted one. How many pictures of the digit {label} were taken for another digit?",
        "La matriz de confusión de una red pequeña con dígitos reales: una fila por clase verdadera, una columna por "
        "clase predicha. ¿Cuántas imágenes del dígito {label} se tomaron por otro dígito?",
    ),
    hints=(
        Both(
            "All pictures of a digit stand in one row. The right ones stand on the diagonal.",
            "Todas las imágenes de un dígito están en una fila. Las acertadas están en la diagonal.",
        ),
        Both(
            "Add up the row of the {label}, without its place on the diagonal.",
            "Sume la fila del {label}, sin su lugar en la diagonal.",
        ),
    ),
    explanation=Both(
        "The row sums to {pictures}, {right} of them on the diagonal, so {answer} mistakes. Most of them were taken "
        "for a {taken}. The column would tell how many other digits were taken for a {label}.",
        "La fila suma {pictures}, {right} de ellas en la diagonal, así que {answer} errores. La mayoría se tomó por "
        "un {taken}. La columna diría cuántos otros dígitos se tomaron por un {label}.",
    ),
)
def _confusion_reading(draw: Draw) -> Task:
    found = learnt(draw.randrange(_DRAWS))
    confusion = np.zeros((10, 10), dtype=np.int64)
    np.add.at(confusion, (found.labels, found.probabilities.argmax(axis=1)), 1)
    off = confusion - np.diag(np.diag(confusion))
    mistaken, received = off.sum(axis=1), off.sum(axis=0)
    label = int(draw.choice(np.flatnonzero((mistaken > 1) & (mistaken != received)).tolist()))
    column = Both(
        "That is the column: other digits that were taken for this one.",
        "Esa es la columna: otros dígitos que se tomaron por este.",
    )
    diagonal = Both("Those on the diagonal are right.", "Los de la diagonal están acertados.")
    slips = [Slip(int(received[label]), column), Slip(int(confusion[label].sum()), diagonal)]
    names = [str(digit) for digit in range(10)]
    caption = Both("rows: true, columns: predicted", "filas: verdadero, columnas: predicho")
    values = {"label": label, "pictures": int(confusion[label].sum()), "right": int(confusion[label, label])}
    values["taken"] = int(off[label].argmax())
    figure = Figure("confusion", confusion, caption, "table", names, names)
    return Task(Number(int(mistaken[label]), slips=slips), values, [figure])


@TESTING.exercise(
    "confident-errors",
    "number",
    title=Both("Wrong, and sure of it", "Equivocada, y segura de ello"),
    question=Both(
        "What a small network said of {count} real test digits. Which picture is the most confident error? Give its "
        "number.",
        "Lo que una red pequeña dijo de {count} dígitos de prueba reales. ¿Qué imagen es el error más confiado? Dé su "
        "número.",
    ),
    hints=(
        Both(
            "First find the pictures that the network got wrong.",
            "Primero busque las imágenes en las que la red se equivocó.",
        ),
        Both(
            "Among those, the one with the largest probability of the predicted class.",
            "Entre ellas, la que tiene la mayor probabilidad de la clase predicha.",
        ),
    ),
    explanation=Both(
        "Picture {answer}: a {label}, taken for a {guess} with {percent} % probability. Confident errors are worth a "
        "look: often the label is wrong, or the picture is like no other.",
        "La imagen {answer}: un {label} tomado por un {guess} con {percent} % de probabilidad. Los errores confiados "
        "merecen una mirada: a menudo la etiqueta está mal, o la imagen no se parece a ninguna otra.",
    ),
)
def _confident_errors(draw: Draw) -> Task:
    found = learnt(draw.randrange(_DRAWS))
    guesses = found.probabilities.argmax(axis=1)
    sure = (100 * found.probabilities.max(axis=1)).round().astype(np.int64)
    right, wrong = np.flatnonzero(guesses == found.labels).tolist(), np.flatnonzero(guesses != found.labels).tolist()
    rows = np.array(draw.sample(right, 5) + draw.sample(wrong, 3))
    while len(set(sure[rows].tolist())) < len(rows):
        rows = np.array(draw.sample(right, 5) + draw.sample(wrong, 3))
    rows = rows[draw.sample(range(len(rows)), len(rows))]
    errors = guesses[rows] != found.labels[rows]
    most = int(np.where(errors, sure[rows], -1).argmax())
    surest = Both("That one is sure, but is it wrong?", "Esa es segura, ¿pero está equivocada?")
    doubtful = Both("That is the error that it was least sure of.", "Ese es el error del que estaba menos segura.")
    least = int(np.where(errors, sure[rows], 101).argmin())
    slips = [Slip(int(sure[rows].argmax()) + 1, surest), Slip(least + 1, doubtful)]
    table = np.column_stack([found.labels[rows], guesses[rows], sure[rows]])
    heads = [Both("true", "verdadero"), Both("predicted", "predicho"), Both("probability in %", "probabilidad en %")]
    names = [Both(f"picture {number}", f"imagen {number}") for number in range(1, len(rows) + 1)]
    caption = Both("eight test pictures", "ocho imágenes de prueba")
    values = {"count": len(rows), "label": table[most, 0], "guess": table[most, 1], "percent": table[most, 2]}
    return Task(Number(most + 1, slips=slips), values, [Figure("predictions", table, caption, "table", heads, names)])
