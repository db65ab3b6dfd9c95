"""One picture file to pixels: whatever the format, depth, palette, transparency or rotation.

The rules, in order:

1. The format is told by the first bytes, never by the name: PNG, JPEG, WebP, BMP, GIF (first frame), TIFF (first page).
2. Pictures of more than `MAX_PIXELS` are refused before they are decoded.
3. 16-bit grey values are scaled by 255/65535 and rounded; of 16-bit colour, or grey with transparency, Pillow gives the
   higher eight bits. Floating-point values must lie in 0…1 and are scaled by 255.
4. Transparent pixels are laid over white.
5. The EXIF orientation is applied.
6. To bring a picture to a size, its centre is cut out in the wanted proportions, as large as possible, and resampled
   (bicubic, antialiased): the same as scaling the shorter side and cutting the centre out.

Colour profiles are not applied.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.Image import DecompressionBombError, Resampling

from convoscope.core.errors import RequestError
from convoscope.data.types import LeftOut, Pixels

MAX_PIXELS = 89_478_485  # Pillow's own limit for a picture that is not an attack: 256 MB as RGB
READER_VERSION = 2  # raise it when the same file would give other pixels: caches of the older reader are then left

# The plugins are called directly, because Image.open tries them in turn and warns through process-wide state.
_OPENERS: tuple[tuple[re.Pattern[bytes], Any], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PngImagePlugin.PngImageFile),
    (re.compile(rb"\xff\xd8\xff"), JpegImagePlugin.jpeg_factory),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), WebPImagePlugin.WebPImageFile),
    (re.compile(rb"GIF8[79]a"), GifImagePlugin.GifImageFile),
    (re.compile(rb"II\*\0|MM\0\*|II\+\0|MM\0\+"), TiffImagePlugin.TiffImageFile),
    (re.compile(rb"BM"), BmpImagePlugin.BmpImageFile),
)
_GREY = {"1", "L", "LA", "La", "I", "F"}
_ALPHA = {"RGBA", "LA", "PA", "RGBa", "La"}
_MAY_ROTATE = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadableError(Exception):
    """A file that can't be used as a picture; `cause` and `detail` as in `LeftOut`."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


class Facts(NamedTuple):
    """What a picture's header says: its size as shown (after EXIF rotation), and whether it holds grey values only."""

    height: int
    width: int
    grey: bool


