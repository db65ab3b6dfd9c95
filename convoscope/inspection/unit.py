"""Any unit of any layer, traced: the numbers that made it, what PyTorch computed, and what it sees of the picture."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from convoscope.convolution import Span, Unit
from convoscope.core.errors import RequestError
from convoscope.inspection.calculation import Place, calculate, magnitude
from convoscope.models import Layer, layers
from convoscope.models.shadow import shadow

SAME = 1e-6
"""Two results are the same if they differ by no more than this share of what was added up (but at least of 1)."""


@dataclass(frozen=True, eq=False)
class UnitTrace:
    """One unit of a layer on one picture.

    Args:
        layer: the layer.
        place: (channel, row, column); of a layer without maps (unit, 0, 0).
        calculation: window, weights, products, bias and sum, worked out in float64; ``str`` of it writes the sum out.
        pytorch: the number that PyTorch computed.
        region: the (rows, columns) of the picture that can reach the unit, cut at the picture's borders; None where the
            receptive field is not known.
        effective: how much each pixel of the picture does reach it, (H, W) float64: the length of the gradient of the
            unit with respect to the pixel's channels (Luo et al. 2016, "Understanding the effective receptive field in
            deep convolutional neural networks").
    """

    layer: Layer
    place: Place
    calculation: Unit
    pytorch: float
    region: tuple[Span, Span] | None
    effective: npt.NDArray[np.float64]

    @property
    def value(self) -> float:
        """The number as worked out here."""
        return float(self.calculation.value)

    @property
    def difference(self) -> float:
        """How far PyTorch's number is from ours; it adds up in float32, and in another order."""
        return abs(self.value - self.pytorch)

    @property
    def same(self) -> bool:
        """Whether the difference is no more than rounding."""
        return self.difference <= SAME * max(1.0, magnitude(self.calculation))

    def to_dict(self) -> dict[str, Any]:
        """The trace as plain lists and numbers, ready for JSON.

        `effective` is cut to the region and runs from 0 to 1, in thousandths; `effective_largest` is what 1 stands for.
        """
        rows, columns = self.region or (Span(0, self.effective.shape[0]), Span(0, self.effective.shape[1]))
        part = self.effective[rows.first : rows.end, columns.first : columns.end]
        largest = float(part.max(initial=0.0))
        field = self.layer.receptive_field
        return {
            "layer": self.layer.name,
            "kind": self.layer.kind,
            "inputs": list(self.layer.inputs),
            "input_shape": list(self.layer.input_shape),
            "output_shape": list(self.layer.output_shape),
            "place": list(self.place),
            "calculation": self.calculation.to_dict(),
            "value": self.value,
            "pytorch": self.pytorch,
            "difference": self.difference,
            "same": self.same,
            "receptive_field": None if field is None else list(field),
            "region": {"rows": [rows.first, rows.end], "columns": [columns.first, columns.end]},
            "effective": np.round(part / (largest or 1.0), 3).tolist(),
            "effective_largest": largest,
        }


