"""The interface of the network level and of what the model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from convoscope.core.errors import RequestError
from convoscope.data.types import Pixels
from convoscope.web import pictures, seeing
from convoscope.web.api_bench import FILE_BODY, encoded
from convoscope.web.faults import FAULTS
from convoscope.web.network_forms import (
    Given,
    LookAnswer,
    LookRequest,
    MapsAnswer,
    MapsRequest,
    NetworkAnswer,
    Sample,
    SeeAnswer,
    SeeRequest,
    StepAnswer,
    Thumbnails,
    UnitRequest,
    as_maps,
    encoded_floats,
    likely,
    network_answer,
)

if TYPE_CHECKING:
    from convoscope.web.network import Network

MOST_SAMPLES = 60
MOST_THUMBNAILS = 8


def _asked(
    of: Annotated[
        str | None,
        Query(max_length=150, description="LESSON/STEP: the network of that step, instead of the run that is served."),
    ] = None,
) -> None:
    """Describes the parameter, which `network_asked_for` reads."""


router = APIRouter(prefix="/api/v1/network", responses=FAULTS, dependencies=[Depends(_asked)])


@router.get("")
def network(request: Request) -> NetworkAnswer:
    """The run that is served, with its layers."""
    served = network_asked_for(request)
    return network_answer(served.run, samples=0 if served.samples is None else len(served.samples))


@router.get("/samples")
def samples(
    request: Request,
    start: Annotated[int, Query(ge=0)] = 0,
    count: Annotated[int, Query(ge=1, le=MOST_SAMPLES)] = 20,
) -> list[Sample]:
    """Test pictures of the data that the run was trained on."""
    served = network_asked_for(request)
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
    served = network_asked_for(request)
    seen = served.look(fitting(served, asked.picture))
    return LookAnswer(
        probabilities=likely(served.run, seen.probabilities),
        inputs=encoded_floats(seen.inputs),
        layers=[
            Thumbnails(
                layer=name,
                low=float(maps.min()),
                high=float(maps.max()),
                maps=encoded_floats(as_maps(maps)[:MOST_THUMBNAILS]),
            )
            for name, maps in seen.outputs.items()
        ],
    )


@router.post("/maps")
def maps(request: Request, asked: MapsRequest) -> MapsAnswer:
    """All that one layer made of a picture, and its filters."""
    served = network_asked_for(request)
    made = served.maps(fitting(served, asked.picture), asked.layer)
    weights = served.filters(asked.layer)
    slices = None if weights is None else weights.reshape(-1, *weights.shape[2:])
    return MapsAnswer(
        maps=encoded_floats(as_maps(made)),
        filters=None if slices is None else encoded_floats(slices),
        filter_channels=0 if weights is None else weights.shape[1],
    )


@router.post("/unit")
def unit(request: Request, asked: UnitRequest) -> dict[str, Any]:
    """How one unit came about: its sum, PyTorch's number, its receptive and its effective field."""
    served = network_asked_for(request)
    return served.unit(fitting(served, asked.picture), asked.layer, tuple(asked.place)).to_dict()


@router.post("/see")
def see(request: Request, asked: SeeRequest) -> SeeAnswer:
    """A picture of any size on its way to the prediction, step by step."""
    return _seen(network_asked_for(request), asked.picture.pixels(), drawn=asked.drawn, invert=asked.invert)


@router.post("/see/upload", openapi_extra=FILE_BODY)
async def see_upload(request: Request, invert: bool = False) -> SeeAnswer:
    """The same for a picture file, which is the body of the request; it is neither kept nor written anywhere."""
    served, content = await run_in_threadpool(network_asked_for, request), await request.body()

    def see_file() -> SeeAnswer:
        return _seen(served, pictures.read_upload(content), drawn=False, invert=invert)

    return await run_in_threadpool(see_file)


def _seen(served: Network, pixels: Pixels, *, drawn: bool, invert: bool) -> SeeAnswer:
    p = served.run.preprocessing
    size = (p.height, p.width)
    if drawn:
        steps = seeing.steps_of_drawing(pixels[:1], channels=p.channels, size=size, invert=invert)
    else:
        steps = seeing.steps_of_picture(pixels, channels=p.channels, size=size, invert=invert)
    look_at_it = served.look(steps[-1].pixels)
    return SeeAnswer(
        steps=[StepAnswer(name=step.name, picture=encoded(step.pixels)) for step in steps],
        inputs=encoded_floats(look_at_it.inputs),
        probabilities=likely(served.run, look_at_it.probabilities),
    )


def network_asked_for(request: Request) -> Network:
    """The network of the lesson's step which ``?of=LESSON/STEP`` names, or else that which is served.

    Raises:
        RequestError: none is, or there is no such lesson or step.
    """
    if "of" in request.query_params:
        lesson, _, step = request.query_params["of"].partition("/")
        opened = request.app.state.lessons.get(lesson)
        own: Network | None = opened.network(opened.file.tour.step(step))
        if own is not None:
            return own
    return served_network(request)


def served_network(request: Request) -> Network:
    """The network that is served.

    Raises:
        RequestError: none is.
    """
    served: Network | None = request.app.state.network
    if served is None:
        raise RequestError("web.run_missing")
    return served


def fitting(served: Network, given: Given) -> Pixels:
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


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(length) for length in shape)
