"""The interface of the network level and of what the model sees."""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, File, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from convoscope.core.errors import RequestError
from convoscope.data.types import Pixels
from convoscope.web import pictures, seeing
from convoscope.web.api_bench import PictureAnswer, encoded
from convoscope.web.faults import FAULTS

if TYPE_CHECKING:
    from convoscope.web.network import Maps, Network

MOST_SAMPLES = 60
MOST_THUMBNAILS = 8
MOST_SIDE = 2048

router = APIRouter(prefix="/api/v1/network", responses=FAULTS)


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


@router.get("")
def network(request: Request) -> NetworkAnswer:
    """The run that is served, with its layers."""
    served = _network(request)
    run, p = served.run, served.run.preprocessing
    layers = [
        LayerAnswer(
            name=layer.name,
            kind=layer.kind,
            input_shape=list(layer.input_shape),
            output_shape=list(layer.output_shape),
            parameters=layer.parameters,
            macs=layer.macs,
            receptive_field=None if layer.receptive_field is None else list(layer.receptive_field),
            has_filters=served.walk(layer.name) is not None,
            walk=served.walk(layer.name),
        )
        for layer in served.layers
    ]
    return NetworkAnswer(
        model=str(run.config["model"]),
        data=str(run.config["data"]["name"]),
        classes=list(run.classes),
        channels=p.channels,
        height=p.height,
        width=p.width,
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        test_error=(run.metrics or {}).get("test_error"),
        samples=0 if served.samples is None else len(served.samples),
        layers=layers,
    )


@router.get("/samples")
def samples(
    request: Request,
    start: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=1, le=MOST_SAMPLES)] = 20,
) -> list[Sample]:
    """Test pictures of the data that the run was trained on."""
    served = _network(request)
    found = served.samples
    if found is None:
        return []
    return [
        Sample(
            position=start + position,
            index=index,
            label=served.run.classes[int(found.labels[index])],
            picture=encoded(served.fitted(np.array(found.images[index]))),
        )
        for position, index in enumerate(served.turns[start : start + count])
    ]


@router.post("/look")
def look(request: Request, asked: LookRequest) -> LookAnswer:
    """Send a picture through: prediction, and the first maps of every layer."""
    served = _network(request)
    seen = served.look(_fitting(served, asked.picture))
    return LookAnswer(
        probabilities=_likely(served, seen.probabilities),
        inputs=_floats(seen.inputs),
        layers=[
            Thumbnails(
                layer=name,
                low=float(maps.min()),
                high=float(maps.max()),
                maps=_floats(_as_maps(maps)[:MOST_THUMBNAILS]),
            )
            for name, maps in seen.outputs.items()
        ],
    )


@router.post("/maps")
def maps(request: Request, asked: MapsRequest) -> MapsAnswer:
    """All that one layer made of a picture, and its filters."""
    served = _network(request)
    made = served.maps(_fitting(served, asked.picture), asked.layer)
    weights = served.filters(asked.layer)
    slices = None if weights is None else weights.reshape(-1, *weights.shape[2:])
    return MapsAnswer(
        maps=_floats(_as_maps(made)),
        filters=None if slices is None else _floats(slices),
        filter_channels=0 if weights is None else weights.shape[1],
    )


@router.post("/unit")
def unit(request: Request, asked: UnitRequest) -> dict[str, Any]:
    """How one unit came about: its sum, PyTorch's number, its receptive and its effective field."""
    served = _network(request)
    return served.unit(_fitting(served, asked.picture), asked.layer, tuple(asked.place)).to_dict()


@router.post("/see")
def see(request: Request, asked: SeeRequest) -> SeeAnswer:
    """A picture of any size on its way to the prediction, step by step."""
    return _seen(_network(request), asked.picture.pixels(), drawn=asked.drawn, invert=asked.invert)


@router.post("/see/upload")
def see_upload(
    request: Request,
    file: Annotated[UploadFile, File(description="One PNG, JPEG, GIF, BMP or WebP file.")],
    invert: bool = False,
) -> SeeAnswer:
    """The same for an uploaded file; it is neither kept nor written anywhere."""
    pixels = pictures.read_upload(file.file.read(pictures.MOST_UPLOAD_BYTES + 1))
    return _seen(_network(request), pixels, drawn=False, invert=invert)


def _seen(served: Network, pixels: Pixels, *, drawn: bool, invert: bool) -> SeeAnswer:
    p = served.run.preprocessing
    size = (p.height, p.width)
    if drawn:
        steps = seeing.steps_of_drawing(pixels[:1], channels=p.channels, size=size)
    else:
        steps = seeing.steps_of_picture(pixels, channels=p.channels, size=size, invert=invert)
    look_at_it = served.look(steps[-1].pixels)
    return SeeAnswer(
        steps=[StepAnswer(name=step.name, picture=encoded(step.pixels)) for step in steps],
        inputs=_floats(look_at_it.inputs),
        probabilities=_likely(served, look_at_it.probabilities),
    )


def _network(request: Request) -> Network:
    """The network that is served.

    Raises:
        RequestError: none is.
    """
    served: Network | None = request.app.state.network
    if served is None:
        raise RequestError("web.run_missing")
    return served


def _fitting(served: Network, given: Given) -> Pixels:
    """The picture, if it is of the network's size.

    Raises:
        RequestError: it is not.
    """
    pixels = given.pixels()
    expected = served.run.preprocessing.input_shape
    if pixels.shape != expected:
        raise RequestError(
            "web.picture_shape", field="picture", expected=_times(expected), arrived=_times(pixels.shape)
        )
    return pixels


def _likely(served: Network, probabilities: Any) -> list[Likely]:
    pairs = zip(served.run.classes, probabilities, strict=True)
    return [Likely(label=label, probability=float(share)) for label, share in pairs]


def _as_maps(values: Maps) -> Maps:
    """(C, H, W) as it is; (features,) as one map of a few rows."""
    if values.ndim == 3:
        return values
    columns = next(width for width in range(min(32, len(values)), 0, -1) if len(values) % width == 0)
    # A prime number of features stays one row.
    return values.reshape(1, -1, columns if columns > 4 else len(values))


def _floats(values: Maps) -> PictureAnswer:
    channels, height, width = values.shape
    data = base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")
    return PictureAnswer(channels=channels, height=height, width=width, encoding="float32", data=data)


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(length) for length in shape)
