"""How the filters of every convolution do over the test set: dead, saturated, doubled, and what each is worth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

from numpy.typing import ArrayLike

from convoscope.core.errors import RequestError
from convoscope.inspection.filter_banks import FilterBank, banks_of
from convoscope.inspection.health import DEAD, DUPLICATE, SATURATED, FilterHealth, Health, health_of
from convoscope.inspection.numbers import counted, number, share, written
from convoscope.inspection.sheet import Block, Chart, Note, Series, Sheet, Table, Words, words
from convoscope.models.parameters import Limits
from convoscope.runs.run import Run
from convoscope.runs.views import view


@view(
    "filter-health",
    en=(
        "Filter health",
        "Every filter over the test set: which are dead, saturated or duplicates, and what the error becomes "
        "without each.",
    ),
    es=(
        "Salud de los filtros",
        "Cada filtro sobre el conjunto de prueba: cuáles están muertos, saturados o duplicados, y el error "
        "sin cada uno.",
    ),
)
def filter_health(
    run: Run,
    _image: ArrayLike | str | Path | None = None,
    data_dir: Path | str | None = None,
    *,
    images: Annotated[int, Limits(1, 1_000_000)] = 10_000,
    duplicate: Annotated[float, Limits(0.1, 1)] = DUPLICATE,
) -> Sheet:
    """The health of every filter over the first `images` test pictures, and the error without each.

    From a correlation of `duplicate` on, a filter counts as the duplicate of an earlier one.

    Raises:
        RequestError: the net has no convolution, or the data of the run can't be had.
    """
    if not banks_of(run.model, run.layers):
        raise RequestError("inspection.no_filters", model=run.config["model"])
    test = run.load_data(data_dir=data_dir).test
    health = health_of(run, test.images[:images], test.labels[:images], duplicate=duplicate)
    return Sheet("filter-health", run, _blocks(health, duplicate), health.to_dict())


def _blocks(health: Health, duplicate: float) -> tuple[Block, ...]:
    verdicts = Counter(one.verdict for filters in health.filters for one in filters)
    lead = words(
        "health_lead",
        **{name: verdicts[name] for name in ("dead", "saturated", "duplicate")},
        filters=sum(verdicts.values()),
        count=counted(health.count),
        error=share(health.errors / health.count),
    )
    how = words("health_how", dead=share(DEAD, 0), saturated=share(SATURATED, 0), duplicate=number(duplicate))
    pairs = list(zip(health.banks, health.filters, strict=True))
    return Note(lead), _layers(health, pairs), _costs(health, pairs), _filters(health, pairs, how)


_Pairs = list[tuple[FilterBank, tuple[FilterHealth, ...]]]


def _layers(health: Health, pairs: _Pairs) -> Table:
    heads = ("layer", "filters", "dead", "saturated", "duplicate", "cost_largest", "cost_least")
    rows = []
    for bank, filters in pairs:
        counts = Counter(one.verdict for one in filters)
        costs = [_cost(one, health) for one in filters]
        rows.append(
            (
                bank.layer.name,
                str(len(filters)),
                *(str(counts[name]) for name in ("dead", "saturated", "duplicate")),
                written(max(costs), "+.2f"),
                written(min(costs), "+.2f"),
            )
        )
    return Table(words("health_layers"), tuple(words(f"column_{head}") for head in heads), tuple(rows))


def _costs(health: Health, pairs: _Pairs) -> Chart:
    series = []
    for bank, filters in pairs:
        costs = sorted((_cost(one, health) for one in filters), reverse=True)
        series.append(Series(bank.layer.name, tuple(map(float, range(1, len(costs) + 1))), tuple(costs)))
    return Chart(
        words("health_costs"), words("axis_rank"), words("axis_points"), tuple(series), words("health_costs_note")
    )


def _filters(health: Health, pairs: _Pairs, how: Words) -> Table:
    heads = ("layer", "verdict", "filter", "mean", "spread", "flat", "like", "correlation", "error_without", "cost")
    rows = tuple(
        (
            bank.layer.name,
            words(f"verdict_{one.verdict}"),
            str(one.filter),
            written(one.mean, ".3g"),
            written(one.spread, ".3g"),
            share(one.flat),
            "–" if one.like < 0 else str(one.like),
            "–" if one.like < 0 else written(one.correlation, ".2f"),
            share(one.errors / health.count),
            written(_cost(one, health), "+.2f"),
        )
        for bank, filters in pairs
        for one in filters
    )
    columns = tuple(words(f"column_{head}") for head in heads)
    return Table(words("health_filters"), columns, rows, numeric=2, note=how, folded=True)


def _cost(one: FilterHealth, health: Health) -> float:
    """What the error rises by without the filter, in points of a per cent."""
    return 100 * (one.errors - health.errors) / health.count
