"""Augmentation: which changes keep the class, and how many pictures they make of one."""

from __future__ import annotations

import numpy as np

from convoscope.convolution.arrays import Array
from convoscope.core.messages import Both
from convoscope.data import load, registry
from convoscope.lessons.registry import Topic
from convoscope.lessons.task import Choice, Draw, Figure, Number, Slip, Task

AUGMENTATION = Topic("augmentation", 11, Both("Data augmentation", "Aumento de datos"))

_MIRROR = {
    True: Both(
        "Yes: mirrored, each class is still the same class.",
        "Sí: reflejada, cada clase sigue siendo la misma clase.",
    ),
    False: Both(
        "No: mirrored, many of its pictures are no member of their class any more.",
        "No: reflejadas, muchas de sus imágenes ya no son de su clase.",
    ),
}


@AUGMENTATION.exercise(
    "augmentation-digits",
    "choice",
    title=Both("May it be mirrored?", "¿Se puede reflejar?"),
    question=Both(
        "A network is to learn {name} ({classes}). May its training pictures be mirrored left to right, to have more "
        "of them?",
        "Una red va a aprender {name} ({classes}). ¿Se pueden reflejar de izquierda a derecha sus imágenes de "
        "entrenamiento, para tener más?",
    ),
    hints=(
        Both(
            "A change is allowed if people would still say the same class.",
            "Un cambio está permitido si la gente seguiría diciendo la misma clase.",
        ),
        Both(
            "Picture to yourself each of the classes in a mirror.",
            "Imagínese cada una de las clases en un espejo.",
        ),
    ),
    explanation=Both(
        "Convoscope knows it of each data set (convoscope data list) and mirrors only where it is allowed. A shift by "
        "a pixel or two, a small turn or stretch keep the class of a digit; a mirror image does not: look at a "
        "mirrored 2 or 7.",
        "Convoscope lo sabe de cada conjunto de datos (convoscope data list) y solo refleja donde está permitido. Un "
        "desplazamiento de uno o dos píxeles, un giro o un estiramiento pequeños conservan la clase de un dígito; un "
        "reflejo, no: mire un 2 o un 7 en el espejo.",
    ),
)
def _augmentation_digits(draw: Draw) -> Task:
    name = draw.choice(["mnist", "mnist-5k", "digits", "cifar10", "fashion-mnist"])
    data_set = registry.get(name)
    look = Both("Picture the classes in a mirror.", "Imagínese las clases en un espejo.")
    test = Both(
        "Only if the test pictures are mirrored too, with the training pictures.",
        "Solo si junto con las de entrenamiento se reflejan también las imágenes de prueba.",
    )
    where = Both(
        "The test shows pictures as they come; it is not changed.",
        "La prueba muestra las imágenes como vienen; no se cambia.",
    )
    large = Both("Only if there are fewer than 10,000 pictures.", "Solo si hay menos de 10 000 imágenes.")
    many = Both(
        "What keeps the class doesn't depend on how many pictures there are.",
        "Lo que conserva la clase no depende de cuántas imágenes haya.",
    )
    wrong = [Slip(_MIRROR[not data_set.mirrored], look), Slip(test, where), Slip(large, many)]
    classes = Both(", ".join(data_set.classes), ", ".join(data_set.classes_es))
    return Task(Choice(_MIRROR[data_set.mirrored], wrong), {"name": name, "classes": classes}, _mirrored(draw, name))


def _mirrored(draw: Draw, name: str) -> list[Figure]:
    """A digit and its mirror image, where the data set has digits."""
    if registry.get(name).classes != registry.get("digits").classes:
        return []
    train = load("digits").train
    picture = train.images[draw.choice(np.flatnonzero(np.isin(train.labels, (2, 3, 4, 5, 6, 7, 9))).tolist()), 0]
    mirror = np.ascontiguousarray(np.fliplr(picture))
    return [
        Figure("image", picture, Both("a digit", "un dígito"), "picture"),
        Figure("mirrored", mirror, Both("the same digit, mirrored", "el mismo dígito, reflejado"), "picture"),
    ]


@AUGMENTATION.exercise(
    "augmentation-size",
    "number",
    title=Both("How many pictures of one?", "¿Cuántas imágenes de una?"),
    question=Both(
        "Augmentation moves a picture by a whole number of pixels, up to {most} in each direction, both down or up "
        "and to the left or right, and may mirror it as well. How many different pictures can the network meet of "
        "one, the unchanged one included?",
        "El aumento de datos mueve una imagen un número entero de píxeles, hasta {most} en cada dirección, tanto "
        "hacia abajo o arriba como a la izquierda o derecha, y además puede reflejarla. ¿Cuántas imágenes distintas "
        "puede ver la red de una sola, incluida la original?",
    ),
    hints=(
        Both(
            "How many places are there along one axis, from {most} to one side to {most} to the other?",
            "¿Cuántas posiciones hay a lo largo de un eje, de {most} hacia un lado a {most} hacia el otro?",
        ),
        Both(
            "Places along one axis times places along the other, and each plain or mirrored.",
            "Posiciones de un eje por posiciones del otro, y cada una normal o reflejada.",
        ),
    ),
    explanation=Both(
        "{places} · {places} · 2 = {answer}. They were made and counted for this answer. All show the same thing: "
        "augmentation adds no new digits, it teaches the network what does not matter.",
        "{places} · {places} · 2 = {answer}. Para esta respuesta se hicieron y se contaron. Todas muestran lo mismo: "
        "el aumento no añade dígitos nuevos, enseña a la red lo que no importa.",
    ),
)
def _augmentation_size(draw: Draw) -> Task:
    most = draw.randint(1, 6)
    picture = draw.numbers(5, 5, 1, 255)
    while (picture == np.fliplr(picture)).all():
        picture = draw.numbers(5, 5, 1, 255)
    moved = {each.tobytes() for image in (picture, np.fliplr(picture)) for each in _moved(image, most)}
    places = 2 * most + 1
    no_still = Both(
        "A picture that stays where it is counts too.",
        "También cuenta una imagen que se queda donde está.",
    )
    no_mirror = Both("Each of them may be mirrored.", "Cada una puede reflejarse.")
    one_way = Both("It moves in both directions of an axis.", "Se mueve en los dos sentidos de un eje.")
    slips = [
        Slip(2 * (2 * most) ** 2, no_still),
        Slip(places**2, no_mirror),
        Slip(2 * (most + 1) ** 2, one_way),
    ]
    return Task(Number(len(moved), slips=slips), {"most": most, "places": places})


def _moved(image: Array, most: int) -> list[Array]:
    """All shifts of `image` by up to `most` pixels, on black."""
    wide = np.pad(image, most)
    steps = range(-most, most + 1)
    return [np.roll(wide, (down, across), axis=(0, 1)) for down in steps for across in steps]
