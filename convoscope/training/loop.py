"""The training loop, top to bottom on one screen."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from convoscope.core.errors import RequestError
from convoscope.core.spec import Spec
from convoscope.data.batches import Batches, seed_of
from convoscope.models.whitening import whitening_biases
from convoscope.training.clock import Clock
from convoscope.training.optimizers import forget_tiny, rate_factor, set_rate
from convoscope.training.progress import Listener, Plan
from convoscope.training.recipe import Setting, slower
from convoscope.training.state import State

RUNAWAY = 1000
"""An epoch's mean loss beyond this many times the loss of guessing: batch normalisation can keep such a network finite,
but it learns nothing any more."""


@dataclass(frozen=True)
class Job:
    """What the loop works with and does not change.

    Attributes:
        recipe: what `setting` came from, as it was asked for.
        settle: takes the statistics of a network's batch normalisations anew, where the recipe asks for it.
        validate: judges a network on the validation set: (error, loss), or None where there is no such set.
        keep: writes a network as the run's weights.
        save: writes a checkpoint.
        flops: training FLOP of one image of a given height and width.
    """

    setting: Setting
    recipe: Spec
    plan: Plan
    batches: Batches
    side: tuple[int, int]
    classes: int
    seed: int
    checkpoint_seconds: float
    settle: Callable[[nn.Module], None]
    validate: Callable[[nn.Module], tuple[float, float] | None]
    keep: Callable[[nn.Module], None]
    save: Callable[[State], None]
    flops: Callable[[tuple[int, int]], float]
    listener: Listener
    path: str


def train_network(fabric: Any, job: Job, state: State, wrapped: Any, optimizer: Any) -> bool:
    """Take the steps that are left.

    Args:
        fabric: Lightning Fabric.
        job: what to do.
        state: where it stands; it moves on.
        wrapped: the network as Fabric set it up, sharing its parameters with ``state.model``.
        optimizer: likewise.

    Returns:
        whether the training came to its end; False if it was interrupted, with a checkpoint at that very step.

    Raises:
        RequestError: the loss is no longer a number, or has run away.
    """
    at, plan = state.position, job.plan
    clock = Clock(plan.total_steps, job.setting.resolutions, job.side, job.flops)
    biases = whitening_biases(state.model)
    saved = time.monotonic()
    done = at.epoch * plan.steps + at.step
    # A checkpoint holds no rate, and of the epoch at hand there may be no step left that sets one.
    set_rate(state.optimizer, _factor(job, clock, max(done - 1, 0)))
    job.listener.on_start(plan, done)
    with _interruptible() as interrupted:
        while not at.finished:
            wrapped.train()
            weights = weights_of(job, state, clock.progress(at.epoch * plan.steps))
            stop = False
            while at.step < plan.steps:
                started = time.monotonic()
                now = at.epoch * plan.steps + at.step
                set_rate(state.optimizer, _factor(job, clock, now))
                size = clock.side(now)
                images, labels, count = job.batches.batch(at.epoch, at.step, size, weights)
                torch.manual_seed(seed_of(job.seed, at.epoch, at.step, fabric.global_rank))  # for dropout: each its own
                still = biases if clock.progress(now) >= job.setting.whitening_until else []
                smoothing = job.setting.label_smoothing
                loss, logits = step(fabric, wrapped, optimizer, images, labels, count, smoothing, still)
                state.after_step()
                if state.focus is not None:
                    state.focus.note(job.batches.places(at.epoch, at.step, weights), logits, labels)
                due = time.monotonic() - saved > job.checkpoint_seconds
                total, stop, due = agree(fabric, loss, interrupted.is_set(), due)
                if not math.isfinite(total):
                    raise diverged(job, state, total)
                at.step += 1
                at.loss_sum += total
                at.seen += count
                at.flops += count * job.flops(size)
                at.seconds += time.monotonic() - started
                job.listener.on_step(at.epoch, total / count, count)
                # The end of the epoch saves under the last step's name: a kill in between would tear what is there.
                if (stop or due) and at.step < plan.steps:
                    if state.focus is not None:
                        state.focus.gather(fabric)
                    job.save(state)
                    saved = time.monotonic()
                    if stop:
                        return False
            if state.focus is not None:
                state.focus.end_epoch(fabric)
            end_epoch(job, state)
            forget_tiny(state.optimizer)
            job.save(state)
            saved = time.monotonic()
            if stop and not at.finished:
                return False
    return True


def _factor(job: Job, clock: Clock, step: int) -> float:
    """The share of the highest rate that step `step` is taken at."""
    return rate_factor(job.setting, clock.course(step, job.setting.course))


def step(
    fabric: Any,
    wrapped: Any,
    optimizer: Any,
    images: Tensor,
    labels: Tensor,
    count: int,
    smoothing: float,
    still: Sequence[Tensor],
) -> tuple[Tensor, Tensor]:
    """Forward, backward, step; the parameters that are `still`, from now on, stay as they are.

    Returns:
        the summed loss of this process's part of a batch of `count`, and its logits (b, classes).
    """
    if fabric.world_size == 1:
        for parameter in still:
            parameter.requires_grad_(False)
    optimizer.zero_grad()
    logits = wrapped(images)
    loss = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")
    # Fabric averages gradients over processes; batches need not divide evenly, so the sum is scaled instead of a mean.
    fabric.backward(loss * (fabric.world_size / count))
    for parameter in still:
        parameter.grad = None  # several processes exchange all gradients, needed or not
    optimizer.step()
    return loss.detach(), logits.detach()


def weights_of(job: Job, state: State, progress: float) -> NDArray[np.float64] | None:
    """How often the epoch that begins at `progress` shows each training picture; None while it shows each once."""
    if state.focus is None or not job.setting.focus_from <= progress < job.setting.focus_until:
        return None
    return state.focus.weights() if state.position.epoch else None


def agree(fabric: Any, loss: Tensor, stop: bool, due: bool) -> tuple[float, bool, bool]:
    """The same answer in all processes: their summed loss, and whether any is to `stop` or finds a checkpoint `due`."""
    if fabric.world_size == 1:
        return float(loss), stop, due
    wishes = torch.tensor([stop, due], dtype=torch.float64, device=loss.device)
    total, stops, dues = fabric.all_reduce(torch.cat([loss.double()[None], wishes]), reduce_op="sum").tolist()
    return total, stops > 0, dues > 0


def end_epoch(job: Job, state: State) -> None:
    """Validate, write the epoch down, keep the weights if they are the best, and decide whether to go on.

    Raises:
        RequestError: the epoch's mean loss ran away, or its last steps made weights that give no number.
    """
    at = state.position
    started = time.monotonic()
    if job.setting.validation or at.epoch + 1 == job.plan.epochs:
        job.settle(state.judged)
    judged = job.validate(state.judged)
    loss = at.loss_sum / at.seen
    if not (_finite(state.judged) if judged is None else math.isfinite(judged[1])):
        raise diverged(job, state, math.nan)
    if loss > RUNAWAY * math.log(job.classes):
        raise diverged(job, state, loss)
    at.epoch, at.step = at.epoch + 1, 0
    # Without a validation set nothing is chosen: the last weights are kept.
    best = judged is None or at.is_better(*judged)
    if best:
        at.best_epoch = at.epoch
        if judged is not None:
            at.best_error, at.best_loss = judged
        job.keep(state.judged)
    at.seconds += time.monotonic() - started
    spent = at.seconds - (at.curves[-1]["seconds"] if at.curves else 0.0)
    line: dict[str, Any] = {"epoch": at.epoch, "train_loss": loss}
    if judged is not None:
        line |= {"validation_error": judged[0], "validation_loss": judged[1]}
    line |= {
        "learning_rate": state.optimizer.param_groups[0]["lr"],
        "images_per_second": at.seen / max(spent, 1e-9),
        "seconds": round(at.seconds, 3),
        "best": best,
    }
    at.curves.append(line)
    at.loss_sum, at.seen = 0.0, 0
    patience = job.setting.patience
    at.finished = at.epoch >= job.plan.epochs or bool(patience and at.epoch - at.best_epoch >= patience)
    job.listener.on_epoch(line)


def _finite(model: nn.Module) -> bool:
    return all(bool(tensor.isfinite().all()) for tensor in model.state_dict().values())


def diverged(job: Job, state: State, loss: float) -> RequestError:
    """The error for a loss that is no longer a number, or one that has run away."""
    at = state.position
    tried = {
        "recipe": slower(job.recipe, job.setting),
        "path": job.path,
        "epoch": at.epoch + 1,
        "loss": f"{loss:.3g}",
        "chance": f"{math.log(job.classes):.3g}",
    }
    if at.best_epoch == 0:
        return RequestError("training.diverged_at_once", **tried)
    return RequestError("training.diverged", kept=at.best_epoch, **tried)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Let Ctrl-C ask for a stop after the step at hand; a second one, five seconds on or later, interrupts at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    when = 0.0

    def ask(number: int, frame: Any) -> None:
        nonlocal when
        if asked.is_set() and time.monotonic() - when > 5:
            signal.default_int_handler(number, frame)
        if not asked.is_set():
            when = time.monotonic()
        asked.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
