"""The network in whole numbers of eight bits: a quarter of the file, and faster where the processor has such products.

Static quantisation of convolutions and dense layers by ONNX Runtime: 7-bit weights for each output channel (8 bits
overflow the 16-bit sums of processors without VNNI), 8-bit inputs whose range is the largest that training pictures
reach. What lies between them stays in float32.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convoscope.core.errors import RequestError

if TYPE_CHECKING:
    import onnx

    from convoscope.data.types import Images
    from convoscope.runs.run import Run

CALIBRATION_PICTURES = 512
_BATCH = 64
_LAYERS = ["Conv", "Gemm", "MatMul"]


def quantised(network: onnx.ModelProto, run: Run, train: Images) -> onnx.ModelProto:
    """`network` (of `network_graph`) in eight bits, its ranges taken from training pictures evenly spread over `train`.

    Raises:
        RequestError: it has nothing that could be quantised.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    pictures = _calibration_inputs(run, train)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands the pictures out, batch by batch."""

        def get_next(self) -> dict[str, Any] | None:
            return next(pictures, None)

    if not any(node.op_type in _LAYERS for node in network.graph.node):
        raise RequestError("shipping.nothing_to_quantise", model=run.config["model"])
    with tempfile.TemporaryDirectory() as folder, _quietly():
        path = Path(folder, "network.onnx")
        quantize_static(
            network,
            path,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
            op_types_to_quantize=_LAYERS,
        )
        return onnx.load(path)


def _calibration_inputs(run: Run, train: Images) -> Iterator[dict[str, Any]]:
    import torch

    from convoscope.data.batches import inputs_from

    p = run.preprocessing
    rows = np.unique(np.linspace(0, len(train) - 1, CALIBRATION_PICTURES).round().astype(np.int64))
    for start in range(0, len(rows), _BATCH):
        pictures = np.stack(run.pictures(np.asarray(train.images[rows[start : start + _BATCH]])))
        inputs = inputs_from(pictures, p.scaling, (p.height, p.width), torch.device("cpu"))
        yield {"inputs": inputs.contiguous().numpy()}


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without advice for developers on standard output and in the log."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
