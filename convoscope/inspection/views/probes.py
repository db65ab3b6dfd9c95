"""What each layer knows of the classes, and the pictures that excite filters most, with their receptive fields."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.data import ImageData
from convoscope.inspection.filter_banks import banks_of
from convoscope.inspection.numbers import counted, share, written
from convoscope.inspection.parts import Rows
from convoscope.inspection.probing import MOST_FEATURES, Excited, Probe, excited, probe_rows, probes
from convoscope.inspection.sheet import Block, Chart, Pictures, Series, Sheet, Shot, Table, words
from convoscope.models.parameters import Limits
from convoscope.runs.run import Run
from convoscope.runs.views import view

_FEW_FILTERS = 6


@view(
    "probes",
    en=(
        "What layers know",
        "How well a linear classifier tells the classes from each layer alone, and the training pictures "
        "that excite filters most.",
    ),
    es=(
        "Lo que saben las capas",
        "Cuán bien distingue las clases un clasificador lineal a partir de cada capa sola, y las imágenes de "
        "entrenamiento que más excitan a los filtros.",
    ),
)
def probe_view(
    run: Run,
    _image: ArrayLike | str | Path | None = None,
    data_dir: Path | str | None = None,
    *,
    layer: str = "",
    pictures: Annotated[int, Limits(1, 24)] = 4,
    images: Annotated[int, Limits(50, 1_000_000)] = 3000,
) -> Sheet:
    """Linear probes by depth, and the `pictures` that excite each filter most, of `images` training pictures.

    Of every convolution the first six filters are shown, or all filters of the convolution `layer`.

    Raises:
        RequestError: the net has no such convolution, or the run's data can't be had.
    """
    banks = banks_of(run.model, run.layers)
    if layer:
        known = ", ".join(bank.layer.name for bank in banks) or "–"
        banks = tuple(bank for bank in banks if bank.layer.name == layer)
        if not banks:
            raise RequestError("inspection.no_such_convolution", field="layer", asked=layer, known=known)
    data = run.load_data(data_dir=data_dir)
    fitted, judged = probe_rows(run, data, images, max(50, images // 2))
    found = probes(run, data, fitted, judged)
    looked = excited(run, banks, data.train.images[fitted], pictures)
    few = None if layer else _FEW_FILTERS
    blocks = (*_depth(found, len(fitted), len(judged)), *(_most(one, data, fitted, run, few) for one in looked))
    numbers = {
        "fitted": len(fitted),
        "judged": len(judged),
        "probes": [vars(one) for one in found],
        "exciting": [_told(one, fitted, few) for one in looked],
    }
    return Sheet("probes", run, blocks, numbers)


def _depth(found: tuple[Probe, ...], fitted: int, judged: int) -> tuple[Block, Block]:
    names = tuple(one.layer for one in found)
    curve = Series(
        words("probes_accuracy"), tuple(map(float, range(len(found)))), tuple(100 * one.accuracy for one in found)
    )
    note = words("probes_note", fitted=counted(fitted), judged=counted(judged), most=MOST_FEATURES)
    chart = Chart(words("probes"), words("column_layer"), words("axis_percent"), (curve,), note, ticks=names)
    rows = tuple((one.layer, str(one.features), share(one.accuracy)) for one in found)
    heads = tuple(words(f"column_{head}") for head in ("layer", "features", "accuracy"))
    return chart, Table(words("probes_numbers"), heads, rows)


def _most(one: Excited, data: ImageData, looked: Rows, run: Run, few: int | None) -> Pictures:
    shots = []
    for filter in range(one.bank.count)[:few]:
        for value, row, place in zip(one.values[filter], one.rows[filter], one.places[filter], strict=True):
            at = int(looked[row])
            label = run.classes[data.train.labels[at]]
            caption = words("excited_shot", filter=filter, value=written(value, ".3g"), label=label, index=at)
            pixels = np.array(data.train.images[at])
            shots.append(Shot(pixels, caption, box=_box(one, place)))
    field = one.layer.receptive_field
    values = {"layer": one.bank.layer.name, "field": "–" if field is None else " × ".join(map(str, field))}
    shown = words("excited_note", shown=len(range(one.bank.count)[:few]), filters=one.bank.count, read=one.layer.name)
    return Pictures(words("excited", **values), tuple(shots), shown)


def _box(one: Excited, place: Rows) -> tuple[int, int, int, int] | None:
    if one.layer.field is None:
        return None
    rows, columns = one.layer.field.region(int(place[0]), int(place[1]))
    return rows.first, columns.first, len(rows), len(columns)


def _told(one: Excited, looked: Rows, few: int | None) -> dict[str, Any]:
    filters = [
        {
            "filter": filter,
            "values": one.values[filter].tolist(),
            "training_pictures": looked[one.rows[filter]].tolist(),
            "places": one.places[filter].tolist(),
            "regions": [_box(one, place) for place in one.places[filter]],
        }
        for filter in range(one.bank.count)[:few]
    ]
    return {"layer": one.bank.layer.name, "read_after": one.layer.name, "filters": filters}
