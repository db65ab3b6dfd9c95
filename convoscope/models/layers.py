"""The layers of any net in the order in which they work, each with its shapes, costs and receptive field.

A net is walked without its numbers: a hollow copy of it takes a batch of no pictures, and every module without children
says what passed through it. So the net itself is not touched, and a large one costs no more than a small one. A net
that can't do without pictures is walked on PyTorch's device meta, which takes a second or two to load.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from convoscope.convolution.counts import count_convolution, count_dense
from convoscope.convolution.receptive import ReceptiveField, Whole, Window, input_field
from convoscope.core.errors import RequestError
from convoscope.models.modules import Add, MapScale, ScaledTanh, TableConv2d
from convoscope.models.shadow import ghost, ghost_is_light, meta_ghost

FLOAT32_BYTES = 4

ACTIVATIONS = (nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.Hardswish, ScaledTanh)

# Layers whose output at one place depends on their input at the same place alone.
_PLACE_BY_PLACE = (
    *(*ACTIVATIONS, MapScale),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout, nn.Dropout2d, nn.Identity, nn.Flatten),
)
_ADAPTIVE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One layer at work on one picture.

    Args:
        name: where it is in the net: ``conv1``, ``stage2_block1.norm1``.
        kind: its class: ``Conv2d``, ``MaxPool2d``, ``Linear`` …
        input_shape: what comes in, without the batch; of the first input where there are two.
        output_shape: what goes out, without the batch: (C, H, W) or (features,).
        parameters: numbers in it that belong to the net's weights (0 when it has worked before: it is shared).
        macs: multiply-accumulates by the weights of a convolution (of any kind) or a dense layer, for one picture.
        train_flops: floating-point operations of one training step for one picture: 2 a multiply-accumulate, forward,
            for the gradient of the weights, and for the gradient of the input, where there is such a gradient.
        inputs: the layers whose outputs come in, "input" for the picture; what was computed between layers has no name.
        field: which part of the picture its units see; None where that is not known.
    """

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    parameters: int
    macs: int
    train_flops: int
    inputs: tuple[str, ...]
    field: ReceptiveField | None = field(repr=False, compare=False)

    @property
    def activation_bytes(self) -> int:
        """Memory of its output for one picture, in float32."""
        return math.prod(self.output_shape) * FLOAT32_BYTES

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """Rows and columns of the picture that a unit sees, with padding; None where that is not known."""
        return self.field.size if self.field else None


def layers(model: nn.Module, input_shape: Sequence[int]) -> list[Layer]:
    """The layers of `model` in the order in which they work on a picture, as when predicting.

    Args:
        model: from (B, C, H, W) to anything. Layers are its modules without children; what is computed outside of such
            modules has no layer, and receptive fields are not known after it.
        input_shape: (C, H, W) of one picture.

    Raises:
        RequestError: a picture of this shape doesn't go through (the sentence names the layer).
    """
    shape = tuple(input_shape)
    if len(shape) != 3 or min(shape) < 1:
        raise RequestError("models.input_shape", asked="x".join(map(str, shape)))
    kind = next(model.parameters(), torch.empty(0)).dtype
    if ghost_is_light(model):
        with suppress(Exception):
            walk = _Walk(torch.empty(0, *shape, dtype=kind, device="cpu"))
            walk.through(ghost(model))
            return walk.layers
    walk = _Walk(torch.empty(1, *shape, dtype=kind, device="meta"))
    try:
        walk.through(meta_ghost(model))
    except RuntimeError as error:
        name, got = walk.at
        raise RequestError("models.does_not_fit", input=_times(shape), layer=name, got=_times(got)) from error
    return walk.layers


