"""From images to a tested classifier: check the request, make the run folder, train, test, write everything down."""

from __future__ import annotations

import math
import os
import re
import time
import uuid
from collections.abc import Callable, Set
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from convoscope import data as data_room
from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.core.messages import language, say
from convoscope.core.numerals import grouped
from convoscope.core.spec import parse_spec
from convoscope.data.batches import Scaling
from convoscope.data.corrections import corrections_file
from convoscope.data.loading import load_known
from convoscope.data.sets import as_folder
from convoscope.models.parameters import check as check_parameters
from convoscope.runs.checkpoint import load_checkpoint
from convoscope.runs.environment import environment
from convoscope.runs.evaluation import check_views, evaluating
from convoscope.runs.folder import RunFolder
from convoscope.runs.run import Preprocessing, Run
from convoscope.training.clock import sides
from convoscope.training.memory import check_memory
from convoscope.training.processes import (
    first_begins,
    make_fabric,
    precision_for,
    run_in_processes,
    started_elsewhere,
)
from convoscope.training.progress import Listener
from convoscope.training.recipe import Setting, setting_from
from convoscope.training.worker import split, work

CHECKPOINT_SECONDS = 20.0
MOST_EPOCHS = 1_000_000
UNSEEN_SECONDS = 60.0
"""How long a shared disk may take to show one process what another wrote."""

_RUNS = Path("runs")

_Value = TypeVar("_Value")
_Begun = tuple[RunFolder, data_room.ImageData | None]


@dataclass(frozen=True)
class Request:
    """What was asked for, the arguments of `train`, and what a new run is where nothing was said."""

    data: str | Path | data_room.ImageData = "mnist-5k"
    model: str | None = None
    recipe: str = "default"
    epochs: int | None = None
    seed: int = 0
    out: Path | str | None = None
    devices: int | None = None
    data_dir: Path | str | None = None
    size: int | None = None
    test_time_augmentation: str = "none"
    checkpoint_seconds: float | None = None
    precision: str = "auto"


def train(
    data: str | Path | data_room.ImageData | None = None,
    model: str | None = None,
    recipe: str | None = None,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    devices: int | None = None,
    resume: Path | str | None = None,
    data_dir: Path | str | None = None,
    size: int | None = None,
    test_time_augmentation: str | None = None,
    checkpoint_seconds: float | None = None,
    precision: str | None = None,
    listener: Listener | None = None,
) -> Run:
    """Train a classifier and test it.

    Args:
        data: a data set's name, a folder of class folders, or what `load` gave; ``mnist-5k`` if not given.
        model: a network's specification such as ``typical:blocks=3``; the recipe's own if not given.
        recipe: a recipe's name, with changes if wished: ``default:learning_rate=0.1``; ``default`` if not given.
        epochs: how many; the recipe's own number if not given.
        seed: decides the split, the first weights, the order of the images and their augmentation; 0 if not
            given.
        out: folder for the run, new or empty; ``runs/<data>-<model>-<number>`` if not given.
        devices: how many processes; 1 if not given.
        resume: folder of a run to go on with, as it began: other arguments may repeat what it began with, not change
            it; but `devices`, `data_dir` and `checkpoint_seconds` may be others now. If `data` was an `ImageData`, give
            it again, since the run folder can't find it.
        data_dir: where full data sets lie.
        size: side that a folder's pictures are fitted to, in pixels.
        test_time_augmentation: "none", "flip", "shift", "flip-shift" or "turn", for the test at the end; "none" if not
            given.
        checkpoint_seconds: the longest time between two checkpoints; 20 if not given.
        precision: "float32", "bfloat16", or "auto", which is what it is if not given: bfloat16 where the machine
            multiplies in it.
        listener: hears what happens.

    Returns:
        the run; ``run.metrics["test_error"]`` is the result.

    Raises:
        RequestError: the request can't be met as it stands; nothing was overwritten.
        FailedError: a worker process was lost.
    """
    listener = listener or Listener()
    asked: dict[str, Any] = {
        "data": data, "model": model, "recipe": recipe, "epochs": epochs, "seed": seed, "out": out, "devices": devices,
        "data_dir": data_dir, "size": size, "test_time_augmentation": test_time_augmentation,
        "checkpoint_seconds": checkpoint_seconds, "precision": precision,
    }  # fmt: skip
    # What was not said is told from what was, since a resumed run is asked for nothing that a new one is by default.
    said = {name: value for name, value in asked.items() if value is not None}
    request = Request(**said)
    if resume is not None:
        return _go_on(Path(resume), request, said.keys(), listener)
    _check(request)
    fabric = make_fabric(devices, precision_for(request.precision))
    given = data if isinstance(data, data_room.ImageData) else None
    begin = partial(_load_and_begin, fabric, request, listener)
    return _launch(fabric, begin, (RunFolder(str(out)), given), listener)


