"""A shipped classifier at work: an ONNX file on ONNX Runtime, without PyTorch and without the run it came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convoscope.core.cores import usable_cores
from convoscope.core.errors import RequestError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FORMAT = 1
"""Version of the metadata; a reader refuses a newer one."""

_ONLY_ERRORS = 3


class Classifier:
    """The classifier in one ONNX file.

    Args:
        content: the file's bytes.
        name: what to call it in an error.
        threads: how many cores one prediction may use; all that this process may use when None.

    Attributes:
        classes: their names, in the order of the probabilities.
        input_shape: (C, H, W) of the pictures that pass without being resampled.
        metadata: what the file says of itself.

    Raises:
        RequestError: it is no classifier of ours, a damaged one, or one of a newer format.
    """

    def __init__(self, content: bytes, *, name: str = "<bytes>", threads: int | None = None) -> None:
        self.session = _session(content, name, threads)
        told = dict(self.session.get_modelmeta().custom_metadata_map)
        self.metadata: dict[str, Any] = _metadata(told, name)
        self.classes: tuple[str, ...] = tuple(self.metadata["classes"])
        shape = self.metadata["input"]
        self.input_shape: tuple[int, int, int] = (shape["channels"], shape["height"], shape["width"])

    @staticmethod
    def read(path: Path, *, threads: int | None = None) -> Classifier:
        """The classifier in a file.

        Raises:
            RequestError: there is no such file, it can't be read, or it holds no classifier of ours.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RequestError("shipping.closed", file=str(path), reason=error.strerror or str(error)) from error
        return Classifier(content, name=str(path), threads=threads)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, C) uint8, of any size, to (N, classes)."""
        found: NDArray[np.float32] = self.session.run(["probabilities"], {"images": images})[0]
        return found


def as_metadata(values: dict[str, Any]) -> dict[str, str]:
    """What a file is to say of itself, as ONNX keeps it: text by name, everything that is no text as JSON."""
    told = {"format": FORMAT, **values}
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
        for key, value in told.items()
    }


def _session(content: bytes, name: str, threads: int | None) -> InferenceSession:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as faults

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ONLY_ERRORS
    # A thread that waits must not spin: others need the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = threads or usable_cores()
    wrong = (faults.Fail, faults.InvalidGraph, faults.InvalidProtobuf, faults.InvalidArgument, faults.NotImplemented)
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (*wrong, faults.RuntimeException, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RequestError("shipping.damaged", file=name, reason=reason) from error


def _metadata(told: dict[str, str], name: str) -> dict[str, Any]:
    if "convoscope" not in told:
        raise RequestError("shipping.foreign", file=name)
    found: dict[str, Any] = {}
    for key, text in told.items():
        try:
            found[key] = json.loads(text)
        except ValueError:
            found[key] = text
    form = found.get("format")
    if isinstance(form, int) and form > FORMAT:
        raise RequestError("shipping.newer_format", file=name, found=form, known=FORMAT)
    classes, shape = found.get("classes"), found.get("input")
    whole = isinstance(classes, list) and isinstance(shape, dict) and {"channels", "height", "width"} <= shape.keys()
    if not whole:
        raise RequestError("shipping.damaged", file=name, reason="classes, input")
    return found