class Tracer:
    """Traces units of one net; several threads may use it at once.

    Args:
        model: the net; it is neither changed nor switched to evaluation mode, though traced as in that mode.
        input_shape: (C, H, W) of the pictures.

    Attributes:
        layers: those of the net, in the order in which they work.

    Raises:
        RequestError: a picture of this shape doesn't go through the net.
    """

    def __init__(self, model: nn.Module, input_shape: Sequence[int]) -> None:
        self.input_shape = tuple(input_shape)
        self.layers = layers(model, input_shape)
        self._net = shadow(model)
        self._lock = threading.Lock()

    def unit(self, image: npt.ArrayLike | Tensor, layer: str, place: Sequence[int]) -> UnitTrace:
        """Trace one unit.

        Args:
            image: one picture as the net takes it, normalised: (C, H, W), or a batch of one, (1, C, H, W).
            layer: its name in the net.
            place: (channel, row, column), or (unit,) of a layer without maps.

        Raises:
            RequestError: a picture of another shape, no such layer, no such unit, or a layer of a kind that can't be
                worked out.
        """
        found = self._layer(layer)
        where = _place(found, place)
        if len(found.output_shape) not in (1, 3):
            shape = "x".join(map(str, found.output_shape))
            raise RequestError("inspection.not_traceable", layer=layer, kind=f"{found.kind} → {shape}")
        picture = self._picture(image)
        inputs, output = self._pass(picture, layer)
        number = output[0][where] if output.dim() == 4 else output[0][where[0]]
        (gradient,) = torch.autograd.grad(number, picture)
        module = self._net.get_submodule(layer)
        return UnitTrace(
            layer=found,
            place=where,
            calculation=calculate(module, layer, [each[0].cpu().numpy() for each in inputs], where),
            pytorch=number.item(),
            region=_region(found, where),
            effective=gradient[0].double().square().sum(dim=0).sqrt().cpu().numpy(),
        )

    def _layer(self, name: str) -> Layer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(dict.fromkeys(layer.name for layer in self.layers))
        raise RequestError("inspection.no_such_layer", asked=name, known=known)

    def _picture(self, image: npt.ArrayLike | Tensor) -> Tensor:
        weights = next(self._net.parameters(), torch.empty(0))
        picture = image if isinstance(image, Tensor) else torch.tensor(np.asarray(image))
        if picture.dim() == 3:
            picture = picture[None]
        if tuple(picture.shape) != (1, *self.input_shape):
            expected, arrived = ("x".join(map(str, shape)) for shape in (self.input_shape, picture.shape))
            raise RequestError("inspection.image_shape", expected=expected, arrived=arrived)
        return picture.detach().to(weights.device, weights.dtype, copy=True).requires_grad_()

    def _pass(self, picture: Tensor, layer: str) -> tuple[list[Tensor], Tensor]:
        """What goes into `layer` and what comes out, the first time that it works on `picture`."""
        seen: list[list[Tensor]] = []

        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            # A copy: an activation may work in place.
            seen.append([each.detach().clone() for each in inputs])

        def after(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
            raise _ReachedError(output)

        module = self._net.get_submodule(layer)
        with self._lock, torch.enable_grad():
            hooks = [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
            try:
                self._net(picture)
            except _ReachedError as reached:
                return seen[0], reached.output
            finally:
                for hook in hooks:
                    hook.remove()
        raise AssertionError(f"{layer} is listed as a layer and does not work")


class _ReachedError(Exception):
    """The layer that was waited for has worked; the rest of the net is not needed."""

    def __init__(self, output: Tensor) -> None:
        super().__init__()
        self.output = output


def trace_unit(model: nn.Module, image: npt.ArrayLike | Tensor, layer: str, place: Sequence[int]) -> UnitTrace:
    """Trace one unit of a net on one picture, as `Tracer.unit` does, which is faster for many."""
    shape = tuple(image.shape if isinstance(image, Tensor) else np.asarray(image).shape)
    return Tracer(model, shape[-3:]).unit(image, layer, place)


def _place(layer: Layer, place: Sequence[int]) -> Place:
    shape = layer.output_shape
    numbers = tuple(place)
    if len(shape) == 1 and len(numbers) == 3 and numbers[1:] == (0, 0):
        numbers = numbers[:1]
    whole = all(isinstance(number, int | np.integer) for number in numbers)
    if len(numbers) != len(shape) or not whole or not all(0 <= n < s for n, s in zip(numbers, shape, strict=True)):
        asked, arrived = ", ".join(map(str, numbers)), "x".join(map(str, shape))
        raise RequestError("inspection.no_such_unit", layer=layer.name, asked=asked, shape=arrived)
    channel, row, column = (*map(int, numbers), 0, 0)[:3]
    return channel, row, column


def _region(layer: Layer, place: Place) -> tuple[Span, Span] | None:
    if layer.field is None:
        return None
    if len(layer.output_shape) == 3:
        return layer.field.region(place[1], place[2])
    # Flattened maps keep their fields, map after map; after a fully connected layer there is one field for all.
    rows, columns = layer.field.units
    return layer.field.region(*divmod(place[0] % (rows * columns), columns))
