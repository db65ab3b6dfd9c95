"""How one number of a layer came about, worked out in float64 from the layer's input and weights.

What a kernel or a pooling did is told by the same units as in the convolution room, so that the page shows a trained
net as it shows the kernel bench.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from convoscope.convolution import ConvolutionUnit, PoolUnit, Unit, geometry
from convoscope.convolution.arrays import Array
from convoscope.convolution.trace import window_at
from convoscope.convolution.worked import equals, signed
from convoscope.core.errors import RequestError
from convoscope.core.messages import say
from convoscope.models.layers import ACTIVATIONS, window_of
from convoscope.models.modules import Add, MapScale, TableConv2d

Place: TypeAlias = tuple[int, int, int]
"""(channel, row, column); of a layer without maps (unit, 0, 0)."""

_UNCHANGED = (nn.Dropout, nn.Dropout2d, nn.Identity)


@dataclass(frozen=True, eq=False)
class PlaceUnit(Unit):
    """One output that depends on one number of each input; ``str(unit)`` writes the formula out.

    Args:
        formula: with the numbers put in, as ``GELU(0.3457)``.
        numbers: what stands in it, by name: ``x``, and what the layer knows (``mean``, ``weight`` …).
    """

    formula: str
    numbers: dict[str, float]

    def __str__(self) -> str:
        return (
            f"{self.formula} {equals([np.float32(value) for value in self.numbers.values()], np.float32(self.value))}"
        )

    def to_dict(self) -> dict[str, Any]:
        """The unit as plain lists and numbers, ready for JSON; `text` is the formula and its result."""
        return super().to_dict() | {"numbers": self.numbers}


def calculate(module: nn.Module, name: str, inputs: Sequence[Array], place: Place) -> Unit:
    """The calculation of one number of a layer's output.

    Args:
        module: the layer, in evaluation mode.
        name: of the layer, for the error.
        inputs: what came in, without the batch: (C, H, W) or (features,).
        place: which number.

    Raises:
        RequestError: the layer is of a kind that can't be worked out here.
    """
    for kinds, work in _WORK:
        if isinstance(module, kinds) and _plain(module, inputs):
            return work(module, inputs, place)
    raise RequestError("inspection.not_traceable", layer=name, kind=_kind(module, inputs))


def _plain(module: nn.Module, inputs: Sequence[Array]) -> bool:
    """Whether a layer works as its kind is worked out here: on maps or features, with zeros around them."""
    if isinstance(module, nn.Linear):
        return inputs[0].ndim == 1  # over maps it would work row by row
    return getattr(module, "padding_mode", "zeros") == "zeros" and all(each.ndim in (1, 3) for each in inputs)


def _kind(module: nn.Module, inputs: Sequence[Array]) -> str:
    """What a layer is, with what makes it another than those that can be worked out."""
    name, padding = type(module).__name__, getattr(module, "padding_mode", "zeros")
    if padding != "zeros":
        return f"{name}(padding_mode={padding!r})"
    return f"{name} ({'x'.join(map(str, inputs[0].shape))})"


def magnitude(unit: Unit) -> float:
    """The size of what was added up to make the unit's number: the scale on which rounding is judged."""
    if isinstance(unit, ConvolutionUnit):
        return float(np.abs(unit.products).sum()) + abs(unit.bias or 0.0)
    if isinstance(unit, PlaceUnit) and "weight" in unit.numbers:
        # PyTorch brings a batch norm's mean into its bias: where the variance is small, both are large, and cancel out.
        told = {"mean": 0.0, "variance": 1.0, "epsilon": 0.0} | {name: abs(each) for name, each in unit.numbers.items()}
        factor = told["weight"] / float(np.sqrt(told["variance"] + told["epsilon"]))
        return (told["x"] + told["mean"]) * factor + told["bias"]
    return max(abs(unit.value), float(np.abs(unit.window).max(initial=0.0)))


