"""A network as a list of simple steps with their weights, for where there is no ONNX Runtime.

The steps are the nodes of the graph that PyTorch's exporter makes, for one picture: shapes are known, constants are
worked out, normalisations are a factor and a term for each map. What reads them need know a dozen kinds of arithmetic
(`convoscope/web/static/compute.js` does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convoscope.core.errors import RequestError

if TYPE_CHECKING:
    import onnx

Floats = NDArray[np.float32]

_ALONE = {"Relu": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid"}
_TOGETHER = {"Add": "add", "Mul": "mul"}
_POOLS = {"MaxPool": "max_pool", "AveragePool": "average_pool"}
_REDUCED = {"ReduceMax": "whole_max", "ReduceMean": "whole_mean"}
_SAME = {"Reshape", "Flatten", "Identity"}  # for one picture, the numbers stay in their order


@dataclass
class Steps:
    """A network step by step.

    Attributes:
        steps: each ``{"kind", "from", "shape", …}``, JSON-ready. Value 0 is the input (C, H, W); step k makes value
            k + 1, of the shape told. ``from`` are the values it reads. A weight is ``[start, length]`` of `weights`.
        weights: all weights, one after the other.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    weights: Floats = field(default_factory=lambda: np.zeros(0, np.float32))


class _UnknownError(Exception):
    """A node that no step expresses."""


def steps_of(network: onnx.ModelProto, name: str) -> Steps:
    """The steps of what `convoscope.shipping.graph.network_graph` made.

    Args:
        network: ``inputs`` (N, C, H, W) float32 to ``logits`` (N, classes).
        name: what to call it in an error.

    Raises:
        RequestError: it holds an operation that has no step.
    """
    from onnx import numpy_helper

    reader = _Reader({one.name: numpy_helper.to_array(one) for one in network.graph.initializer}, _shapes(network))
    for node in network.graph.node:
        try:
            reader.read(node)
        except _UnknownError as error:
            raise RequestError("shipping.no_step", model=name, operation=str(error) or node.op_type) from error
    weights = np.concatenate(reader.weights) if reader.weights else np.zeros(0, np.float32)
    return Steps(reader.steps, weights)


