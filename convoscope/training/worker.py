"""One process of a training: set up, go on from the checkpoint if there is one, train, test, write down."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors.torch import load, save
from torch import Tensor, nn

from convoscope import data as data_room
from convoscope import models
from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically
from convoscope.core.messages import say, using_language
from convoscope.core.spec import parse_spec
from convoscope.data.batches import Batches, inputs_from, seed_of
from convoscope.data.loading import load_known
from convoscope.models.whitening import fit_whitening
from convoscope.runs.checkpoint import load_checkpoint, save_checkpoint
from convoscope.runs.environment import environment
from convoscope.runs.evaluation import Views, check_views, evaluating, predict_logits, score
from convoscope.runs.folder import RunFolder
from convoscope.runs.run import Preprocessing, Run, result_of
from convoscope.training.focus import Focus
from convoscope.training.fused import fused, worthwhile
from convoscope.training.loop import Job, train_network
from convoscope.training.memory import enough_memory
from convoscope.training.optimizers import make_optimizer
from convoscope.training.pointwise import safe_pointwise
from convoscope.training.precise import take_statistics
from convoscope.training.processes import (
    batch_norm_unshared,
    freed_memory_kept,
    quiet_fabric,
    share_batch_norm,
    share_threads,
)
from convoscope.training.progress import Listener, Plan
from convoscope.training.recipe import Setting, slower
from convoscope.training.side_by_side import side_by_side
from convoscope.training.state import State
from convoscope.training.winograd import saves_time, winograd

FITTED_TO = 5000
"""How many training pictures, at least, a whitening layer, or the statistics of batch normalisation, are fitted to."""

FITTED_AT_ONCE = 1 << 20
"""How many values of their pixels at a time, where it makes no difference."""

_CPU = torch.device("cpu")


def work(
    fabric: Any,
    path: str,
    loaded: data_room.ImageData | None,
    listener: Listener,
    tongue: str,
    checkpoint_seconds: float | None,
) -> None:
    """Train the run in folder `path`, from its start or its last checkpoint, and test it.

    Args:
        fabric: Lightning Fabric, launched.
        path: the run folder; its ``run.json`` says all there is to say.
        loaded: the data, if this process has it already.
        listener: hears what happens; in rank 0 only.
        tongue: language of the notes and errors, which a new process does not inherit.
        checkpoint_seconds: the longest time between two checkpoints; None for what ``run.json`` says.
    """
    with using_language(tongue), freed_memory_kept(), _as_it_was():
        worker = _Worker(fabric, path, loaded, listener if fabric.global_rank == 0 else Listener())
        if checkpoint_seconds is not None:
            worker.config["checkpoint_seconds"] = checkpoint_seconds
        worker.run()


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Afterwards the caller has its own random numbers and its own number of threads again."""
    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(threads)