def _convolution(module: nn.Conv2d | TableConv2d, inputs: Sequence[Array], place: Place) -> Unit:
    filter, row, column = place
    (maps,) = inputs
    window = window_of(module)
    lie = geometry(
        (maps.shape[1], maps.shape[2]),
        window.size,
        padding=window.padding,
        stride=window.stride,
        dilation=window.dilation,
    )
    kernel = _numpy(module.weight)[filter]
    first = filter // (module.out_channels // module.groups) * len(kernel)
    rows, columns = lie.rows.taps(row), lie.columns.taps(column)
    pixels, is_padding = window_at(maps[first : first + len(kernel)], rows, columns)
    return _sum(place, pixels, (rows, columns), is_padding, kernel, module.bias, first)


def _dense(module: nn.Linear, inputs: Sequence[Array], place: Place) -> Unit:
    (values,) = inputs
    kernel = _numpy(module.weight)[place[0]]
    here = np.zeros(1, dtype=np.int64), np.arange(len(values))
    inside = np.zeros((1, len(values)), dtype=np.bool_)
    return _sum(place, values[None, None], here, inside, kernel[None, None], module.bias, 0)


def _sum(
    place: Place,
    window: Array,
    here: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    is_padding: npt.NDArray[np.bool_],
    kernel: Array,
    biases: torch.Tensor | None,
    first: int,
) -> ConvolutionUnit:
    products = window.astype(np.float64) * kernel.astype(np.float64)
    total = float(products.sum())
    bias = None if biases is None else float(_numpy(biases)[place[0]])
    value = total + (bias or 0.0)
    return ConvolutionUnit(*place, window, *here, is_padding, value, kernel, products, total, bias, first)


def _pooling(module: nn.MaxPool2d | nn.AvgPool2d, inputs: Sequence[Array], place: Place) -> Unit:
    (maps,) = inputs
    window = window_of(module)
    lie = geometry(
        *((maps.shape[1], maps.shape[2]), window.size),
        padding=window.padding,
        stride=window.stride,
        dilation=window.dilation,
        ceil_mode=window.ceil_mode,
    )
    rows, columns = lie.rows.taps(place[1]), lie.columns.taps(place[2])
    if isinstance(module, nn.MaxPool2d):
        return _pooled("max", maps, place, rows, columns)
    counted = module.count_include_pad
    # What a last window covers beyond the padding never counts.
    ends = (lie.rows.length + lie.rows.after, lie.columns.length + lie.columns.after)
    takes_part = (rows < ends[0])[:, None] & (columns < ends[1])[None, :] if counted else None
    return _pooled("avg", maps, place, rows, columns, takes_part, module.divisor_override)


def _adaptive(module: nn.AdaptiveMaxPool2d | nn.AdaptiveAvgPool2d, inputs: Sequence[Array], place: Place) -> Unit:
    (maps,) = inputs
    asked = module.output_size if isinstance(module.output_size, tuple) else (module.output_size, module.output_size)
    rows, columns = (
        _share(length, count or length, index)
        for length, count, index in zip(maps.shape[1:], asked, place[1:], strict=True)
    )
    return _pooled("max" if isinstance(module, nn.AdaptiveMaxPool2d) else "avg", maps, place, rows, columns)