def _shapes(network: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Value -> its shape for one picture, without the batch."""
    import onnx

    one = onnx.ModelProto()
    one.CopyFrom(network)
    for value in (*one.graph.input, *one.graph.output, *one.graph.value_info):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param:  # the batch, the only size that is left open
                size.dim_value = 1
    known = onnx.shape_inference.infer_shapes(one, data_prop=True)
    return {
        value.name: tuple(size.dim_value for size in value.type.tensor_type.shape.dim)[1:]
        for value in (*known.graph.input, *known.graph.output, *known.graph.value_info)
    }


class _Reader:
    """Reads the nodes of a graph in their order."""

    def __init__(self, constants: dict[str, NDArray[Any]], shapes: dict[str, tuple[int, ...]]) -> None:
        self.steps: list[dict[str, Any]] = []
        self.weights: list[Floats] = []
        self._constants = constants
        self._shapes = shapes
        self._values = {"inputs": 0}
        self._length = 0

    def read(self, node: onnx.NodeProto) -> None:
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        given = [name for name in node.input if name]
        if all(name in self._constants for name in given):
            found = ReferenceEvaluator(node).run(None, {name: self._constants[name] for name in given})
            self._constants.update({name: np.asarray(one) for name, one in zip(node.output, found, strict=False)})
            return
        facts = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        kind = node.op_type
        if kind in _SAME and node.input[0] in self._values:
            self._values[node.output[0]] = self._values[node.input[0]]
            return
        reader: Callable[[Sequence[str], dict[str, Any], str], dict[str, Any]] | None = {
            "Conv": self._convolution,
            "Gemm": self._dense,
            "BatchNormalization": self._normalisation,
            "Gelu": self._gelu,
            **dict.fromkeys(_ALONE, self._alone),
            **dict.fromkeys(_TOGETHER, self._together),
            **dict.fromkeys(_POOLS, self._pooling),
            **dict.fromkeys(_REDUCED, self._reduced),
        }.get(kind)
        if reader is None:
            raise _UnknownError(kind)
        made = reader(node.input, facts, kind)
        values = [self._values[name] for name in given if name in self._values]
        self.steps.append({**made, "from": values, "shape": list(self._shape(node.output[0]))})
        self._values[node.output[0]] = len(self.steps)

    def _shape(self, name: str) -> tuple[int, ...]:
        shape = self._shapes.get(name, (0,))
        if not all(shape):
            raise _UnknownError
        return shape

    def _kept(self, values: NDArray[Any]) -> list[int]:
        """Keep weights; where they lie."""
        flat = np.ascontiguousarray(values, dtype=np.float32).ravel()
        self.weights.append(flat)
        self._length += flat.size
        return [self._length - flat.size, flat.size]

    def _constant(self, name: str) -> NDArray[Any]:
        if name not in self._constants:
            raise _UnknownError
        return self._constants[name]

    def _convolution(self, names: Sequence[str], facts: dict[str, Any], _: str) -> dict[str, Any]:
        weights = self._constant(names[1])
        if weights.ndim != 4 or facts.get("auto_pad", b"NOTSET") not in (b"NOTSET", b""):
            raise _UnknownError
        bias = self._constant(names[2]) if len(names) > 2 else np.zeros(len(weights))
        return {
            "kind": "convolution",
            "weights": self._kept(weights),
            "bias": self._kept(bias),
            "kernel": list(weights.shape[2:]),
            "strides": list(facts.get("strides", [1, 1])),
            "pads": list(facts.get("pads", [0] * 4)),
            "dilations": list(facts.get("dilations", [1, 1])),
            "groups": facts.get("group", 1),
        }

    def _dense(self, names: Sequence[str], facts: dict[str, Any], _: str) -> dict[str, Any]:
        weights = self._constant(names[1])
        if facts.get("transA", 0) or facts.get("alpha", 1.0) != 1 or facts.get("beta", 1.0) != 1:
            raise _UnknownError
        rows = weights if facts.get("transB", 0) else weights.T
        bias = self._constant(names[2]) if len(names) > 2 else np.zeros(len(rows))
        return {"kind": "dense", "weights": self._kept(rows), "bias": self._kept(np.broadcast_to(bias, len(rows)))}

    def _normalisation(self, names: Sequence[str], facts: dict[str, Any], _: str) -> dict[str, Any]:
        scale, shift, mean, variance = (self._constant(name).astype(np.float64) for name in names[1:5])
        factor = scale / np.sqrt(variance + facts.get("epsilon", 1e-5))
        return {"kind": "by_map", "factor": self._kept(factor), "term": self._kept(shift - mean * factor)}

    def _gelu(self, _: Sequence[str], facts: dict[str, Any], __: str) -> dict[str, Any]:
        if facts.get("approximate", b"none") != b"none":
            raise _UnknownError
        return {"kind": "gelu"}

    def _alone(self, _: Sequence[str], __: dict[str, Any], kind: str) -> dict[str, Any]:
        return {"kind": _ALONE[kind]}

    def _together(self, names: Sequence[str], _: dict[str, Any], kind: str) -> dict[str, Any]:
        constant = next((self._constants[name] for name in names if name in self._constants), None)
        if constant is None:
            if self._shape(names[0]) != self._shape(names[1]):
                raise _UnknownError
            return {"kind": _TOGETHER[kind]}
        other = next(name for name in names if name not in self._constants)
        maps = self._shape(other)[0]
        try:
            # A number for each map, or one for all.
            values = np.broadcast_to(constant, (1, maps, *[1] * (len(self._shape(other)) - 1))).ravel()
        except ValueError as error:
            raise _UnknownError from error
        alike = np.ones(maps) if kind == "Add" else np.zeros(maps)
        factor, term = (alike, values) if kind == "Add" else (values, alike)
        return {"kind": "by_map", "factor": self._kept(factor), "term": self._kept(term)}

    def _pooling(self, _: Sequence[str], facts: dict[str, Any], kind: str) -> dict[str, Any]:
        kernel = list(facts["kernel_shape"])
        beyond = kind == "AveragePool" and facts.get(
            "ceil_mode", 0
        )  # what lies beyond the padding is counted in its own way
        if len(kernel) != 2 or set(facts.get("dilations", [1])) != {1} or beyond:
            raise _UnknownError
        return {
            "kind": _POOLS[kind],
            "kernel": kernel,
            "strides": list(facts.get("strides", [1, 1])),
            "pads": list(facts.get("pads", [0] * 4)),
            "count_pads": bool(facts.get("count_include_pad", 0)),
        }

    def _reduced(self, names: Sequence[str], facts: dict[str, Any], kind: str) -> dict[str, Any]:
        axes = facts.get("axes") if len(names) < 2 else self._constant(names[1]).tolist()
        rank = 1 + len(self._shape(names[0]))
        if axes is None or rank != 4 or sorted(axis % rank for axis in axes) != [2, 3]:
            raise _UnknownError
        return {"kind": _REDUCED[kind]}
