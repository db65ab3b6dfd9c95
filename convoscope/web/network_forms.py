"""What is asked of the network level, and what it answers."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from convoscope.core.errors import RequestError
from convoscope.data.types import Pixels
from convoscope.web.api_bench import PictureAnswer

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