def _share(length: int, count: int, index: int) -> npt.NDArray[np.int64]:
    """What share `index` of `count` covers, the shares of unequal size overlapping, as PyTorch cuts them."""
    return np.arange(index * length // count, -(-(index + 1) * length // count), dtype=np.int64)


def _pooled(
    kind: str,
    maps: Array,
    place: Place,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    takes_part: npt.NDArray[np.bool_] | None = None,
    divisor: int | None = None,
) -> PoolUnit:
    window, is_padding = window_at(maps[place[0] : place[0] + 1], rows, columns)
    takes_part = ~is_padding if takes_part is None else takes_part
    numbers = window[0].astype(np.float64)
    common = (*place, window, rows, columns, is_padding)
    if kind == "max":
        best = np.where(takes_part, numbers, -np.inf)
        at_row, at_column = divmod(int(best.argmax()), len(columns))
        winner = int(rows[at_row]), int(columns[at_column])
        return PoolUnit(*common, float(best.max()), kind, takes_part, winner, None, None)
    total = float(numbers[takes_part].sum())
    divisor = int(takes_part.sum()) if divisor is None else divisor
    return PoolUnit(*common, total / divisor, kind, takes_part, None, total, divisor)


def _normalised(module: nn.BatchNorm2d | nn.BatchNorm1d, inputs: Sequence[Array], place: Place) -> Unit:
    x = _number(inputs[0], place)
    if module.running_mean is None or module.running_var is None:
        raise RequestError("inspection.no_statistics", kind=type(module).__name__)
    mean, variance = (float(_numpy(each)[place[0]]) for each in (module.running_mean, module.running_var))
    weight = 1.0 if module.weight is None else float(_numpy(module.weight)[place[0]])
    bias = 0.0 if module.bias is None else float(_numpy(module.bias)[place[0]])
    value = (x - mean) / float(np.sqrt(variance + module.eps)) * weight + bias
    numbers = {"x": x, "mean": mean, "variance": variance, "epsilon": module.eps, "weight": weight, "bias": bias}
    told = {name: signed(number) for name, number in numbers.items()}
    formula = "({x} - {mean}) / √({variance} + {epsilon}) × {weight} + {bias}".format(**told)
    return _at(place, inputs, value, formula, numbers)


def _activated(module: nn.Module, inputs: Sequence[Array], place: Place) -> Unit:
    x = _number(inputs[0], place)
    with torch.no_grad():
        value = module(torch.tensor([x], dtype=torch.float64)).item()
    return _at(place, inputs, value, f"{type(module).__name__}({signed(x).strip('()')})", {"x": x})


def _added(_: Add, inputs: Sequence[Array], place: Place) -> Unit:
    one, other = (_number(each, place) for each in inputs)
    return _at(place, inputs, one + other, f"{signed(one)} + {signed(other)}", {"one": one, "other": other})


def _scaled(module: MapScale, inputs: Sequence[Array], place: Place) -> Unit:
    x = _number(inputs[0], place)
    weight, bias = (float(_numpy(each)[place[0]]) for each in (module.weight, module.bias))
    numbers = {"x": x, "weight": weight, "bias": bias}
    return _at(place, inputs, x * weight + bias, f"{signed(x)} × {signed(weight)} + {signed(bias)}", numbers)


def _unchanged(_: nn.Module, inputs: Sequence[Array], place: Place) -> Unit:
    x = _number(inputs[0], place)
    return _at(place, inputs, x, signed(x), {"x": x})


def _flattened(_: nn.Flatten, inputs: Sequence[Array], place: Place) -> Unit:
    channel, row, column = (int(each) for each in np.unravel_index(place[0], _as_maps(inputs[0]).shape))
    x = _number(inputs[0], (channel, row, column))
    formula = say("inspection.flattened", channel=channel, row=row, column=column, number=signed(x))
    here = np.array([row]), np.array([column])
    window = np.full((1, 1, 1), x, dtype=np.float32)
    return PlaceUnit(*place, window, *here, np.zeros((1, 1), dtype=np.bool_), x, formula, {"x": x, "channel": channel})


def _at(place: Place, inputs: Sequence[Array], value: float, formula: str, numbers: dict[str, float]) -> PlaceUnit:
    window = np.array([_number(each, place) for each in inputs], dtype=np.float32)[:, None, None]
    here = np.array([place[1]]), np.array([place[2]])
    return PlaceUnit(*place, window, *here, np.zeros((1, 1), dtype=np.bool_), value, formula, numbers)


def _number(values: Array, place: Place) -> float:
    return float(_as_maps(values)[place])


def _as_maps(values: Array) -> Array:
    """(features,) as (features, 1, 1)."""
    return values if values.ndim == 3 else values[:, None, None]


def _numpy(tensor: torch.Tensor) -> Array:
    array: Array = tensor.detach().cpu().numpy()
    return array


_Work: TypeAlias = Callable[[Any, Sequence[Array], Place], Unit]
_WORK: tuple[tuple[tuple[type[nn.Module], ...], _Work], ...] = (
    ((nn.Conv2d, TableConv2d), _convolution),
    ((nn.Linear,), _dense),
    ((nn.MaxPool2d, nn.AvgPool2d), _pooling),
    ((nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d), _adaptive),
    ((nn.BatchNorm1d, nn.BatchNorm2d), _normalised),
    (ACTIVATIONS, _activated),
    ((Add,), _added),
    ((MapScale,), _scaled),
    ((nn.Flatten,), _flattened),
    (_UNCHANGED, _unchanged),
)
