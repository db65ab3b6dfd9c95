"""Shipping: whether the exported network is still the same one."""

from __future__ import annotations

import numpy as np

from convoscope.core.messages import Both
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Draw, Figure, Number, Slip, Task

SHIPPING = Topic("shipping", 12, Both("Export", "Exportación"))


@SHIPPING.exercise(
    "export-parity",
    "number",
    title=Both("Is it still the same network?", "¿Sigue siendo la misma red?"),
    question=Both(
        "A network was exported with numbers of few digits. For {count} test pictures these are the logits of classes "
        "0, 1 and 2, of the network (N) and of the exported one (E). For how many pictures do the two predict "
        "different classes?",
        "Se exportó una red con números de pocas cifras. Para {count} imágenes de prueba estos son los logits de las "
        "clases 0, 1 y 2, de la red (N) y de la exportada (E). ¿En cuántas imágenes predicen las dos clases distintas?",
    ),
    hints=(
        Both(
            "The predicted class is that of the largest logit.",
            "La clase predicha es la del logit mayor.",
        ),
        Both(
            "Go through the rows: is the largest of N's three in the same place as the largest of E's?",
            "Recorra las filas: ¿el mayor de los tres de N está en el mismo lugar que el mayor de los de E?",
        ),
    ),
    explanation=Both(
        "{answer}, namely {pictures}. No logit differs by more than {difference}, and yet classes change where two "
        "logits lie close together. So convoscope export compares all test pictures, classes and numbers, before it "
        "writes the file.",
        "{answer}, a saber {pictures}. Ningún logit difiere más de {difference} y, aun así, la clase cambia donde dos "
        "logits están muy cerca. Por eso convoscope export compara todas las imágenes de prueba, clases y números, "
        "antes de escribir el archivo.",
    ),
)
def _export_parity(draw: Draw) -> Task:
    logits = exported = np.zeros((8, 3))
    different = np.array([], dtype=np.int64)
    while not 1 <= len(different) <= 4:
        logits = draw.numbers(8, 3, -40, 40) / 10
        close = draw.sample(range(8), 5)
        logits[close, 1] = logits[close, 0] + np.array([draw.choice([-0.1, 0.1]) for _ in close])
        exported = np.round(logits + draw.numbers(8, 3, -2, 2) / 10, 1)
        if all(len(set(row)) == 3 for row in (*logits.round(1).tolist(), *exported.tolist())):
            different = np.flatnonzero(logits.argmax(axis=1) != exported.argmax(axis=1))
    logits = logits.round(1)
    differ = (np.abs(logits - exported) > 0.01).any(axis=1)
    numbers = Both(
        "So many rows differ in their numbers; the question is about the classes.",
        "En tantas filas difieren los números; se pregunta por las clases.",
    )
    agree = Both("For so many they agree.", "En tantas coinciden.")
    slips = [Slip(int(differ.sum()), numbers), Slip(len(logits) - len(different), agree)]
    heads = [f"{which} {label}" for which in ("N", "E") for label in range(3)]
    rows = [Both(f"picture {number}", f"imagen {number}") for number in range(1, 9)]
    caption = Both("logits of the network (N) and the exported one (E)", "logits de la red (N) y de la exportada (E)")
    figure = Figure("logits", np.hstack([logits, exported]), caption, "table", heads, rows)
    pictures = ", ".join(str(row + 1) for row in different.tolist())
    values = {"count": len(logits), "pictures": pictures, "difference": f"{np.abs(logits - exported).max():.1f}"}
    return Task(Number(len(different), slips=slips), values, [figure])
