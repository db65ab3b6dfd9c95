"""A run becomes one ONNX file, once it is proven that the file predicts the same."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convoscope.core.errors import FailedError, RequestError
from convoscope.core.files import write_atomically
from convoscope.data.listing import as_text
from convoscope.shipping.certificate import Certificate, certify
from convoscope.shipping.classifier import Classifier, as_metadata
from convoscope.shipping.graph import network_graph, whole_graph
from convoscope.shipping.preprocessing import OPSET

if TYPE_CHECKING:
    import onnx

    from convoscope.data.types import Images
    from convoscope.runs.run import Run

MOST_ERROR_LOST = 0.01
"""The share of test pictures that eight bits may cost; a file that loses more is no use, and is not written."""


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        file: where it is.
        size: its bytes.
        precision: ``float32`` or ``int8``.
        certificate: how it compares with the run.
    """

    file: Path
    size: int
    precision: str
    certificate: Certificate

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        told = {"file": str(self.file), "bytes": self.size, "precision": self.precision, "opset": OPSET}
        return {**told, **self.certificate.to_dict()}


def export(
    run: Run,
    out: Path | None = None,
    *,
    int8: bool = False,
    overwrite: bool = False,
    data_dir: Path | str | None = None,
) -> Exported:
    """Write a run as one ONNX file that is the whole classifier.

    Args:
        run: a trained run.
        out: the file; ``model.onnx`` or ``model-int8.onnx`` in the run's folder when None.
        int8: quantise the network to eight bits.
        overwrite: replace a file that is there.
        data_dir: where the data that the run was trained on lie.

    Raises:
        RequestError: the run, its data or the place of the file can't be had, or the network can't be expressed.
        FailedError: the file would not predict what the run predicts (a single other class, or, in eight bits, more
            than `MOST_ERROR_LOST`); nothing is written.
    """
    file = out or run.path / ("model-int8.onnx" if int8 else "model.onnx")
    check_place(file, ".onnx", overwrite=overwrite)
    _ = run.model
    data = run.load_data(data_dir=data_dir)
    network = network_of(run)
    if int8:
        from convoscope.shipping.quantisation import quantised

        network = quantised(network, run, data.train)
    precision = "int8" if int8 else "float32"
    content, certificate = certified(run, network, data.test, precision)
    write_atomically(file, content)
    return Exported(file, len(content), precision, certificate)


def certified(run: Run, network: onnx.ModelProto, test: Images, precision: str) -> tuple[bytes, Certificate]:
    """The file of a run around `network`, with its certificate in it.

    Raises:
        FailedError: it would not predict what the run predicts.
    """
    import torch

    model = whole_graph(run.preprocessing, network)
    facts = {**_facts(run), "precision": precision}
    _describe(model, facts)
    classifier = Classifier(model.SerializeToString(), name=str(run.path), threads=torch.get_num_threads())
    certificate = certify(run, classifier, test)
    found = {"checked": certificate.checked, "count": certificate.disagreements}
    if precision == "float32" and certificate.disagreements:
        raise FailedError("shipping.disagrees", difference=f"{certificate.max_abs_difference:.2g}", **found)
    if certificate.error_lost > MOST_ERROR_LOST:
        lost = {"lost": f"{100 * certificate.error_lost:.2f}", "most": f"{100 * MOST_ERROR_LOST:g}"}
        raise FailedError("shipping.loses_too_much", **found, **lost)
    proven = {
        "test_error": certificate.test_error,
        "test_count": certificate.checked,
        "certificate": certificate.to_dict(),
    }
    _describe(model, facts | proven)
    return model.SerializeToString(), certificate


def classifier_of(run: Run, *, threads: int | None = None) -> Classifier:
    """The run's classifier on ONNX Runtime, from memory to memory: no file, and no certificate."""
    model = whole_graph(run.preprocessing, network_of(run))
    _describe(model, {**_facts(run), "precision": "float32"})
    return Classifier(model.SerializeToString(), name=str(run.path), threads=threads)


def check_place(file: Path, suffix: str, *, overwrite: bool) -> None:
    """Make sure, before long work, that `file` can be written.

    Raises:
        RequestError: another suffix, no such folder, a folder closed to us, or a file that is there already.
    """
    if file.suffix.lower() != suffix:
        raise RequestError("shipping.suffix", file=str(file), suffix=suffix)
    if file.is_dir() or (file.exists() and not overwrite):
        raise RequestError("shipping.exists", file=str(file))
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK | os.X_OK):
        raise RequestError("shipping.folder_closed", file=str(file), folder=str(file.parent))


def network_of(run: Run) -> onnx.ModelProto:
    """The run's network alone, as `convoscope.shipping.graph.network_graph` makes it."""
    return network_graph(run.model, run.preprocessing.input_shape, str(run.config["model"]))


def _facts(run: Run) -> dict[str, Any]:
    from convoscope import __version__

    p, data = run.preprocessing, run.config["data"]
    return {
        "convoscope": __version__,
        "classes": list(run.classes),
        "input": {"channels": p.channels, "height": p.height, "width": p.width},
        "model": str(run.config["model"]),
        "run": run.config["id"],
        "data": as_text(str(data["name"])),
        "data_fingerprint": data["fingerprint"],
    }


def _describe(model: onnx.ModelProto, values: dict[str, Any]) -> None:
    """Write `values` into the metadata, in place of what is there."""
    from onnx import helper

    del model.metadata_props[:]
    helper.set_model_props(model, as_metadata(values))
