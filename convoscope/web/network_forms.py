"""What is asked of the network level, and what it answers."""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from convoscope.core.errors import RequestError
from convoscope.data.listing import as_text
from convoscope.data.types import Pixels
from convoscope.web.api_bench import PictureAnswer

if TYPE_CHECKING:
    from convoscope.inspection.look import Maps
    from convoscope.runs.run import Run

MOST_SIDE = 2048


class LayerAnswer(BaseModel):
    """A layer of the network."""

    name: str
    kind: str
    input_shape: list[int]
    output_shape: list[int]
    parameters: int
    macs: int
    receptive_field: list[int] | None = Field(description="[rows, columns] of the picture; null where not known.")
    has_filters: bool
    walk: dict[str, Any] | None = Field(description="Stride, padding and dilation of a convolution.")


class NetworkAnswer(BaseModel):
    """The run that is served."""

    model: str
    data: str
    classes: list[str]
    channels: int
    height: int
    width: int
    parameters: int
    macs: int
    trained: bool = Field(description="Whether the network has learned; a lesson may show one that has not.")
    test_error: float | None
    samples: int
    layers: list[LayerAnswer]


class Sample(BaseModel):
    """A test picture."""

    position: int = Field(description="Its place in this list, in which the classes take turns.")
    index: int = Field(description="Its place in the test set.")
    label: str
    picture: PictureAnswer


class Given(BaseModel):
    """A picture as it is sent: uint8."""

    model_config = ConfigDict(extra="forbid")

    channels: int = Field(ge=1, le=4)
    height: int = Field(ge=1, le=MOST_SIDE)
    width: int = Field(ge=1, le=MOST_SIDE)
    data: str = Field(description="Base64 of channels × height × width bytes.")

    def pixels(self) -> Pixels:
        """(C, H, W).

        Raises:
            RequestError: not as many bytes as the shape says.
        """
        shape = (self.channels, self.height, self.width)
        try:
            content = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            content = b""
        if len(content) != math.prod(shape):
            raise RequestError("web.picture_bytes", field="picture", expected=math.prod(shape), arrived=len(content))
        return np.frombuffer(content, np.uint8).reshape(shape)


class LookRequest(BaseModel):
    """A picture of the network's own size."""

    model_config = ConfigDict(extra="forbid")
    picture: Given


class MapsRequest(LookRequest):
    """A picture and a layer."""

    layer: str


class UnitRequest(MapsRequest):
    """A picture, a layer and a unit of it."""

    place: list[int] = Field(description="[channel, row, column], or [unit].", min_length=1, max_length=3)


class SeeRequest(BaseModel):
    """A picture of any size."""

    model_config = ConfigDict(extra="forbid")
    picture: Given
    drawn: bool = Field(False, description="A drawing in white on black: centre it as MNIST's authors did.")
    invert: bool = Field(False, description="Swap light and dark first.")


class Thumbnails(BaseModel):
    """The first maps of a layer."""

    layer: str
    low: float
    high: float
    maps: PictureAnswer


class Likely(BaseModel):
    """A class and its probability."""

    label: str
    probability: float


class LookAnswer(BaseModel):
    """What the network makes of a picture."""

    probabilities: list[Likely] = Field(description="In the order of the classes.")
    inputs: PictureAnswer
    layers: list[Thumbnails]


class MapsAnswer(BaseModel):
    """All maps of a layer and, for a convolution, its filters."""

    maps: PictureAnswer
    filters: PictureAnswer | None = Field(description="The filters' slices, F · C channels of kH × kW.")
    filter_channels: int


class StepAnswer(BaseModel):
    """A step on the way to the network's input."""

    name: str
    picture: PictureAnswer


class SeeAnswer(BaseModel):
    """The way of a picture to the prediction."""

    steps: list[StepAnswer]
    inputs: PictureAnswer
    probabilities: list[Likely]


def network_answer(run: Run, *, samples: int = 0) -> NetworkAnswer:
    """A run with its layers; `samples` is how many test pictures can be asked for."""
    # What needs PyTorch is imported here, so that a page without a run opens without it.
    from convoscope.inspection.look import walk_of
    from convoscope.web.untrained import UntrainedRun

    p, metrics = run.preprocessing, run.metrics or {}
    walks = {layer.name: walk_of(run.model.get_submodule(layer.name)) for layer in run.layers}
    layers = [
        LayerAnswer(
            name=layer.name,
            kind=layer.kind,
            input_shape=list(layer.input_shape),
            output_shape=list(layer.output_shape),
            parameters=layer.parameters,
            macs=layer.macs,
            receptive_field=None if layer.receptive_field is None else list(layer.receptive_field),
            has_filters=walks[layer.name] is not None,
            walk=walks[layer.name],
        )
        for layer in run.layers
    ]
    return NetworkAnswer(
        model=str(run.config["model"]),
        data=as_text(str(run.config["data"]["name"])),
        classes=list(run.classes),
        channels=p.channels,
        height=p.height,
        width=p.width,
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        trained=not isinstance(run, UntrainedRun),
        test_error=metrics.get("test_error"),
        samples=samples,
        layers=layers,
    )


def likely(run: Run, probabilities: NDArray[np.float64]) -> list[Likely]:
    """The classes with their probabilities (classes,), in their order."""
    pairs = zip(run.classes, probabilities, strict=True)
    return [Likely(label=label, probability=float(share)) for label, share in pairs]


def as_maps(values: Maps) -> Maps:
    """(C, H, W) as it is; (features,) as one map of a few rows."""
    if values.ndim == 3:
        return values
    columns = next(width for width in range(min(32, len(values)), 0, -1) if len(values) % width == 0)
    # A prime number of features stays one row.
    return values.reshape(1, -1, columns if columns > 4 else len(values))


def encoded_floats(values: Maps) -> PictureAnswer:
    """Maps (C, H, W) as they travel."""
    channels, height, width = values.shape
    data = base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")
    return PictureAnswer(channels=channels, height=height, width=width, encoding="float32", data=data)
