"""One picture file to pixels: every format, depth and kind of transparency, and every way a file can be broken."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from convoscope.core.errors import RequestError
from convoscope.core.messages import using_language
from convoscope.data.decode import MAX_PIXELS, UnreadableError, decode, examine, fit, read_image

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREY = RGB[..., 0]


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, body=b"", depth=8, colour=2):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_very_pixels(kind):
    assert (decode(saved(Image.fromarray(RGB), kind)) == RGB.transpose(2, 0, 1)).all()
    assert (decode(saved(Image.fromarray(GREY), kind)) == GREY[None]).all()


def test_lossless_webp_and_the_first_frame_of_a_gif():
    assert (decode(saved(Image.fromarray(RGB), "WEBP", lossless=True)) == RGB.transpose(2, 0, 1)).all()
    frames = [Image.fromarray(np.full((6, 9), value, np.uint8)) for value in (10, 200)]
    gif = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.unique(decode(gif)).tolist() == [10]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_come_close(kind):
    smooth = np.add.outer(np.arange(64), np.arange(48)).astype(np.uint8)
    decoded = decode(saved(Image.fromarray(smooth), kind, quality=95), channels=1)
    assert decoded.shape == (1, 64, 48)
    assert np.abs(decoded[0].astype(int) - smooth).max() <= 4


def test_one_bit_pictures_are_black_and_white():
    bits = GREY > 127
    assert (decode(saved(Image.fromarray(bits), "PNG"))[0] == bits * 255).all()


def test_palette_pictures_show_their_colours():
    image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "L").convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    expected = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [0, 255, 0]]]).transpose(2, 0, 1)
    for kind in ("PNG", "GIF", "BMP", "TIFF"):
        assert (decode(saved(image, kind)) == expected).all(), kind


@given(alpha=st.integers(0, 255), value=st.integers(0, 255))
def test_transparency_is_laid_over_white(alpha, value):
    expected = value * alpha / 255 + 255 - alpha
    for mode, colour in (("RGBA", (value, value, value, alpha)), ("LA", (value, alpha))):
        decoded = decode(saved(Image.new(mode, (3, 2), colour), "PNG"))
        assert decoded.shape == ((3 if mode == "RGBA" else 1), 2, 3)
        assert np.abs(decoded - expected).max() <= 1


@pytest.mark.parametrize(
    ("mode", "colour", "transparent"), [("L", 7, 7), ("RGB", (7, 8, 9), (7, 8, 9)), ("P", 1, 1), ("1", 0, 0)]
)
def test_a_transparent_colour_becomes_white(mode, colour, transparent):
    image = Image.new(mode, (3, 2), colour)
    if mode == "P":
        image.putpalette([0, 0, 0, 9, 9, 9])
    assert (decode(saved(image, "PNG", transparency=transparent)) == 255).all()


def test_transparent_gifs_are_white_where_nothing_is():
    image = Image.new("P", (3, 2), 1)
    image.putpalette([0, 0, 0, 9, 9, 9])
    assert (decode(saved(image, "GIF", transparency=1)) == 255).all()


def test_cmyk_is_converted():
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    for kind in ("JPEG", "TIFF"):
        decoded = decode(saved(ink, kind))
        assert np.abs(decoded.astype(int) - np.array([255, 0, 0])[:, None, None]).max() <= 3, kind


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled(kind):
    values = np.array([[0, 128, 129, 257], [32768, 65406, 65407, 65535]], np.uint16)
    decoded = decode(saved(Image.fromarray(values), kind))
    assert (decoded[0] == np.rint(values / 257)).all()


def test_the_transparent_value_of_16_bit_grey_becomes_white():
    values = np.array([[0, 1], [257, 65535]], np.uint16)
    decoded = decode(saved(Image.fromarray(values), "PNG", transparency=1))
    assert decoded[0].tolist() == [[0, 255], [1, 255]]


def test_of_16_bit_colour_the_higher_bits_are_taken():
    rows = b"".join(b"\0" + np.array([[0x0000, 0x80FF, 0xFFFF]] * 2, ">u2").tobytes() for _ in range(3))
    assert decode(png(2, 3, rows, depth=16))[:, 0, 0].tolist() == [0, 128, 255]


def test_floating_point_must_lie_between_0_and_1():
    values = np.array([[0, 0.5, 1]], np.float32)
    assert decode(saved(Image.fromarray(values), "TIFF"))[0].tolist() == [[0, 128, 255]]
    for wrong in (1.5, -0.1, np.nan, np.inf):
        with pytest.raises(UnreadableError, match="range_float"):
            decode(saved(Image.fromarray(np.array([[0, wrong]], np.float32)), "TIFF"))


def test_32_bit_whole_numbers_must_be_16_bit_values():
    assert decode(saved(Image.fromarray(np.array([[0, 65535]], np.int32)), "TIFF"))[0].tolist() == [[0, 255]]
    with pytest.raises(UnreadableError, match="range_16"):
        decode(saved(Image.fromarray(np.array([[0, 65536]], np.int32)), "TIFF"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_rotation_is_applied(orientation, kind):
    upright = np.zeros((32, 48), np.uint8)
    upright[:16, :24] = 255  # white top left
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(np.ascontiguousarray(turned)), kind, exif=exif)
    decoded = decode(content, channels=1)
    assert decoded.shape == (1, 32, 48)
    assert np.abs(decoded[0].astype(int) - upright).mean() < 3
    facts = examine(io.BytesIO(content))
    assert facts[:2] == (32, 48)


def test_channels_can_be_chosen():
    assert decode(saved(Image.fromarray(GREY), "PNG"), channels=3).shape == (3, 6, 9)
    grey = decode(saved(Image.fromarray(RGB), "PNG"), channels=1)
    assert np.abs(grey[0] - RGB @ [0.299, 0.587, 0.114]).max() <= 1


def test_the_centre_is_kept_when_the_proportions_change():
    image = np.zeros((40, 120, 3), np.uint8)
    image[:, 40:80] = (10, 200, 30)
    decoded = decode(saved(Image.fromarray(image), "PNG"), size=(40, 40))
    assert (decoded == np.array([10, 200, 30])[:, None, None]).all()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))
def test_any_size_fits_any_size(height, width, to_height, to_width, channels):
    image = np.full((channels, height, width), 77, np.uint8)
    for wanted in (1, 3):
        fitted = fit(image, channels=wanted, size=(to_height, to_width))
        assert fitted.shape == (wanted, to_height, to_width)
        assert (fitted == 77).all()


def test_fitting_an_array_is_fitting_its_file():
    image = RGB.transpose(2, 0, 1)
    content = saved(Image.fromarray(RGB), "PNG")
    assert (fit(image, channels=1, size=(4, 4)) == decode(content, channels=1, size=(4, 4))).all()


@pytest.mark.parametrize("size", [(6, 9), (4, 4), (20, 30)])
@pytest.mark.parametrize("channels", [1, 3])
def test_transparency_of_an_array_is_left_out_before_it_is_resampled(size, channels):
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 9), dtype=np.uint8)
    for opaque in (1, 3):
        fitted = fit(image[: opaque + 1], channels=channels, size=size)
        assert (fitted == fit(image[:opaque], channels=channels, size=size)).all()


@pytest.mark.parametrize("channels", [2, 4])
def test_other_channels_than_grey_and_colour_are_taken_as_they_are_or_refused(channels):
    image = np.zeros((channels, 6, 9), np.uint8)
    assert fit(image, channels=channels, size=(6, 9)) is image
    for picture, size in ((image, (4, 4)), (image[:1], (6, 9)), (np.zeros((3, 6, 9), np.uint8), (6, 9))):
        with using_language("en"), pytest.raises(RequestError, match="pictures of that form"):
            fit(picture, channels=channels, size=size)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_jpeg_has_the_pixels_of_what_is_decoded_first_and_fitted_later(channels):
    noise = np.random.default_rng(0).integers(0, 256, (300, 420, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), "JPEG", quality=95)
    later = fit(decode(content), channels=channels, size=(28, 28))
    assert (decode(content, channels=channels, size=(28, 28)) == later).all()


def test_the_name_does_not_matter(tmp_path):
    path = tmp_path / "фото 猫 ñ.jpg"
    path.write_bytes(saved(Image.fromarray(RGB), "PNG"))
    assert (read_image(path) == RGB.transpose(2, 0, 1)).all()
    assert (read_image(str(path)) == read_image(path.read_bytes())).all()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "empty"),
        (b"hello, this is text", "no_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no_picture"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"\xff\xd8\xff", "damaged"),
        (b"BM", "damaged"),
        (b"GIF89a", "damaged"),
        (b"RIFF\0\0\0\0WEBP", "damaged"),
        (b"II*\0", "damaged"),
        (png(20_000, 20_000), "pixels"),
        (png(2**31 - 1, 2**31 - 1), "pixels"),
        (png(3, 3), "damaged"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # Pillow's remarks on damaged metadata
def test_what_is_no_picture_is_refused_with_its_cause(content, cause):
    with pytest.raises(UnreadableError) as caught:
        decode(content)
    assert caught.value.cause == cause


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
@pytest.mark.filterwarnings("ignore")
def test_a_file_torn_in_the_middle_is_refused(kind):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = saved(Image.fromarray(noise), kind)
    for keep in (20, len(whole) // 3, len(whole) // 2):
        with pytest.raises(UnreadableError, match=r"damaged|no_picture"):
            decode(whole[:keep])


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"]), st.data())
@pytest.mark.filterwarnings("ignore")
def test_flipped_bytes_never_do_worse_than_refuse(kind, draw):
    content = bytearray(saved(Image.fromarray(RGB), kind))
    for _ in range(draw.draw(st.integers(1, 5))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    with contextlib.suppress(UnreadableError):
        assert decode(bytes(content)).dtype == np.uint8


def test_the_limit_is_on_pixels_not_on_sides():
    assert examine(io.BytesIO(png(MAX_PIXELS, 1)))[:2] == (1, MAX_PIXELS)
    with pytest.raises(UnreadableError, match="pixels"):
        examine(io.BytesIO(png(MAX_PIXELS + 1, 1)))


def test_reading_names_file_and_reason_in_both_languages(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("hello")
    with pytest.raises(RequestError, match=r"notes.png can't be used as a picture: the content is not a picture"):
        read_image(path)
    with using_language("es"), pytest.raises(RequestError, match=r"notes.png no se puede usar como imagen: el"):
        read_image(path)
    with pytest.raises(RequestError, match=r"nothing.png can't be read: No such file"):
        read_image(tmp_path / "nothing.png")
    with pytest.raises(RequestError, match="can't be read"):
        read_image(tmp_path)
