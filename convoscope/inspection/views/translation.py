"""A picture moved by every (dy, dx): the prediction, and how each layer follows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from numpy.typing import ArrayLike

from convoscope.data.types import Pixels
from convoscope.inspection.look import look
from convoscope.inspection.numbers import share, written
from convoscope.inspection.reading import read_layers
from convoscope.inspection.sheet import Block, Chart, Matrix, Note, Pictures, Series, Sheet, Shot, Table, words
from convoscope.inspection.subject import subject
from convoscope.inspection.translation import Translation, moved, translate
from convoscope.models.parameters import Limits
from convoscope.runs.run import Run
from convoscope.runs.views import view

_MOST_LAYERS, _LARGEST = 4, 84


@view(
    "translation",
    en=("Translation", "The picture moved by every (dy, dx): convolution moves along, pooling makes it matter less."),
    es=(
        "Traslación",
        "La imagen desplazada por cada (dy, dx): la convolución la acompaña; el agrupamiento hace que importe menos.",
    ),
)
def translation(
    run: Run,
    image: ArrayLike | str | Path | None = None,
    data_dir: Path | str | None = None,
    *,
    reach: Annotated[int, Limits(1, 32)] = 8,
) -> Sheet:
    """The picture moved by up to `reach` pixels each way; what comes in from beyond repeats its border."""
    picture = subject(run, image, data_dir)
    seen = look(run, run.layers, picture.pixels)
    found = translate(run, read_layers(run.model, run.layers), picture.pixels, reach)
    said = int(seen.probabilities.argmax())
    blocks = (*_prediction(run, found, said), *_following(found), *_maps(found, picture.pixels))
    return Sheet("translation", run, blocks, _numbers(run, found, said), picture, seen)


def _prediction(run: Run, found: Translation, said: int) -> tuple[Block, Block]:
    kept = float((found.probabilities.argmax(axis=2) == said).mean())
    names = tuple(written(shift, "+d") if shift else "0" for shift in range(-found.reach, found.reach + 1))
    lead = Note(words("translation_lead", kept=share(kept), label=run.classes[said], reach=found.reach))
    title = words("translation_share", label=run.classes[said])
    heads = words("shift_down"), words("shift_right")
    values = found.probabilities[:, :, said]
    return lead, Matrix(title, *heads, names, names, values, "share", words("translation_share_note"))


def _following(found: Translation) -> tuple[Block, Block]:
    names = tuple(one.layer for one in found.following)
    along = [(float(at), one.equivariance) for at, one in enumerate(found.following) if one.equivariance is not None]
    still = Series(
        words("invariance"), tuple(map(float, range(len(names)))), tuple(one.invariance for one in found.following)
    )
    curves = [still]
    if along:
        places, values = zip(*along, strict=True)
        curves.insert(0, Series(words("equivariance"), places, values))
    axes = words("column_layer"), words("column_correlation")
    chart = Chart(words("following"), *axes, tuple(curves), words("following_note"), ticks=names)
    rows = tuple(
        (
            one.layer,
            "–" if one.equivariance is None else written(one.equivariance, ".3f"),
            written(one.invariance, ".3f"),
        )
        for one in found.following
    )
    heads = words("column_layer"), words("equivariance"), words("invariance")
    return chart, Table(words("following_numbers"), heads, rows)


def _maps(found: Translation, pixels: Pixels) -> tuple[Block, ...]:
    half = found.reach // 2
    if half == 0:
        return ()
    shots = [Shot(pixels, words("shift_still")), Shot(moved(pixels, half, half), words("shift_moved", by=half))]
    names = [name for name, (maps, _) in found.maps.items() if min(maps.shape[1:]) > 1]
    for name in names[:: max(1, -(-len(names) // _MOST_LAYERS))]:
        still, now = found.maps[name]
        # The map that varies most shows most.
        strongest = int(still.reshape(len(still), -1).std(axis=1).argmax())
        for maps, key in ((still, "map_still"), (now, "map_moved")):
            shots.append(Shot(maps[strongest], words(key, layer=name, map=strongest, by=half)))
    return (Pictures(words("shift_maps"), tuple(shots), words("shift_maps_note"), size=_LARGEST),)


def _numbers(run: Run, found: Translation, said: int) -> dict[str, Any]:
    guesses = found.probabilities.argmax(axis=2)
    return {
        "reach": found.reach,
        "class": run.classes[said],
        "kept": float((guesses == said).mean()),
        "probability": found.probabilities[:, :, said].tolist(),
        "predictions": [[run.classes[guess] for guess in line] for line in guesses.tolist()],
        "layers": [vars(one) for one in found.following],
    }
