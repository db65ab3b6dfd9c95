"""A run without the filters that do nothing for it, as a new run; which filters is decided without the test set."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically
from convoscope.core.messages import say
from convoscope.core.tables import aligned
from convoscope.data import ImageData
from convoscope.inspection.filter_banks import Convolution, FilterBank, banks_of
from convoscope.inspection.health import DUPLICATE, health_of
from convoscope.inspection.parts import held_out
from convoscope.models import Layer, build
from convoscope.models.modules import TableConv2d
from convoscope.runs.comparison import Comparison, compare
from convoscope.runs.environment import environment
from convoscope.runs.evaluation import score
from convoscope.runs.folder import RunFolder
from convoscope.runs.run import Run, result_of

MOST_JUDGED = 5000


@dataclass(frozen=True)
class Pruned:
    """What pruning did.

    Args:
        run: the new run.
        removed: (layer, filter, what was wrong with it).
        filters: how many filters there were.
        comparison: the old run beside the new one, on the test set.
    """

    run: Run
    removed: tuple[tuple[str, int, str], ...]
    filters: int
    comparison: Comparison

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON."""
        removed = [dict(zip(("layer", "filter", "verdict"), one, strict=True)) for one in self.removed]
        told = self.comparison.to_dict()
        return {"run": str(self.run.path), "removed": removed, "filters": self.filters, **told}

    def __str__(self) -> str:
        counts: dict[str, int] = {}
        for layer, _, _ in self.removed:
            counts[layer] = counts.get(layer, 0) + 1
        head = [say("inspection.column_layer"), say("inspection.column_removed")]
        lines = aligned([head, *([layer, str(count)] for layer, count in counts.items())], 1)
        said = say("inspection.pruned", removed=len(self.removed), filters=self.filters, path=self.run.path)
        return "\n".join([said, "", *lines, "", str(self.comparison)])


def prune(run: Run, out: Path | str, *, duplicate: float = DUPLICATE, data_dir: Path | str | None = None) -> Pruned:
    """Write a new run without the dead, saturated and duplicate filters of `run`, which stays as it is.

    Which filters these are is judged on the pictures that the run was chosen by (`convoscope.inspection.health`), so
    that the test error of the new run is still an honest one. A filter that is removed is zero wherever it is read; the
    network keeps its shape.

    Args:
        run: a complete run.
        out: folder of the new run, new or empty.
        duplicate: from which correlation on a filter is a duplicate.
        data_dir: where full data sets lie.

    Raises:
        RequestError: the folder is taken, the data can't be had, or no filter is to be removed.
    """
    folder = RunFolder(out)
    folder.check_free()
    banks = banks_of(run.model, run.layers)
    if not banks:
        raise RequestError("inspection.no_filters", model=run.config["model"])
    data = run.load_data(data_dir=data_dir)
    rows = held_out(run, data, MOST_JUDGED)
    health = health_of(run, data.train.images[rows], data.train.labels[rows], ablate=False, duplicate=duplicate)
    bad = [
        (bank, one)
        for bank, filters in zip(health.banks, health.filters, strict=True)
        for one in filters
        if one.verdict != "fine"
    ]
    if not bad:
        raise RequestError("inspection.nothing_to_prune", duplicate=duplicate)
    model = _copy(run)
    for bank, one in bad:
        silence(model, run.layers, bank, one.filter)
    removed = tuple((bank.layer.name, one.filter, one.verdict) for bank, one in bad)
    pruned = _write(run, folder, model, data, [f"{layer}:{filter}" for layer, filter, _ in removed])
    return Pruned(pruned, removed, sum(bank.count for bank in banks), compare(run, pruned, data))


def _copy(run: Run) -> nn.Module:
    model = build(run.config["model"], run.preprocessing.input_shape, len(run.classes))
    model.load_state_dict(run.model.state_dict())
    return model.eval()


@torch.no_grad()
def silence(model: nn.Module, layers: tuple[Layer, ...], bank: FilterBank, filter: int) -> None:
    """Make one filter of `model` zero, and all weights by which its map would be read."""
    _clear_filter(model.get_submodule(bank.layer.name), filter)
    if bank.leaves == bank.layer.name:
        return
    reader, size = _reader(model, layers, bank.leaves)
    if isinstance(reader, TableConv2d):
        reader.connected[reader.pairs[1] == filter] = 0
    elif isinstance(reader, nn.Conv2d) and reader.groups == 1:
        reader.weight[:, filter] = 0
    elif isinstance(reader, nn.Linear):
        reader.weight[:, filter * size : (filter + 1) * size] = 0
    else:
        _clear_line(model, layers, bank, filter)


def _clear_filter(module: nn.Module, filter: int) -> None:
    if isinstance(module, TableConv2d):
        module.connected[module.pairs[0] == filter] = 0
    elif isinstance(module, Convolution):
        module.weight[filter] = 0
    bias = getattr(module, "bias", None)
    if bias is not None:
        bias[filter] = 0


def _reader(model: nn.Module, layers: tuple[Layer, ...], name: str) -> tuple[nn.Module | None, int]:
    """The one layer that mixes the maps that leave `name`, and how many inputs of it a map is."""
    size = 1
    while True:
        readers = [layer for layer in layers if name in layer.inputs]
        if len(readers) != 1:
            return None, size
        name, module = readers[0].name, model.get_submodule(readers[0].name)
        if isinstance(module, nn.Flatten):
            _, rows, columns = readers[0].input_shape
            size = rows * columns
        elif not isinstance(module, nn.Dropout | nn.Identity):
            return module, size


def _clear_line(model: nn.Module, layers: tuple[Layer, ...], bank: FilterBank, filter: int) -> None:
    """Where its readers can't be told to leave it out, let nothing on the filter's own line add a constant."""
    name = bank.layer.name
    while name != bank.leaves:
        name = next(layer.name for layer in layers if name in layer.inputs)
        for part in ("weight", "bias"):
            numbers = getattr(model.get_submodule(name), part, None)
            if numbers is not None:
                numbers[filter] = 0


def _write(run: Run, folder: RunFolder, model: nn.Module, data: ImageData, removed: list[str]) -> Run:
    """The new run: the old one's config and what was removed, the new weights, and their result."""
    folder = RunFolder.create(folder.path)
    content = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    write_atomically(folder.weights_file, save(content))
    changed = {"id": uuid.uuid4().hex, "created": datetime.now(UTC).isoformat(timespec="seconds")}
    config = {**run.config, **changed, "pruned": {"run": str(run.path.absolute()), "removed": removed}}
    folder.write_config({key: value for key, value in config.items() if key != "format"})
    pruned, before = Run(folder.path), run.metrics or {}
    scores = score(pruned.logits(data.test.images), data.test.labels, run.classes) if len(data.test) else None
    tested = {} if scores is None else result_of(scores, "none", data.name)
    kept = {name: before.get(name) for name in ("validation_error", "best_epoch", "epochs")}
    metrics = {
        "run": str(folder.path),
        **tested,
        **{name: value for name, value in kept.items() if value is not None},
        "seconds": before.get("seconds", 0.0),
        "train_flops": before.get("train_flops", 0.0),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "interrupted": False,
        "environment": environment(),
    }
    folder.write_metrics(metrics)
    return pruned
