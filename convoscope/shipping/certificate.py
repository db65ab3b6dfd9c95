"""The proof that a shipped classifier predicts what its run predicts: both on the whole test set, side by side."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convoscope.shipping.preprocessing import preprocessing_graph

if TYPE_CHECKING:
    from convoscope.data.types import Images, Pixels
    from convoscope.runs.run import Run
    from convoscope.shipping.classifier import Classifier

BATCH = 32  # pictures at once, for both: what they work on then stays in the processor's caches
_OTHER_SIZES = 24
_LONGEST_SIDE = 160


@dataclass(frozen=True)
class Certificate:
    """What a comparison over a test set found.

    Attributes:
        checked: test pictures.
        disagreements: pictures to which the two give another class.
        max_abs_difference: the largest difference of a probability.
        test_error: share of the pictures that the shipped classifier gets wrong.
        test_errors: how many these are.
        error_lost: what its test error has more than the run's, a share; below zero where it is better.
        other_sizes: ``checked`` noise pictures of other sizes and channels, and the ``max_pixel_difference`` (of 255)
            between the graph's way to the network's size and the run's.
        images_per_second: ``onnxruntime`` and ``pytorch``, each with its preprocessing.
        threads: how many cores both had.
        versions: of both.
    """

    checked: int
    disagreements: int
    max_abs_difference: float
    test_error: float
    test_errors: int
    error_lost: float
    other_sizes: dict[str, int]
    images_per_second: dict[str, float]
    threads: int
    versions: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def certify(run: Run, classifier: Classifier, test: Images) -> Certificate:
    """Compare `classifier`, which has as many threads as PyTorch has now, with its `run` over the whole of `test`.

    Raises:
        RequestError: the run can't predict.
    """
    import onnxruntime
    import torch

    disagreements = wrong = wrong_before = 0
    largest = 0.0
    seconds = {"onnxruntime": 0.0, "pytorch": 0.0}
    for start in range(0, len(test), BATCH):
        pictures = np.stack(run.pictures(np.asarray(test.images[start : start + BATCH])))
        labels = test.labels[start : start + BATCH]
        begun = time.perf_counter()
        expected = run.logits(pictures).double().softmax(dim=1).numpy()
        between = time.perf_counter()
        found = classifier.probabilities(_upright(pictures))
        seconds["pytorch"] += between - begun
        seconds["onnxruntime"] += time.perf_counter() - between
        guesses, before = found.argmax(axis=1), expected.argmax(axis=1)
        disagreements += int((guesses != before).sum())
        wrong += int((guesses != labels).sum())
        wrong_before += int((before != labels).sum())
        largest = max(largest, float(np.abs(found - expected).max()))
    return Certificate(
        checked=len(test),
        disagreements=disagreements,
        max_abs_difference=largest,
        test_error=wrong / len(test),
        test_errors=wrong,
        error_lost=(wrong - wrong_before) / len(test),
        other_sizes={"checked": _OTHER_SIZES, "max_pixel_difference": _largest_pixel_difference(run)},
        images_per_second={name: round(len(test) / taken, 1) for name, taken in seconds.items()},
        threads=torch.get_num_threads(),
        versions={"onnxruntime": onnxruntime.__version__, "torch": torch.__version__},
    )


def _largest_pixel_difference(run: Run) -> int:
    """Noise pictures of sides from 1 to 159: wide, tall, small and large, of 1 to 4 channels."""
    import onnxruntime

    from convoscope.data.batches import Scaling
    from convoscope.runs.run import Preprocessing

    p = run.preprocessing
    plain = Preprocessing(p.channels, p.height, p.width, Scaling((0.0,) * p.channels, (1 / 255,) * p.channels))
    session = onnxruntime.InferenceSession(
        preprocessing_graph(plain).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    draw = np.random.default_rng(0)
    largest = 0
    for number in range(_OTHER_SIZES):
        height, width = draw.integers(1, _LONGEST_SIDE, size=2)
        picture = draw.integers(0, 256, (1 + number % 4, height, width), dtype=np.uint8)
        found = session.run(None, {"images": _upright(picture[None])})[0][0]
        largest = max(largest, int(np.abs(np.rint(found) - run.fitted(picture)).max()))
    return largest


def _upright(pictures: Pixels) -> NDArray[np.uint8]:
    """(N, C, H, W) to (N, H, W, C), as files and cameras hold them."""
    return np.ascontiguousarray(pictures.transpose(0, 2, 3, 1))