class _Walk:
    """Listens to the modules of a net while pictures pass.

    Args:
        pictures: (B, C, H, W).

    Attributes:
        layers: what has worked so far.
        at: name of the module that is working or has worked last, and the shape that reached it.
    """

    def __init__(self, pictures: Tensor) -> None:
        self.layers: list[Layer] = []
        self.at: tuple[str, Shape] = ("", tuple(pictures.shape[1:]))
        # Fields by the identity of the tensors; the tensors are kept, so that no other takes the identity of one gone.
        self._fields: dict[int, ReceptiveField | None] = {
            id(pictures): input_field((pictures.shape[2], pictures.shape[3])),
        }
        self._makers: dict[int, str] = {id(pictures): "input"}
        self._kept: list[Tensor] = [pictures]
        self._counted: set[int] = set()
        self._trains = False

    def through(self, net: nn.Module) -> None:
        """Send the pictures through `net`, every module of which without children is a layer."""
        for name, module in net.named_modules():
            if not any(module.children()):
                self._watch(name, module)
        with torch.no_grad():
            net(self._kept[0])

    def _watch(self, name: str, module: nn.Module) -> None:

        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self.at = (name, tuple(inputs[0].shape[1:]))

        def after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
            # Of several outputs the first is the layer's: a pooling's numbers, and not where it found them.
            self._note(name, module, inputs, output if isinstance(output, Tensor) else output[0])

        module.register_forward_pre_hook(before)
        module.register_forward_hook(after)

    def _note(self, name: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        shapes = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
        own = {id(parameter): parameter for parameter in module.parameters() if id(parameter) not in self._counted}
        self._counted.update(own)
        macs = _macs(module, *shapes)
        trained = macs > 0 and next(module.parameters()).requires_grad
        self.layers.append(
            Layer(
                name=name,
                kind=type(module).__name__,
                input_shape=shapes[0],
                output_shape=shapes[1],
                parameters=sum(parameter.numel() for parameter in own.values()),
                macs=macs,
                train_flops=2 * macs * (1 + trained + self._trains),
                inputs=tuple(self._makers[id(one)] for one in inputs if id(one) in self._makers),
                field=_field(module, [self._fields.get(id(one)) for one in inputs], *shapes),
            )
        )
        # From here back, gradients are only needed when something before can be trained.
        self._trains = self._trains or any(parameter.requires_grad for parameter in module.parameters())
        self._fields[id(output)] = self.layers[-1].field
        self._makers[id(output)] = name
        self._kept.append(output)


def _macs(module: nn.Module, input_shape: Shape, output_shape: Shape) -> int:
    if isinstance(module, nn.Conv2d | TableConv2d):
        window = window_of(module)
        channels, rows, columns = input_shape
        return count_convolution(
            (channels, rows, columns),
            module.out_channels,
            window.size,
            padding=window.padding,
            stride=window.stride,
            dilation=window.dilation,
            groups=module.groups,
        ).macs
    if isinstance(module, _ConvNd):
        # Each number that goes out, or of a transposed one comes in, meets a kernel for each channel of the other side.
        shape, others = (output_shape, module.in_channels), (input_shape, module.out_channels)
        numbers, channels = others if module.transposed else shape
        return math.prod(numbers) * channels // module.groups * math.prod(module.kernel_size)
    if isinstance(module, nn.Linear):
        places = math.prod(output_shape[:-1])
        return places * count_dense(module.in_features, module.out_features).macs
    return 0


def _field(
    module: nn.Module, fields: list[ReceptiveField | None], input_shape: Shape, output_shape: Shape
) -> ReceptiveField | None:
    known = [field for field in fields if field is not None]
    if len(known) < len(fields):
        return None
    field = known[0]
    if isinstance(module, Add):
        for other in known[1:]:
            field = field.joined(other)
        return field
    if isinstance(module, nn.Conv2d | TableConv2d | nn.MaxPool2d | nn.AvgPool2d):
        # At its edges, a convolution that pads with pixels of the picture sees others than its window covers.
        of_zeros = getattr(module, "padding_mode", "zeros") == "zeros"
        return field.through(window_of(module)) if of_zeros else None
    if isinstance(module, nn.Linear) and len(input_shape) == 1:
        return field.through(Whole())
    if isinstance(module, _ADAPTIVE):
        (rows, columns), (out_rows, out_columns) = input_shape[1:], output_shape[1:]
        if (out_rows, out_columns) == (1, 1):
            return field.through(Whole())
        if rows % out_rows or columns % out_columns:
            return None
        size = (rows // out_rows, columns // out_columns)
        return field.through(Window(size, stride=size))
    return field if isinstance(module, _PLACE_BY_PLACE) else None


def window_of(module: nn.Conv2d | TableConv2d | nn.MaxPool2d | nn.AvgPool2d) -> Window:
    """The window that `module` slides over its input."""
    return Window(
        _pair(module.kernel_size),
        stride=_pair(module.stride),
        padding=module.padding if isinstance(module.padding, str) else _pair(module.padding),  # type: ignore[arg-type]
        dilation=_pair(getattr(module, "dilation", 1)),
        ceil_mode=getattr(module, "ceil_mode", False),
    )


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _times(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
