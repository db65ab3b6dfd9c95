"""The whole classifier as one ONNX graph: uint8 pictures in, probabilities out.

The network's part comes from PyTorch's own exporter, so that any module it knows can be shipped; the picture's way to
the network is ours (`convoscope.shipping.preprocessing`).
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from convoscope.core.errors import RequestError
from convoscope.shipping.preprocessing import IR_VERSION, OPSET, preprocessing_graph

if TYPE_CHECKING:
    import onnx
    import torch
    from torch import nn

    from convoscope.runs.run import Preprocessing

_NETWORK = "network/"
_DIVISOR = 6  # its place among the arguments of aten.avg_pool2d
_SOFTMAX = f"""
<ir_version: {IR_VERSION}, opset_import: ["" : {OPSET}]>
softmax (float[batch, classes] logits) => (float[batch, classes] probabilities)
{{ probabilities = Softmax <axis = 1> (logits) }}
"""


def network_graph(model: nn.Module, input_shape: tuple[int, int, int], name: str) -> onnx.ModelProto:
    """A network alone: ``inputs`` (N, C, H, W) float32, scaled, to ``logits`` (N, classes).

    Args:
        model: others may use it meanwhile.
        input_shape: (C, H, W) of one picture.
        name: what to call it in an error.

    Raises:
        RequestError: PyTorch's exporter has no way to express it, or writes another network than it is.
    """
    import torch

    from convoscope.models.shadow import shadow

    example = torch.zeros(2, *input_shape)
    with _quietly():
        try:
            program = torch.onnx.export(
                shadow(model),  # while it exports, PyTorch puts stand-ins in place of the weights
                (example,),
                dynamo=True,
                input_names=["inputs"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                opset_version=OPSET,
                verbose=False,
            )
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, ValueError, TypeError, NotImplementedError) as error:
            cause = error.__cause__ or error
            reason = next((line for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
            raise RequestError("shipping.not_expressible", model=name, reason=reason) from error
    assert program is not None  # noqa: S101 - it is None for an export to a file only
    if _divides_otherwise(program):
        raise RequestError("shipping.divisor_override", model=name)
    made = program.model_proto
    _forget_origins(made.graph)
    return made


def whole_graph(preprocessing: Preprocessing, network: onnx.ModelProto) -> onnx.ModelProto:
    """The picture's way, the network and the softmax in one graph, checked.

    Args:
        preprocessing: of the run.
        network: what `network_graph` made, or a quantised form of it.

    Returns:
        From ``images`` (N, H, W, C) uint8 to ``probabilities`` (N, classes) float32.
    """
    from onnx import checker, compose, parser

    network = compose.add_prefix(network, _NETWORK)
    seen = compose.merge_models(
        preprocessing_graph(preprocessing), network, io_map=[("inputs", f"{_NETWORK}inputs")], name="classifier"
    )
    whole = compose.merge_models(
        seen, parser.parse_model(_SOFTMAX), io_map=[(f"{_NETWORK}logits", "logits")], name="classifier"
    )
    versions = {entry.domain: entry for entry in whole.opset_import}
    del whole.opset_import[:]
    whole.opset_import.extend(versions.values())
    whole.producer_name = "convoscope"
    checker.check_model(whole, full_check=True)
    return whole


def _divides_otherwise(program: torch.onnx.ONNXProgram) -> bool:
    """Whether an average pooling divides by a number of its own: ONNX has no such thing, and the exporter drops it."""
    assert program.exported_program is not None  # noqa: S101 - it is there for an export from a module
    pools = (node for node in program.exported_program.graph.nodes if "avg_pool2d" in str(node.target))
    return any(len(pool.args) > _DIVISOR and pool.args[_DIVISOR] is not None for pool in pools)


def _forget_origins(graph: onnx.GraphProto) -> None:
    """Leave out what the exporter notes for its own debugging, which names files of the machine that exported."""
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del value.metadata_props[:]
    del graph.metadata_props[:]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's remarks, which are for those who develop it."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
