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


Told = Callable[["Probabilities | RequestError"], None]


@dataclass(eq=False)
class _Job:
    """One request's pictures (n, H, W, C), and who is told their probabilities (n, classes), or why there are none."""

    pictures: NDArray[np.uint8]
    tell: Told
    since: float
    answered: bool = False

    def answer(self, found: Probabilities | RequestError) -> None:
        """Tell it, unless it has been told before."""
        if not self.answered:
            self.answered = True
            self.tell(found)


class Predictor:
    """Predicts for all requests of one event loop.

    Args:
        make: makes the classifier; it may take seconds and is called once, in a thread.

    Attributes:
        metrics: what it counts.
        held: bytes of the requests that are being read; kept by those who read them.
    """

    def __init__(self, make: Callable[[], Classifier]) -> None:
        self._make = make
        self._made: Classifier | RequestError | None = None
        self._ready = threading.Event()
        self._beginning = threading.Lock()
        self._begun = False
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._at_work: list[_Job] = []
        self._watched = False
        self._pace = 0.0
        self.held = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self.metrics = Metrics(waiting=lambda: self._waiting)

    @property
    def state(self) -> str:
        """``starting``, ``ready`` or ``failed``."""
        if not self._ready.is_set():
            return "starting"
        return "failed" if isinstance(self._made, RequestError) else "ready"

    @property
    def ready(self) -> Classifier | None:
        """The classifier, if it is made."""
        return None if isinstance(self._made, RequestError) else self._made

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
        answer: asyncio.Future[Probabilities] = asyncio.get_running_loop().create_future()

        def tell(found: Probabilities | RequestError) -> None:
            if answer.done():  # who asked has gone
                return
            if isinstance(found, RequestError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        self.submit(np.stack(pictures).transpose(0, 2, 3, 1), tell)
        return await answer

    def submit(self, pictures: NDArray[np.uint8], tell: Told) -> None:
        """Let `tell` be called, soon, with the probabilities of pictures (n, H, W, C) of the network's own form.

        It is called in the running event loop, with the error where there are none. The classifier must be ready.

        Raises:
            RequestError: too many are waiting.
        """
        if self._waiting + len(pictures) > MOST_WAITING:
            raise RequestError("web.predict_full")
        loop = asyncio.get_running_loop()
        if not self._jobs and not self._at_work:
            # Not at once: other requests that have arrived already are read first, and join.
            loop.call_soon(self._work, loop)
        self._jobs.append(_Job(pictures, tell, loop.time()))
        self._waiting += len(pictures)
        if not self._watched:
            self._watched = True
            loop.call_later(MOST_SECONDS / 20, self._watch, loop)

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
        self._at_work = jobs
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
        self._at_work = []
        self._waiting -= count
        self._pace = 0.9 * self._pace + 0.1 * seconds / count
        self.metrics.batch(count, seconds)
        at = 0
        for job in jobs:
            job.answer(RequestError("web.fault") if found is None else found[at : at + len(job.pictures)])
            at += len(job.pictures)
        if self._jobs:
            loop.call_soon(self._work, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell those that have waited too long; one timer for all, since one for each would cost more than its work."""
        for job in (*self._at_work, *self._jobs):
            if loop.time() - job.since > MOST_SECONDS:
                job.answer(RequestError("web.predict_late", most=round(MOST_SECONDS)))
        self._watched = self._waiting > 0
        if self._watched:
            loop.call_later(MOST_SECONDS / 20, self._watch, loop)
