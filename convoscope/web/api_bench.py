"""The interface of the kernel bench: messages, kernels, pictures, uploads, and convolution and pooling by request."""

from __future__ import annotations

import base64
import math
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from convoscope.convolution import convolve, geometry, kernels, pool
from convoscope.core.errors import RequestError
from convoscope.core.messages import LANGUAGES, catalogue
from convoscope.data.types import Pixels
from convoscope.web import pictures
from convoscope.web.faults import FAULTS

MOST_NUMBERS = 1_000_000
MOST_OUTPUTS = 4_000_000
MOST_TAPS = 4_000_000
MOST_PRODUCTS = 200_000_000

# A form would be spooled to a file on disk when it is large; a bare body stays in memory.
FILE_BODY = {
    "requestBody": {
        "description": "The bytes of one PNG, JPEG, GIF, BMP or WebP file.",
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}

router = APIRouter(prefix="/api/v1", responses=FAULTS)


class KernelAnswer(BaseModel):
    """A named kernel."""

    spec: str = Field(description="How it is asked for.")
    numbers: list[list[float]]
    cells: list[list[str]] = Field(description="The numbers as people write them: 1/9.")
    names: dict[str, str]
    meanings: dict[str, str]
    source: str
    parameters: dict[str, Any]


class PictureEntry(BaseModel):
    """A built-in picture, without its pixels."""

    name: str
    names: dict[str, str]
    credit: dict[str, str]
    channels: int
    height: int
    width: int


class PictureAnswer(BaseModel):
    """A picture with its pixels."""

    channels: int
    height: int
    width: int
    encoding: Literal["uint8", "float32"] = "uint8"
    data: str = Field(description="Base64: channel by channel, row by row.")


class BenchAnswer(BaseModel):
    """All that the bench needs to start."""

    kernels: list[KernelAnswer]
    pictures: list[PictureEntry]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: list[Any] = Field(description="Rows of numbers, (H, W), or channels of rows, (C, H, W).")
    padding: str | int | list[Any] = Field("valid", description="valid, same, n, [rows, columns] or [[t, b], [l, r]].")
    dilation: int | tuple[int, int] = 1


class ConvolveRequest(_Request):
    """A convolution."""

    kernel: str | list[Any] = Field(description="A kernel's name, or numbers: (kH, kW), (C, kH, kW), (F, C, kH, kW).")
    bias: float | list[float] | None = None
    stride: int | tuple[int, int] = 1
    groups: int = 1


class PoolRequest(_Request):
    """A pooling."""

    kind: Literal["max", "avg"]
    size: int | tuple[int, int]
    stride: int | tuple[int, int] | None = None
    ceil_mode: bool = False
    count_include_pad: bool = False


@router.get("/messages")
def messages() -> dict[str, dict[str, str]]:
    """Every sentence of the page: language -> key -> text."""
    return {language: {key: text[language] for key, text in catalogue("web").items()} for language in LANGUAGES}


@router.get("/bench")
def bench() -> BenchAnswer:
    """The named kernels and the built-in pictures."""
    return BenchAnswer(kernels=all_kernels(), pictures=[_entry(picture) for picture in pictures.built_in().values()])


@router.get("/kernel")
def kernel(spec: Annotated[str, Query(max_length=200, examples=["gabor:angle=45,wavelength=6"])]) -> KernelAnswer:
    """One kernel, with its parameters as asked."""
    return KernelAnswer(**kernels[spec].to_dict())


@router.get("/pictures/{name}")
def picture(name: str) -> PictureAnswer:
    """A built-in picture."""
    return encoded(pictures.find(name).pixels)


@router.post("/pictures", openapi_extra=FILE_BODY)
async def upload(request: Request) -> PictureAnswer:
    """Decode a picture file, which is the body of the request; it is neither kept nor written anywhere."""
    return encoded(await run_in_threadpool(pictures.read_upload, await request.body()))


@router.post("/convolve")
def convolve_request(request: ConvolveRequest) -> dict[str, Any]:
    """Convolve; the answer is the trace."""
    weights: Any = kernels[request.kernel] if isinstance(request.kernel, str) else request.kernel
    shape = tuple(weights.shape) if isinstance(request.kernel, str) else _shape(request.kernel)
    filters = {2: None, 3: 1}.get(len(shape), shape[0] if shape else None)
    _check_work(request, shape[-2:], math.prod(shape), stride=request.stride, filters=filters)
    return convolve(
        request.image,
        weights,
        bias=request.bias,
        padding=_padding(request.padding),
        stride=request.stride,
        dilation=request.dilation,
        groups=request.groups,
    ).to_dict()


@router.post("/pool")
def pool_request(request: PoolRequest) -> dict[str, Any]:
    """Pool; the answer is the trace."""
    size = (request.size, request.size) if isinstance(request.size, int) else request.size
    _check_work(
        request,
        size,
        math.prod(size),
        stride=request.size if request.stride is None else request.stride,
        filters=None,
    )
    return pool(
        request.image,
        request.kind,
        request.size,
        stride=request.stride,
        padding=_padding(request.padding),
        dilation=request.dilation,
        ceil_mode=request.ceil_mode,
        count_include_pad=request.count_include_pad,
    ).to_dict()


def all_kernels() -> list[KernelAnswer]:
    """Every named kernel with its standard parameters."""
    return [KernelAnswer(**kernels[name].to_dict()) for name in kernels]


def encoded(pixels: Pixels) -> PictureAnswer:
    """A picture (C, H, W) uint8 as it travels."""
    channels, height, width = pixels.shape
    return PictureAnswer(
        channels=channels, height=height, width=width, data=base64.b64encode(pixels.tobytes()).decode("ascii")
    )


def _entry(picture: pictures.Picture) -> PictureEntry:
    channels, height, width = picture.pixels.shape
    return PictureEntry(
        name=picture.name, names=picture.names, credit=picture.credit, channels=channels, height=height, width=width
    )


def _padding(given: str | int | list[Any]) -> Any:
    return (
        tuple(tuple(side) if isinstance(side, list) else side for side in given) if isinstance(given, list) else given
    )


def _check_work(request: _Request, window: tuple[int, ...], taps: int, *, stride: Any, filters: int | None) -> None:
    """Refuse what would keep the server busy or full: too many numbers in or out, too many taps or products.

    Args:
        request: what is asked.
        window: rows and columns of the kernel.
        taps: products at each place, of all filters; of one channel where each has an output of its own.
        stride: of the window.
        filters: how many outputs there are at each place; None if each channel has one of its own.

    Raises:
        RequestError: too much work. What has no sensible shape is left to the calculation itself to refuse.
    """
    shape = _shape(request.image)
    if len(shape) not in (2, 3) or len(window) != 2 or not all((*shape, *window)):
        return
    windows = geometry(
        (shape[-2], shape[-1]), (window[0], window[1]), padding=_padding(request.padding), stride=stride,
        dilation=request.dilation, ceil_mode=isinstance(request, PoolRequest) and request.ceil_mode,
        field="kernel" if isinstance(request, ConvolveRequest) else "size",
    )  # fmt: skip
    rows, columns = windows.rows, windows.columns
    depth = shape[0] if len(shape) == 3 else 1
    numbers = max(depth * (rows.padded + rows.overhang) * (columns.padded + columns.overhang), math.prod(shape))
    places = math.prod(windows.output_size)
    outputs = places * (depth if filters is None else filters)
    products = places * taps * (depth if filters is None else 1)
    axis_taps = max(rows.outputs * rows.size, columns.outputs * columns.size)
    too_much = outputs > MOST_OUTPUTS or axis_taps > MOST_TAPS or products > MOST_PRODUCTS
    if numbers > MOST_NUMBERS or too_much:
        raise RequestError("web.convolve_too_large", field="image", pixels=numbers, taps=taps)


def _shape(value: Any) -> tuple[int, ...]:
    """The shape that nested lists seem to have, judged by their first entries."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)
