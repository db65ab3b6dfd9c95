"""Two classifiers on the same pictures: does one do better, or is it chance?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convoscope.core.messages import say
from convoscope.core.numerals import grouped
from convoscope.runs.evaluation import wilson_interval

if TYPE_CHECKING:
    from convoscope.data import ImageData
    from convoscope.runs.run import Run


@dataclass(frozen=True)
class Comparison:
    """Two classifiers, before and after a change, on one test set.

    Args:
        count: pictures.
        before: how many the first gets wrong.
        after: how many the second gets wrong.
        mended: how many only the first gets wrong.
        broken: how many only the second gets wrong.
    """

    count: int
    before: int
    after: int
    mended: int
    broken: int

    @property
    def p_value(self) -> float:
        """McNemar's exact test: how probable so uneven a pair of `mended` and `broken` is by chance alone."""
        return mcnemar(self.mended, self.broken)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON."""
        return {
            "test_count": self.count,
            "error_before": self.before / self.count,
            "error_after": self.after / self.count,
            "interval_before": list(wilson_interval(self.before, self.count)),
            "interval_after": list(wilson_interval(self.after, self.count)),
            "mended": self.mended,
            "broken": self.broken,
            "p_value": self.p_value,
        }

    def __str__(self) -> str:
        lines = []
        for name in ("before", "after"):
            wrong = getattr(self, name)
            low, high = wilson_interval(wrong, self.count)
            values = {"error": f"{wrong / self.count:.2%}", "errors": grouped(wrong), "count": grouped(self.count)}
            lines.append(say(f"runs.compared_{name}", **values, low=f"{low:.2%}", high=f"{high:.2%}"))
        p = say("runs.compared_p", mended=self.mended, broken=self.broken, p=f"{self.p_value:.3g}")
        return "\n".join([*lines, p])


def compare(before: Run, after: Run, data: ImageData) -> Comparison:
    """Two runs on the test set of `data`.

    Raises:
        RequestError: the test set is no test for one of them (see `Run.check_test`).
    """
    for run in (before, after):
        run.check_test(data)
    labels = data.test.labels
    first, second = (_wrong(run, data.test.images, labels) for run in (before, after))
    mended, broken = int((first & ~second).sum()), int((second & ~first).sum())
    return Comparison(len(labels), int(first.sum()), int(second.sum()), mended, broken)


def _wrong(run: Run, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    wrong: NDArray[np.bool_] = run.logits(images).argmax(dim=1).numpy() != labels
    return wrong


def mcnemar(mended: int, broken: int) -> float:
    """The two-sided p-value of McNemar's test, exact by the binomial distribution.

    Of the pictures on which two classifiers differ in being right, each is as likely to favour one as the other, if
    they are equally good (Q. McNemar 1947; Dietterich 1998, "Approximate statistical tests for comparing supervised
    classification learning algorithms").

    Args:
        mended: pictures that only the first gets wrong.
        broken: pictures that only the second gets wrong.

    Returns:
        0 … 1; 1 where they never differ.
    """
    from scipy.stats import binom

    discordant = mended + broken
    return min(1.0, 2 * float(binom.cdf(min(mended, broken), discordant, 0.5))) if discordant else 1.0
