"""What the network looks for: pictures made for units or classes by climbing their gradient."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.inspection.maximisation import Maximised, maximise
from convoscope.inspection.numbers import share, written
from convoscope.inspection.sheet import Pictures, Sheet, Shot, Table, Words, words
from convoscope.models import Layer
from convoscope.models.parameters import Limits
from convoscope.runs.run import Run
from convoscope.runs.views import view

_MOST_UNITS = 12


@view(
    "activation-maximisation",
    en=(
        "What the network looks for",
        "Pictures made for classes or units by climbing their gradient from noise. They show what a unit "
        "answers to, not what the world looks like.",
    ),
    es=(
        "Lo que busca la red",
        "Imágenes hechas para clases o unidades subiendo por su gradiente desde ruido. Muestran a qué "
        "responde una unidad, no cómo es el mundo.",
    ),
)
def activation_maximisation(
    run: Run,
    _image: ArrayLike | str | Path | None = None,
    _data_dir: Path | str | None = None,
    *,
    layer: str = "",
    unit: Annotated[int, Limits(-1, 1_000_000)] = -1,
    steps: Annotated[int, Limits(1, 5000)] = 100,
    seed: Annotated[int, Limits(0, 2**31 - 1)] = 0,
) -> Sheet:
    """A picture for `unit` of `layer`, or for its first twelve units (-1); the last layer, whose units are classes.

    Raises:
        RequestError: there is no such layer or unit.
    """
    found = _layer(run, layer)
    count = found.output_shape[0] if len(found.output_shape) == 3 else math.prod(found.output_shape)
    if unit >= count:
        shape = "x".join(map(str, found.output_shape))
        raise RequestError("inspection.no_such_unit", layer=found.name, asked=unit, shape=shape)
    units = [unit] if unit >= 0 else list(range(min(count, _MOST_UNITS)))
    made = maximise(run, found.name, units, steps=steps, seed=seed)
    of_classes = found.name == run.layers[-1].name
    shots = tuple(Shot(one.pixels, _caption(run, one, of_classes)) for one in made)
    size = 180 if len(shots) == 1 else 112
    title = words("maximised_classes") if of_classes else words("maximised_units", layer=found.name)
    pictures = Pictures(title, shots, words("maximised_note", steps=steps, seed=seed), size=size)
    heads = tuple(words(f"column_{head}") for head in ("unit", "said", "share", "start", "reached"))
    rows = tuple(
        (
            _name(run, one, of_classes),
            one.prediction[0],
            share(one.prediction[1], 1),
            written(one.start, ".3g"),
            written(one.reached, ".3g"),
        )
        for one in made
    )
    table = Table(words("maximised_numbers"), heads, rows, numeric=2, note=words("maximised_mean"))
    return Sheet("activation-maximisation", run, (pictures, table), _numbers(found, made, steps, seed))


def _layer(run: Run, name: str) -> Layer:
    for layer in run.layers:
        if layer.name == (name or run.layers[-1].name):
            return layer
    known = ", ".join(layer.name for layer in run.layers)
    raise RequestError("inspection.no_such_layer", field="layer", asked=name, known=known)


def _name(run: Run, one: Maximised, of_classes: bool) -> str:
    return run.classes[one.unit] if of_classes else str(one.unit)


def _caption(run: Run, one: Maximised, of_classes: bool) -> Words:
    name = _name(run, one, of_classes)
    return words("maximised_shot", name=name, start=written(one.start, ".3g"), reached=written(one.reached, ".3g"))


def _numbers(layer: Layer, made: tuple[Maximised, ...], steps: int, seed: int) -> dict[str, object]:
    units = [
        {
            "unit": one.unit,
            "start": one.start,
            "reached": one.reached,
            "prediction": dict(zip(("label", "probability"), one.prediction, strict=True)),
            "image": one.pixels.tolist(),
        }
        for one in made
    ]
    return {"layer": layer.name, "steps": steps, "seed": seed, "units": units}