def split(loaded: data_room.ImageData, setting: Setting, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which training images are trained on, and which are kept to choose by; none if the recipe keeps none."""
    labels = loaded.train.labels
    if setting.validation == 0:
        return np.arange(len(labels)), np.arange(0)
    return data_room.split_validation(labels, setting.validation, seed)


@contextmanager
def faster(model: nn.Module, shape: tuple[int, int, int], pictures: int, precision: str) -> Iterator[None]:
    """Within it, steps compute the same in less time, where there are such steps for `model`, and none is unsafe.

    Args:
        model: the bare network.
        shape: (C, H, W) of a picture at its full size.
        pictures: how many the training will see, repeats counted.
        precision: what products are computed in.
    """
    half = precision == "bfloat16"
    convolutions = side_by_side if half else winograd
    gains = half or saves_time(model, shape, pictures)
    with (
        safe_pointwise(model),
        convolutions(model) if gains else nullcontext(),
        fused(model) if worthwhile(model, shape, pictures) else nullcontext(),
    ):
        yield


class _Worker:
    def __init__(self, fabric: Any, path: str, loaded: data_room.ImageData | None, listener: Listener) -> None:
        self.fabric, self.listener = fabric, listener
        self.folder = RunFolder(path)
        self.config = self.folder.read_config()
        try:
            self.setting = Setting.model_validate(self.config["setting"])
        except ValidationError as error:
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise self.folder.damaged(self.folder.config_file, reason) from error
        self.recipe = parse_spec(self.config["recipe"])
        self.preprocessing = Preprocessing.from_dict(self.config["preprocessing"])
        self.side = (self.preprocessing.height, self.preprocessing.width)
        self.first = fabric.global_rank == 0
        self._share_threads()
        self.data = self._checked(loaded or self._load())
        self.training, self.validation = split(self.data, self.setting, self.config["seed"])
        self._costs: dict[tuple[int, int], float] = {}

    def run(self) -> None:
        state = self._state()
        batches = self._batches()
        plan = Plan(self.config["epochs"], batches.steps, len(self.training))
        with quiet_fabric():
            wrapped, optimizer = self.fabric.setup(state.model, state.optimizer)
        job = Job(
            setting=self.setting,
            recipe=self.recipe,
            plan=plan,
            batches=batches,
            side=self.side,
            classes=len(self.data.classes),
            seed=self.config["seed"],
            checkpoint_seconds=self.config["checkpoint_seconds"],
            settle=self._settle,
            validate=self._validate,
            keep=self._keep,
            save=self._save,
            flops=self._flops,
            listener=self.listener,
            path=str(self.folder.path),
        )
        self._plan = plan
        self.listener.on_begin(self.config)
        try:
            shape = (self.preprocessing.channels, *self.side)
            with (
                enough_memory(self.setting.batch_for(len(self.training)), self.recipe),
                faster(state.model, shape, plan.epochs * plan.images, self.config.get("precision", "float32")),
            ):
                complete = train_network(self.fabric, job, state, wrapped, optimizer)
        finally:
            self.listener.on_end()
        if self.first:
            self._finish(state, complete)
        self.fabric.barrier()

    def _share_threads(self) -> None:
        """As many threads as the run began with: sums over threads, and so the last bits, depend on the number."""
        threads = share_threads(self.fabric)
        if self.fabric.world_size == 1 and self.config["environment"]["threads"] != threads:
            torch.set_num_threads(self.config["environment"]["threads"])

    def _load(self) -> data_room.ImageData:
        return load_known(self.config["data"], data_dir=self.config["data"]["data_dir"])

    def _checked(self, loaded: data_room.ImageData) -> data_room.ImageData:
        if loaded.fingerprint != self.config["data"]["fingerprint"]:
            raise RequestError("training.data_changed", data=self.config["data"]["name"], path=str(self.folder.path))
        return loaded

    def _state(self) -> State:
        torch.manual_seed(seed_of(self.config["seed"]))
        model = models.build(self.setting.model, self.preprocessing.input_shape, len(self.data.classes))
        fit_whitening(model, self._sample(FITTED_AT_ONCE // math.prod(self.preprocessing.input_shape)))
        model.to(self.fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.fabric.world_size > 1:
            share_batch_norm(model)
        focus = Focus(len(self.training), self.setting.focus) if self.setting.focus else None
        state = State(model, make_optimizer(self.setting, model), self.setting.ema, focus)
        checkpoint, torn = load_checkpoint(self.folder.checkpoints, run=self.config["id"])
        if torn:
            self.listener.on_note(say("training.torn_passed_over", names=", ".join(torn)))
        if checkpoint is not None:
            try:
                state.restore(checkpoint)
            except (RuntimeError, KeyError, TypeError, ValueError) as error:
                reason = str(error).splitlines()[0]
                raise RequestError("training.checkpoint_unfit", path=str(self.folder.path), reason=reason) from error
            if focus is not None and not self.first:
                focus.forget()  # the checkpoint holds what all noted; it counts once
        if self.first:
            self._give_weights_back(state)
            self.folder.begin_training()
            self.folder.write_curves(state.position.curves)
        return state

    def _give_weights_back(self, state: State) -> None:
        """Write the weights again if they were kept once and can't be read.

        Raises:
            RequestError: the checkpoint was not taken when they were kept.
        """
        at = state.position
        if at.best_epoch == 0 or Run(self.folder.path).has_weights:
            return
        if (at.epoch, at.step) != (at.best_epoch, 0):
            lost = {"epoch": at.epoch, "best": at.best_epoch, "what": self.folder.weights_file.name}
            raise RequestError("training.weights_lost", path=str(self.folder.path), **lost)
        self._keep(state.judged)
        self.listener.on_note(say("training.weights_given_back"))

    def _sample(self, most: int) -> Iterator[Tensor]:
        """Evenly spaced training pictures (B, C, H, W), normalised, in blocks of `most`, the last of what is left."""
        rows = self.training[:: max(1, len(self.training) // FITTED_TO)]
        for start in range(0, len(rows), max(1, most)):
            images = self.data.train.images[rows[start : start + max(1, most)]]
            yield inputs_from(images, self.preprocessing.scaling, self.side, _CPU)

    def _settle(self, model: nn.Module) -> None:
        """Where the recipe asks for it, take the statistics of batch normalisation from pictures as they are."""
        if self.setting.precise_norm:
            blocks = self._sample(self.setting.batch_for(len(self.training)))
            with batch_norm_unshared(model):
                take_statistics(model, (block.to(self.fabric.device) for block in blocks))

    def _batches(self) -> Batches:
        size = self.setting.batch_for(len(self.training))
        # Batches of an epoch differ by one picture at most, and by rounding may be a third smaller than asked.
        if size < 2 * self.fabric.world_size:
            raise RequestError("training.devices_batch", devices=self.fabric.world_size, size=size)
        return Batches(
            self.data.train.images,
            self.data.train.labels,
            self.training,
            batch_size=size,
            scaling=self.preprocessing.scaling,
            augmentation=self.setting.augmentation,
            mirrored=self.data.mirrored,
            seed=self.config["seed"],
            device=self.fabric.device,
            rank=self.fabric.global_rank,
            world=self.fabric.world_size,
        )

    def _validate(self, model: nn.Module) -> tuple[float, float] | None:
        """Error and loss on the validation set, each process judging its share."""
        if len(self.validation) == 0:
            return None
        mine = self.validation[self.fabric.global_rank :: self.fabric.world_size]
        sums = torch.zeros(2, dtype=torch.float64)
        if len(mine):  # there may be fewer pictures than processes
            scores = self._score(model, self.data.train.images, self.data.train.labels, mine)
            sums = torch.tensor([scores["errors"], scores["loss"] * scores["count"]], dtype=torch.float64)
        if self.fabric.world_size > 1:
            sums = self.fabric.all_reduce(sums.to(self.fabric.device), reduce_op="sum")
        errors, loss = (sums / len(self.validation)).tolist()
        return errors, loss

    def _score(
        self, model: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> dict[str, Any]:
        with evaluating(model):
            logits = predict_logits(model, images[rows], self.preprocessing.scaling, self.side, self.fabric.device)
        return score(logits, labels[rows], self.data.classes)

    def _keep(self, model: nn.Module) -> None:
        if self.first:
            content = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
            write_atomically(self.folder.weights_file, save(content))

    def _save(self, state: State) -> None:
        if self.first:
            at = state.position
            total = at.epoch * self._plan.steps + at.step
            save_checkpoint(self.folder.checkpoints, state.to_checkpoint(), run=self.config["id"], total_step=total)
            self.folder.write_curves(at.curves)

    def _flops(self, side: tuple[int, int]) -> float:
        if side not in self._costs:
            # Built for the full size, as the trained one is: for a smaller size it might be another network.
            with torch.device("meta"):
                model = models.build(self.setting.model, self.preprocessing.input_shape, len(self.data.classes))
            shape = (self.preprocessing.channels, *side)
            self._costs[side] = float(models.summary(model, shape).train_flops_per_image)
        return self._costs[side]

    def _finish(self, state: State, complete: bool) -> None:
        """Test the kept weights, once, and write the result; that a run was interrupted is part of it."""
        at = state.position
        if at.best_epoch == 0:  # interrupted in the first epoch: what there is, is kept
            self._keep(state.judged)
        views = check_views(self.config["test_time_augmentation"])
        model = state.judged
        model.load_state_dict(load(self.folder.weights_file.read_bytes()))
        tested = self._test(model, views) if len(self.data.test) else {}
        metrics = {
            "run": str(self.folder.path),
            **tested,
            "validation_error": at.best_error,
            "best_epoch": at.best_epoch,
            "epochs": at.epoch,
            "seconds": round(at.seconds, 3),
            "train_flops": at.flops,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "interrupted": not complete,
            "environment": environment(),
        }
        if not complete:
            self.listener.on_note(say("training.interrupted", path=shlex.quote(str(self.folder.path))))
        # Matplotlib takes longer to load than a small epoch to train; it is not needed before now.
        from convoscope.runs.pictures import draw_confusion, draw_curves

        if at.curves:
            draw_curves(self.folder.path / "curves.png", at.curves)
        if tested:
            draw_confusion(self.folder.path / "confusion.png", tested["confusion"], self.data.classes)
        self.folder.write_metrics(metrics)

    def _test(self, model: nn.Module, views: Views) -> dict[str, Any]:
        test = self.data.test
        with evaluating(model):
            scaling, device = self.preprocessing.scaling, self.fabric.device
            logits = predict_logits(model, test.images, scaling, self.side, device, views)
        if not logits.isfinite().all():
            recipe = slower(self.recipe, self.setting)
            raise RequestError("training.diverged_in_test", path=str(self.folder.path), recipe=recipe)
        return result_of(score(logits, test.labels, self.data.classes), views, self.data.name)
