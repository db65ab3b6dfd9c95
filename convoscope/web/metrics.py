"""What the server counts, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from convoscope.core.errors import RequestError

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PICTURES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0)


class Histogram:
    """Counts of values up to each bound, their sum and their number."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def note(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def lines(self, name: str) -> list[str]:
        """The samples of a metric `name`."""
        running, lines = 0, []
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            running += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {running}')
        return [*lines, f"{name}_sum {self.total:.6f}", f"{name}_count {running}"]


class Metrics:
    """The figures of one server; written and read in its event loop.

    Args:
        waiting: how many pictures wait now.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._waiting = waiting
        self._requests: Counter[str] = Counter()
        self._request_seconds = Histogram(_SECONDS)
        self._batch_seconds = Histogram(_SECONDS)
        self._batch_pictures = Histogram(_PICTURES)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count a request, and note how long it took and how it ended."""
        started, outcome = time.perf_counter(), "fault"
        try:
            yield
            outcome = "done"
        except RequestError as error:
            outcome = error.key
            raise
        finally:
            self.request(outcome, time.perf_counter() - started)

    def request(self, outcome: str, seconds: float) -> None:
        """Note a request that was answered: ``done``, or the fault's key."""
        self._requests[outcome] += 1
        self._request_seconds.note(seconds)

    def batch(self, pictures: int, seconds: float) -> None:
        """Note a batch that was computed."""
        self._batch_pictures.note(pictures)
        self._batch_seconds.note(seconds)

    def text(self) -> str:
        """All of it."""
        requests = [f'convoscope_requests_total{{outcome="{key}"}} {count}' for key, count in self._requests.items()]
        waiting = [f"convoscope_waiting_pictures {self._waiting()}"]
        parts = [
            ("convoscope_requests_total", "counter", "Requests for a prediction, by outcome.", requests),
            *self._histogram("convoscope_request_seconds", "Time to answer a request.", self._request_seconds),
            *self._histogram("convoscope_batch_seconds", "Time to compute a batch.", self._batch_seconds),
            *self._histogram("convoscope_batch_pictures", "Pictures computed together.", self._batch_pictures),
            ("convoscope_waiting_pictures", "gauge", "Pictures that wait.", waiting),
        ]  # fmt: skip
        lines = []
        for name, kind, meaning, samples in parts:
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", *samples]
        return "\n".join(lines) + "\n"

    @staticmethod
    def _histogram(name: str, meaning: str, values: Histogram) -> list[tuple[str, str, str, list[str]]]:
        return [(name, "histogram", meaning, values.lines(name))]