def _check(request: Request) -> None:
    """Everything that can be said to be wrong before the data is read."""
    setting_from(request.recipe, 1)
    if request.model is not None:
        spec = parse_spec(request.model)
        check_parameters(spec, models.registry.get(spec.name))
    check_views(request.test_time_augmentation)
    precision_for(request.precision)
    if request.epochs is not None and not 1 <= request.epochs <= MOST_EPOCHS:
        raise RequestError("training.epochs", asked=request.epochs, most=grouped(MOST_EPOCHS))
    if not 0 <= request.seed < 2**31:
        raise RequestError("training.seed", asked=request.seed)
    check_size(request.size)
    if started_elsewhere() and request.out is None:
        raise RequestError("training.out_needed")
    _check_seconds(request)
    if started_elsewhere():
        return  # another process may have made the folder by now
    if request.out is None:
        RunFolder(_RUNS).check_writable()  # in there the first free number is taken
    else:
        RunFolder(request.out).check_free()


def _check_seconds(request: Request) -> None:
    if not 0 <= _given(request.checkpoint_seconds, CHECKPOINT_SECONDS) < math.inf:
        raise RequestError("training.checkpoint_seconds", asked=request.checkpoint_seconds)


def _given(asked: _Value | None, otherwise: _Value) -> _Value:
    return otherwise if asked is None else asked


def check_size(size: int | None) -> None:
    """Refuse a side in pixels that pictures aren't brought to.

    Raises:
        RequestError: it is too small or too large.
    """
    if size is not None and not 8 <= size <= 1024:
        raise RequestError("training.size", asked=size)


def _load_and_begin(fabric: Any, request: Request, listener: Listener) -> _Begun:
    data = request.data
    if isinstance(data, data_room.ImageData):
        return _begin(fabric, request, data), data
    loaded = data_room.load(data, data_dir=request.data_dir, size=_square(request.size), seed=request.seed)
    if loaded.corrections:
        file = corrections_file(data, request.data_dir)
        listener.on_note(say("data.corrections_used", count=loaded.corrections, file=file))
    # Worker processes read the data themselves: a pickled copy each would cost more than the file cache.
    several = fabric.world_size > 1 and not started_elsewhere()
    return _begin(fabric, request, loaded), None if several else loaded


def _begin(fabric: Any, request: Request, loaded: data_room.ImageData) -> RunFolder:
    """Make the run folder and write down all that decides the result."""
    spec, setting = setting_from(request.recipe, loaded.shape[0])
    if request.model is not None:
        setting = setting.model_copy(update={"model": request.model})
    training, validation = split(loaded, setting, request.seed)
    # Built once here, so that a picture too small for the network is said before anything is written.
    with torch.device("meta"):
        model = models.build(setting.model, loaded.shape, len(loaded.classes))
    if not all(_takes(model, loaded.shape[0], side) for side in sides(setting.resolutions, loaded.shape[1:])):
        setting = setting.model_copy(update={"resolutions": ()})
    if fabric.device.type == "cpu":
        shape = (loaded.shape[0], *max(sides(setting.resolutions, loaded.shape[1:])))
        machines = fabric.world_size if started_elsewhere() else 1
        batch, precision = setting.batch_for(len(training)), precision_for(request.precision)
        check_memory(model, shape, batch, machines=machines, recipe=spec, precision=precision)
    scaling = Scaling.of(loaded.train.images, training)
    folder = RunFolder.create(_out(request, setting))
    config = {
        "id": uuid.uuid4().hex,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {
            "name": _place(request.data),
            "data_dir": os.path.abspath(request.data_dir) if request.data_dir else None,
            "size": request.size,
            "seed": request.seed,
            "fingerprint": loaded.fingerprint,
            "source": loaded.source,
            "licence": loaded.licence,
            "mirrored": loaded.mirrored,
            "training_images": len(training),
            "validation_images": len(validation),
            "test_images": len(loaded.test),
            "left_out": [{"file": item.file, "reason": item.reason} for item in loaded.left_out],
        },
        "classes": list(loaded.classes),
        "preprocessing": Preprocessing(*loaded.shape, scaling).to_dict(),
        "model": setting.model,
        "recipe": str(spec),
        "setting": setting.model_dump(mode="json"),
        "epochs": request.epochs or setting.epochs_for(len(training)),
        "seed": request.seed,
        "devices": fabric.world_size,
        "precision": precision_for(request.precision),
        "test_time_augmentation": request.test_time_augmentation,
        "checkpoint_seconds": _given(request.checkpoint_seconds, CHECKPOINT_SECONDS),
        "environment": environment(),
    }
    folder.write_config(config)
    return folder


def _takes(model: nn.Module, channels: int, side: tuple[int, int]) -> bool:
    """Whether a network takes pictures of a height and width other than it was made for.

    One with a dense layer over its pixels does not, and no network smaller ones than its first kernel. It is on the
    device ``meta``, where only shapes are computed.
    """
    try:
        with evaluating(model), torch.inference_mode():
            model(torch.empty(1, channels, *side, device="meta"))
    except RuntimeError:
        return False
    return True


