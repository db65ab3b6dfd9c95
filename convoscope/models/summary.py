"""What a net is made of and what it costs, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from convoscope.core.messages import language, say
from convoscope.core.numerals import grouped
from convoscope.core.spec import Spec
from convoscope.models.build import build
from convoscope.models.layers import Layer, layers


@dataclass(frozen=True)
class Summary:
    """The layers of a net and their sums; ``str(summary)`` is the table, in the language in use.

    Args:
        input_shape: (C, H, W) of one picture.
        layers: in the order in which they work.
        parameters: numbers in the net's weights.
    """

    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    parameters: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates by weights of convolutions and dense layers, to predict one picture."""
        return sum(layer.macs for layer in self.layers)

    @property
    def train_flops_per_image(self) -> int:
        """Floating-point operations of those layers in one training step, for one picture.

        Forward, for the gradient of the weights and for the gradient of the inputs, 2 · `macs` each; the first layer
        needs no gradient of its input, frozen weights need none either.
        """
        return sum(layer.train_flops for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        """Memory of all outputs for one picture, in float32: what training keeps for the way back."""
        return sum(layer.activation_bytes for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain lists and numbers, ready for JSON.

        `receptive_field` is one number where rows and columns are equal, else [rows, columns], or None if not known.
        """
        return {
            "layers": [
                {
                    "name": layer.name,
                    "kind": layer.kind,
                    "output_shape": list(layer.output_shape),
                    "parameters": layer.parameters,
                    "macs": layer.macs,
                    "receptive_field": _side(layer.receptive_field),
                }
                for layer in self.layers
            ],
            "parameters": self.parameters,
            "macs": self.macs,
            "train_flops_per_image": self.train_flops_per_image,
        }

    def __str__(self) -> str:
        columns = ("name", "kind", "output", "parameters", "macs", "memory", "field")
        head = [say(f"models.column_{column}") for column in columns]
        picture = ["", "", _times(self.input_shape), "", "", "", ""]
        rows = [[say("models.input_row"), *picture[1:]], *map(_row, self.layers)]
        total = [
            *(say("models.total_row"), "", ""),
            *(grouped(self.parameters), grouped(self.macs), _memory(self.activation_bytes), ""),
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, total, strict=True)]
        rule = "  ".join("─" * width for width in widths)
        lines = [_line(head, widths), rule, *(_line(row, widths) for row in rows), rule, _line(total, widths)]
        training = say("models.training_line", flops=grouped(self.train_flops_per_image))
        return "\n".join([*lines, training])


def summary(model: nn.Module | str | Spec, input_shape: Sequence[int], *, classes: int = 10) -> Summary:
    """The layers of a net with their shapes, parameters, multiply-accumulates and receptive fields.

    Args:
        model: a net, or a specification such as ``typical:blocks=3``; of one, no weights are made.
        input_shape: (C, H, W) of one picture.
        classes: for a specification, the number of classes.

    Raises:
        RequestError: no such net, or a picture of this shape doesn't go through it (the sentence names the layer).
    """
    if not isinstance(model, nn.Module):
        with torch.device("meta"):
            model = build(model, input_shape, classes)
    found = tuple(layers(model, input_shape))
    channels, rows, columns = input_shape
    return Summary((channels, rows, columns), found, sum(parameter.numel() for parameter in model.parameters()))


def _row(layer: Layer) -> list[str]:
    field = layer.receptive_field
    side = _side(field)
    return [
        *(layer.name, layer.kind, _times(layer.output_shape)),
        *(grouped(layer.parameters), grouped(layer.macs), _memory(layer.activation_bytes)),
        "?" if field is None else str(side) if isinstance(side, int) else _times(field),
    ]


def _line(cells: list[str], widths: list[int]) -> str:
    """Names and kinds to the left, numbers to the right."""
    aligned = [
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip()


def _side(field: tuple[int, int] | None) -> int | list[int] | None:
    if field is None:
        return None
    return field[0] if field[0] == field[1] else list(field)


def _memory(size: int) -> str:
    # 1 KiB = 1024 bytes. One decimal, and a comma before it in Spanish.
    words = f"{size} B" if size < 1024 else f"{size / 1024:.1f} KiB" if size < 1024**2 else f"{size / 1024**2:.1f} MiB"
    return words.replace(".", ",") if language() == "es" else words


def _times(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
