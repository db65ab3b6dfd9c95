"""Predictions for many requests at once: what arrives together is computed together.

While a batch is worked on, the next one gathers: no request waits for others to come, and a busy server does its work
in batches. A batch that takes less than `INLINE_SECONDS` is computed in the event loop, since handing it to a thread
would cost more; a longer one in a thread, so that the loop goes on answering.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from convoscope.core.errors import RequestError
from convoscope.data.types import Pixels
from convoscope.web.metrics import Metrics

if TYPE_CHECKING:
    from convoscope.shipping.classifier import Classifier

MOST_BATCH = 32
"""Pictures computed at once: what they need stays in the processor's caches, and a short request isn't held up long."""

MOST_WAITING = 2048
MOST_SECONDS = 20.0
MOST_SECONDS_TO_START = 120.0
INLINE_SECONDS = 0.004

_LOG = logging.getLogger("convoscope.web")

Probabilities = NDArray[np.float32]


@dataclass(eq=False)
class _Job:
    """One request's pictures (n, H, W, C) and the place of its answer (n, classes)."""

    pictures: NDArray[np.uint8]
    answer: asyncio.Future[Probabilities]


class Predictor:
    """Predicts for all requests of one event loop.

    Args:
        make: makes the classifier; it may take seconds and is called once, in a thread.
    """

    def __init__(self, make: Callable[[], Classifier]) -> None:
        self._make = make
        self._made: Classifier | RequestError | None = None
        self._ready = threading.Event()
        self._beginning = threading.Lock()
        self._begun = False
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._at_work = False
        self._pace = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self.metrics = Metrics(waiting=lambda: self._waiting)

    @property
    def state(self) -> str:
        """``starting``, ``ready`` or ``failed``."""
        if not self._ready.is_set():
            return "starting"
        return "failed" if isinstance(self._made, RequestError) else "ready"

    def begin(self) -> None:
        """Begin to make the classifier, if that hasn't begun."""
        with self._beginning:
            if not self._begun:
                self._begun = True
                threading.Thread(target=self._open, daemon=True).start()

    async def classifier(self) -> Classifier:
        """The classifier, once it is made.

        Raises:
            RequestError: it can't be made, or it takes too long.
        """
        if not self._ready.is_set():
            self.begin()
            if not await asyncio.to_thread(self._ready.wait, MOST_SECONDS_TO_START):
                raise RequestError("web.predict_starting")
        if isinstance(self._made, RequestError):
            raise self._made
        assert self._made is not None  # noqa: S101
        return self._made

    async def predict(self, pictures: list[Pixels]) -> Probabilities:
        """Probabilities (n, classes) of n pictures (C, H, W), all of the network's own form.

        Raises:
            RequestError: too many are waiting, it takes too long, or there is no classifier.
        """
        await self.classifier()
        if self._waiting + len(pictures) > MOST_WAITING:
            raise RequestError("web.predict_full")
        loop = asyncio.get_running_loop()
        job = _Job(np.stack(pictures).transpose(0, 2, 3, 1), loop.create_future())
        if not self._jobs and not self._at_work:
            # Not at once: other requests that have arrived already are read first, and join.
            loop.call_soon(self._work, loop)
        self._jobs.append(job)
        self._waiting += len(pictures)
        late = loop.call_later(MOST_SECONDS, _expire, job)
        try:
            return await job.answer
        finally:
            late.cancel()

    def _open(self) -> None:
        try:
            made = self._make()
            channels, height, width = made.input_shape
            blank = np.zeros((1, height, width, channels), dtype=np.uint8)
            made.probabilities(blank)  # the first one is slow
            started = time.perf_counter()
            made.probabilities(blank)
            self._pace = time.perf_counter() - started
            self._made = made
        except RequestError as error:
            self._made = error
        except Exception:
            _LOG.exception("the classifier")
            self._made = RequestError("web.fault")
        self._ready.set()

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take what is waiting, a batch of it, and compute it here or in the thread."""
        if self._at_work or not self._jobs:
            return
        jobs = [self._jobs.popleft()]
        count = len(jobs[0].pictures)
        while self._jobs and count + len(self._jobs[0].pictures) <= MOST_BATCH:
            jobs.append(self._jobs.popleft())
            count += len(jobs[-1].pictures)
        self._at_work = True
        if self._pace * count < INLINE_SECONDS:
            self._finish(loop, jobs, count, *self._computed(jobs))
            return
        work = loop.run_in_executor(self._thread, self._computed, jobs)
        work.add_done_callback(lambda done: self._finish(loop, jobs, count, *done.result()))

    def _computed(self, jobs: list[_Job]) -> tuple[Probabilities | None, float]:
        """The probabilities of all pictures of `jobs`, None if ONNX Runtime failed; and the seconds it took."""
        pictures = jobs[0].pictures if len(jobs) == 1 else np.concatenate([job.pictures for job in jobs])
        started = time.perf_counter()
        assert not isinstance(self._made, RequestError | None)  # noqa: S101
        try:
            if len(pictures) <= MOST_BATCH:
                found = self._made.probabilities(pictures)
            else:
                starts = range(0, len(pictures), MOST_BATCH)
                found = np.concatenate(
                    [self._made.probabilities(pictures[start : start + MOST_BATCH]) for start in starts]
                )
        except Exception:  # ONNX Runtime raises what it likes
            _LOG.exception("a batch of %s", len(pictures))
            return None, time.perf_counter() - started
        return found, time.perf_counter() - started

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        jobs: list[_Job],
        count: int,
        found: Probabilities | None,
        seconds: float,
    ) -> None:
        """Hand the answers out, and go on."""
        self._at_work = False
        self._waiting -= count
        self._pace = 0.9 * self._pace + 0.1 * seconds / count
        self.metrics.batch(count, seconds)
        at = 0
        for job in jobs:
            if not job.answer.done():
                if found is None:
                    job.answer.set_exception(RequestError("web.fault"))
                else:
                    job.answer.set_result(found[at : at + len(job.pictures)])
            at += len(job.pictures)
        if self._jobs:
            loop.call_soon(self._work, loop)


def _expire(job: _Job) -> None:
    if not job.answer.done():
        job.answer.set_exception(RequestError("web.predict_late", most=round(MOST_SECONDS)))