def _go_on(path: Path, request: Request, said: Set[str], listener: Listener) -> Run:
    """Resume the run in `path`; a complete one is given as it is, unless its weights are to be given back.

    Args:
        path: the run folder.
        request: what was asked.
        said: the arguments that were given.
        listener: hears what happens.
    """
    run = Run(path)
    _check_seconds(request)
    if other := _departures(request, said, run):
        raise RequestError("training.resume_departs", path=str(path), options=", ".join(other))
    loaded = request.data if isinstance(request.data, data_room.ImageData) else None
    if run.metrics is not None and not run.metrics["interrupted"]:
        if run.has_weights:
            return run
        # Without a checkpoint it would be trained anew from its start, which nobody asked for.
        if load_checkpoint(run.folder.checkpoints, run=run.config["id"])[0] is None:
            raise RequestError("training.weights_gone", path=str(path), what=run.folder.weights_file.name)
    if request.data_dir is not None and loaded is None:  # the data may have moved since
        asked = run.config["data"]
        loaded = load_known(asked, data_dir=request.data_dir)
    # A machine may have fewer cores than the one that the run began on, and another number of processes gives the same,
    # but for rounding and dropout.
    precision = run.config.get("precision", "float32")
    fabric = make_fabric(request.devices, precision, otherwise=run.config["devices"])
    begun = run.folder, loaded
    return _launch(fabric, lambda: begun, begun, listener, request.checkpoint_seconds)


def _departures(request: Request, said: Set[str], run: Run) -> list[str]:
    """The options that ask for something else than the run began with; repeating a choice is no harm."""
    config = run.config
    began = {
        "data": config["data"]["name"],
        "model": config["model"],
        "recipe": config["recipe"],
        "epochs": config["epochs"],
        "seed": config["seed"],
        "size": config["data"]["size"],
        "precision": config.get("precision", "float32"),
        "test_time_augmentation": config["test_time_augmentation"],
        "out": os.path.abspath(run.path),
    }
    asked = {
        **{name: getattr(request, name) for name in began},
        "data": _place(request.data),
        "recipe": str(parse_spec(request.recipe)),
        "precision": precision_for(request.precision),
        "out": None if request.out is None else os.path.abspath(request.out),
    }
    options = {"test_time_augmentation": "--tta"}
    return [options.get(name, f"--{name}") for name in began if name in said and asked[name] != began[name]]


def _launch(
    fabric: Any,
    begin: Callable[[], _Begun],
    elsewhere: _Begun,
    listener: Listener,
    checkpoint_seconds: float | None = None,
) -> Run:
    """Train in all processes what `begin` gives in the first one; to others it is known as `elsewhere`."""
    with ExitStack() as held:

        def hold() -> _Begun:
            folder, loaded = begin()
            held.enter_context(folder.training())
            return folder, loaded

        folder, loaded = first_begins(fabric, hold) or elsewhere
        _await_config(folder)
        path = str(folder.path)
        run_in_processes(fabric, work, path, loaded, listener, language(), checkpoint_seconds, resume=path)
    return Run(folder.path)


def _out(request: Request, setting: Setting) -> Path:
    """The folder that was asked for, or the first free number under ``runs/``."""
    if request.out is not None:
        return Path(request.out)
    words = [Path(_name(request.data)).name or "images", setting.model.partition(":")[0]]
    stem = "-".join(re.sub(r"[^\w.]+", "-", word).strip("-.") for word in words)
    number = 1
    while (path := _RUNS / f"{stem}-{number}").exists():
        number += 1
    return path


def _name(data: str | Path | data_room.ImageData) -> str:
    return data.name if isinstance(data, data_room.ImageData) else str(data)


def _place(data: str | Path | data_room.ImageData) -> str:
    """A name by which the data is found again from any folder: a run may be resumed or tested from elsewhere."""
    folder = None if isinstance(data, data_room.ImageData) else as_folder(data)
    return _name(data) if folder is None else os.path.abspath(folder)


def _square(size: int | None) -> tuple[int, int] | None:
    return None if size is None else (size, size)


def _await_config(folder: RunFolder) -> None:
    """Wait until a shared disk shows what the first process wrote.

    Raises:
        RequestError: it does not, so this process has another disk or another folder of that name.
    """
    until = time.monotonic() + UNSEEN_SECONDS
    while not folder.config_file.exists():
        if time.monotonic() > until:
            raise RequestError("training.folder_unseen", path=str(folder.path.absolute()))
        time.sleep(0.1)


def describe_result(run: Run) -> str:
    """The result of a complete run in one sentence."""
    metrics = run.metrics or {}
    if "interval" not in metrics:
        return say("training.result_untested", seconds=f"{metrics['seconds']:.0f}")
    low, high = metrics["interval"]
    return say(
        "training.result",
        error=f"{metrics['test_error']:.2%}",
        errors=grouped(metrics["test_errors"]),
        count=grouped(metrics["test_count"]),
        low=f"{low:.2%}",
        high=f"{high:.2%}",
        seconds=f"{metrics['seconds']:.0f}",
    )