def read_image(
    source: str | os.PathLike[str] | bytes, *, channels: int | None = None, size: tuple[int, int] | None = None
) -> Pixels:
    """Decode one picture file.

    Args:
        source: its path, or its bytes.
        channels: 1 for grey (ITU-R 601 luma of colour), 3 for RGB; None keeps what the file holds.
        size: (height, width) to bring it to (see the rules of this module); None keeps its own.

    Returns:
        (C, H, W) uint8.

    Raises:
        RequestError: the file is missing, closed to us, damaged, too large, or no picture.
    """
    name = "<bytes>" if isinstance(source, bytes) else os.fspath(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata, which we don't use
        try:
            if isinstance(source, bytes):
                return decode(source, channels=channels, size=size)
            with open(source, "rb") as file:
                return decode(file.read(), channels=channels, size=size)
        except OSError as error:
            raise RequestError("data.file_closed", file=name, detail=error.strerror or str(error)) from error
        except UnreadableError as error:
            reason = LeftOut(name, error.cause, error.detail).reason
            raise RequestError("data.picture_unreadable", file=name, reason=reason) from error


def fit(image: Pixels, *, channels: int, size: tuple[int, int]) -> Pixels:
    """Bring a decoded picture (C, H, W) to `channels` and `size` (height, width), by the rules of this module.

    A second or a fourth channel of a picture is transparency and left out, before anything is resampled: Pillow would
    weigh the colours by it.

    Raises:
        RequestError: neither grey nor colour is wanted, and the picture is not of that form already.
    """
    if image.shape == (channels, *size):
        return image
    if channels not in (1, 3):
        raise RequestError("data.fit_channels", wanted=(channels, *size), found=image.shape)
    image = image[:1] if len(image) < 3 else image[:3]
    if image.shape == (channels, *size):
        return image
    picture = Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
    return _pixels(_with_channels(_resized(picture, size), channels))


def examine(file: IO[bytes]) -> Facts:
    """Read the header of an open picture file.

    Raises:
        UnreadableError: it is no picture, too large, or its header is damaged.
    """
    image = _open(file)
    try:
        turned = _orientation(image) >= 5
    except Exception as error:
        raise _damaged(error) from error
    width, height = image.size[::-1] if turned else image.size
    return Facts(height, width, image.mode in _GREY or image.mode.startswith("I;16"))


def decode(content: bytes, *, channels: int | None = None, size: tuple[int, int] | None = None) -> Pixels:
    """Decode the bytes of a picture file to (C, H, W) uint8; arguments as for `read_image`.

    Raises:
        UnreadableError: it is no picture, too large, or damaged.
    """
    image = _open(io.BytesIO(content))
    try:
        # Whole, even where a JPEG could be decoded at an eighth for less work: a picture must get the same pixels here
        # as where it is decoded first and brought to its size later, as the exported file does.
        image.load()
        turn = _TURNS.get(_orientation(image))
        flat = _eight_bits(image)
        if turn is not None:
            flat = flat.transpose(turn)
        if size is not None:
            flat = _resized(flat, size)
        return _pixels(_with_channels(flat, channels or (1 if flat.mode == "L" else 3)))
    except UnreadableError:
        raise
    except Exception as error:  # a decoder may raise anything on a damaged file
        raise _damaged(error) from error


def _open(file: IO[bytes]) -> Image.Image:
    head = file.read(16)
    if not head:
        raise UnreadableError("empty")
    opener = next((opener for start, opener in _OPENERS if start.match(head)), None)
    if opener is None:
        raise UnreadableError("no_picture")
    file.seek(0)
    try:
        image: Image.Image = opener(file, None)
    except Exception as error:
        raise _damaged(error) from error
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableError("pixels", f"{image.width}x{image.height}")
    return image


def _damaged(error: Exception) -> UnreadableError:
    if isinstance(error, DecompressionBombError):
        return UnreadableError("pixels", "")
    return UnreadableError("damaged", f"{error}".strip() or type(error).__name__)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 if there is none; without the cost of looking where there can't be one."""
    if isinstance(image, TiffImagePlugin.TiffImageFile) or _MAY_ROTATE.isdisjoint(image.info):
        return 1  # Pillow turns TIFF by itself
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """The picture in mode L or RGB, transparency laid over white."""
    if image.mode == "F":
        values = np.asarray(image)
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            raise UnreadableError("range_float")
        return Image.fromarray(np.rint(values * 255).astype(np.uint8))
    if image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image)
        grey = _from_16_bits(values)
        if "transparency" in image.info:  # the one value that is
            grey[values == image.info["transparency"]] = 255
        return Image.fromarray(grey)
    if image.mode in _ALPHA or "transparency" in image.info:
        shown = Image.new("RGBA", image.size, "white")
        shown.alpha_composite(image.convert("RGBA"))
        return shown.convert("L" if image.mode in _GREY else "RGB")
    return _with_channels(image, 1 if image.mode in _GREY else 3)


def _from_16_bits(values: npt.NDArray[Any]) -> Pixels:
    """0…65535 -> 0…255, rounded."""
    if values.dtype.itemsize > 2 and (values.min() < 0 or values.max() > 65535):
        raise UnreadableError("range_16")
    scaled: Pixels = ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return scaled


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The largest centred part in the proportions of `size` (height, width), resampled to it."""
    height, width = size
    if image.size == (width, height):
        return image
    scale = min(image.width / width, image.height / height)
    left, top = (image.width - scale * width) / 2, (image.height - scale * height) / 2
    box = (left, top, left + scale * width, top + scale * height)
    box = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], image.width), min(box[3], image.height))
    return image.resize((width, height), Resampling.BICUBIC, box=box)


def _with_channels(image: Image.Image, channels: int) -> Image.Image:
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _pixels(image: Image.Image) -> Pixels:
    """Mode L or RGB -> (C, H, W)."""
    values = np.asarray(image)
    return values[None] if values.ndim == 2 else np.ascontiguousarray(values.transpose(2, 0, 1))
