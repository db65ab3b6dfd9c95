"""A run's classifier as one HTML file: it predicts in the browser, without Python, a server or a network.

The network is computed step by step in JavaScript (`static/compute.js`), so nothing but the weights makes the file
large. It carries some test pictures with the probabilities of the certified ONNX file, and checks itself on them
whenever it is opened.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convoscope.core.errors import RequestError
from convoscope.core.files import write_atomically
from convoscope.shipping.certificate import Certificate
from convoscope.shipping.classifier import Classifier
from convoscope.shipping.export import certified, check_place, network_of
from convoscope.shipping.steps import Steps, steps_of
from convoscope.web.document import sentences
from convoscope.web.network import by_turns
from convoscope.web.report import page_of

if TYPE_CHECKING:
    from convoscope.data.types import Images, Pixels
    from convoscope.runs.run import Run

MOST_BYTES = 15_000_000
"""Of the weights in a page; browsers open larger files, but nobody sends them to a class."""

_CHECKS = 30


@dataclass(frozen=True)
class OfflinePage:
    """A page that was written.

    Attributes:
        file: where it is.
        size: its bytes.
        certificate: how the ONNX file whose network it holds compares with the run.
    """

    file: Path
    size: int
    certificate: Certificate

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"file": str(self.file), "bytes": self.size, **self.certificate.to_dict()}


def write_page(
    run: Run, out: Path | None = None, *, overwrite: bool = False, data_dir: Path | str | None = None
) -> OfflinePage:
    """Write a run as one page.

    Args:
        run: a trained run.
        out: the file; ``model.html`` in the run's folder when None.
        overwrite: replace a file that is there.
        data_dir: where the data that the run was trained on lie.

    Raises:
        RequestError: the run, its data or the place of the file can't be had, or the network can't be expressed or is
            too large.
        FailedError: ONNX Runtime would not predict what the run predicts; nothing is written.
    """
    file = out or run.path / "model.html"
    check_place(file, ".html", overwrite=overwrite)
    name = str(run.config["model"])
    network = network_of(run)
    steps = steps_of(network, name)
    if steps.weights.nbytes > MOST_BYTES:
        size = f"{steps.weights.nbytes / 1e6:.0f}"
        raise RequestError("shipping.page_too_large", model=name, size=size, most=MOST_BYTES // 1_000_000)
    test = run.load_data(data_dir=data_dir).test
    content, certificate = certified(run, network, test, "float32")
    page = page_of(page_document(Classifier(content), run, steps, test)).encode()
    write_atomically(file, page)
    return OfflinePage(file, len(page), certificate)


def page_document(classifier: Classifier, run: Run, steps: Steps, test: Images) -> dict[str, Any]:
    """What ``offline.js`` needs, JSON-ready.

    Args:
        classifier: the certified file.
        run: where it comes from.
        steps: its network.
        test: the pictures of which some are taken along.
    """
    scaling = run.preprocessing.scaling
    told, (channels, height, width) = classifier.metadata, classifier.input_shape
    # As `Scaling.apply` computes them: in float32, for values from 0 to 255.
    mean, deviation = (np.array(values, np.float32) * np.float32(255) for values in (scaling.mean, scaling.std))
    names = ("model", "data", "precision", "test_error")
    return {
        "level": "offline",
        **sentences(),
        "classifier": {
            **{name: told.get(name) for name in names},
            "classes": list(classifier.classes),
            "channels": channels,
            "height": height,
            "width": width,
        },
        "network": {"shape": [channels, height, width], "steps": steps.steps},
        "scaling": {"mean": mean.tolist(), "deviation": deviation.tolist()},
        "weights": base64.b64encode(steps.weights.astype("<f4").tobytes()).decode(),
        "checks": _checks(classifier, test),
    }


def _checks(classifier: Classifier, test: Images) -> list[dict[str, Any]]:
    """Some test pictures, the classes by turns, with what the file says of them."""
    order = by_turns(test.labels)[:_CHECKS]
    if not order:
        return []
    found = classifier.probabilities(np.ascontiguousarray(test.images[order].transpose(0, 2, 3, 1)))
    return [
        {
            "picture": _travelling(test.images[at]),
            "label": classifier.classes[test.labels[at]],
            "probabilities": [round(float(share), 9) for share in row],
        }
        for at, row in zip(order, found, strict=True)
    ]


def _travelling(pixels: Pixels) -> dict[str, Any]:
    channels, height, width = pixels.shape
    data = base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
    return {"channels": channels, "height": height, "width": width, "encoding": "uint8", "data": data}
