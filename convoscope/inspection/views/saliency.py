"""Which pixels the prediction comes from, by four methods, each with figures of how far it can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.inspection.attribution import Attribution, attributions, grad_cam_layer
from convoscope.inspection.look import look
from convoscope.inspection.numbers import share, written
from convoscope.inspection.sheet import Note, Pictures, Sheet, Shot, Table, words
from convoscope.inspection.subject import subject
from convoscope.models.parameters import Limits
from convoscope.runs.run import Run
from convoscope.runs.views import view

_SIZE = 150


@view(
    "saliency",
    en=(
        "Saliency",
        "Which pixels the prediction comes from, by four methods, with figures that say how far each map can "
        "be believed.",
    ),
    es=(
        "Prominencia",
        "De qué píxeles viene la predicción, según cuatro métodos, con cifras que dicen hasta dónde se puede "
        "creer cada mapa.",
    ),
)
def saliency(
    run: Run,
    image: ArrayLike | str | Path | None = None,
    data_dir: Path | str | None = None,
    *,
    target: Annotated[int, Limits(-1, 1_000_000)] = -1,
    seed: Annotated[int, Limits(0, 2**31 - 1)] = 0,
) -> Sheet:
    """What speaks for the class number `target`, or for the class that the net says (-1).

    Raises:
        RequestError: there is no such class, or the picture is none.
    """
    if target >= len(run.classes):
        values = {"asked": target, "last": len(run.classes) - 1, "known": ", ".join(run.classes[:12])}
        raise RequestError("inspection.no_such_class", field="target", **values)
    picture = subject(run, image, data_dir)
    seen = look(run, run.layers, picture.pixels)
    wanted = int(seen.probabilities.argmax()) if target < 0 else target
    layer = grad_cam_layer(run)
    found = attributions(run, picture.pixels, wanted, seed)
    label = run.classes[wanted]
    lead = words("saliency_lead", label=label, share=share(seen.probabilities[wanted], 1))
    blocks = (Note(lead), _pictures(found, picture.pixels, label), _figures(found, layer))
    numbers = {"target": label, "grad_cam_layer": layer, "methods": [_told(one) for one in found]}
    return Sheet("saliency", run, blocks, numbers, picture, seen)


def _pictures(found: tuple[Attribution, ...], pixels: Any, label: str) -> Pictures:
    shots = [Shot(pixels, words("saliency_given"))]
    for one in found:
        values = {"infidelity": written(one.infidelity, ".2f"), "sensitivity": written(one.sensitivity, ".2f")}
        shots.append(Shot(one.values, words("saliency_shot", method=words(f"method_{one.method}"), **values)))
    return Pictures(words("saliency", label=label), tuple(shots), words("saliency_note"), size=_SIZE)


def _figures(found: tuple[Attribution, ...], layer: str | None) -> Table:
    rows = tuple(
        (
            words(f"method_{one.method}"),
            layer or "–" if one.method == "grad-cam" else "–",
            written(one.infidelity, ".3f"),
            written(one.sensitivity, ".3f"),
        )
        for one in found
    )
    heads = tuple(words(f"column_{head}") for head in ("method", "layer", "infidelity", "sensitivity"))
    note = words("saliency_how") if layer else words("saliency_without_grad_cam")
    return Table(words("saliency_figures"), heads, rows, numeric=2, note=note)


def _told(one: Attribution) -> dict[str, Any]:
    return {
        "method": one.method,
        "infidelity": one.infidelity,
        "sensitivity": one.sensitivity,
        "values": one.values.tolist(),
    }
