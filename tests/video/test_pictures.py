"""A picture of the teacher's own: whatever it is, it ends as an upright JPEG of a known size, or with a sentence."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from app.errors import BadInput, TooLarge
from app.video import pictures
from tests.articles import heic

RED, BLUE = (220, 30, 30), (30, 30, 220)


def two_halves(size: tuple[int, int] = (1600, 900), mode: str = "RGB") -> Image.Image:
    """Red above, blue below."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (0, size[1] // 2, *size))
    return picture.convert(mode)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


async def poster_of(data: bytes) -> Image.Image:
    made = await pictures.as_poster(data)
    small = Image.open(io.BytesIO(made["poster-small.jpg"]))
    assert max(small.size) <= 640
    picture = Image.open(io.BytesIO(made["poster.jpg"]))
    assert picture.format == "JPEG"
    return picture


def is_like(picture: Image.Image, at: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    found = picture.convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 25 for a, b in zip(found, colour, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_each_kind_becomes_a_poster(kind: str) -> None:
    picture = await poster_of(saved(two_halves(), kind))
    assert picture.size == (1280, 720)
    assert is_like(picture, (640, 50), RED)
    assert is_like(picture, (640, 680), BLUE)


async def test_what_a_camera_wrote_into_it_goes_and_it_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    exif[0x010F] = "A camera that tells where you live"
    data = saved(two_halves(), "JPEG", exif=exif, comment=b"At home")
    made = (await pictures.as_poster(data))["poster.jpg"]
    assert b"camera" not in made
    assert b"At home" not in made
    picture = Image.open(io.BytesIO(made))
    assert picture.size == (720, 1280)
    assert is_like(picture, (680, 640), RED)
    assert is_like(picture, (40, 640), BLUE)
    assert not picture.getexif()


async def test_what_is_seen_through_is_white() -> None:
    picture = await poster_of(saved(Image.new("RGBA", (800, 450), (0, 0, 0, 0)), "PNG"))
    assert is_like(picture, (400, 200), (255, 255, 255))
    palette = two_halves((800, 450), "P")
    assert (await poster_of(saved(palette, "PNG", transparency=255))).mode == "RGB"


async def test_rare_modes_keep_their_brightness() -> None:
    deep = Image.new("I;16", (800, 450), 32768)
    assert is_like(await poster_of(saved(deep, "PNG")), (400, 200), (128, 128, 128))
    assert is_like(await poster_of(saved(two_halves(mode="CMYK"), "JPEG")), (640, 50), RED)
    assert (await poster_of(saved(two_halves(mode="L"), "JPEG"))).mode == "RGB"


async def test_a_small_picture_is_not_blown_up() -> None:
    assert (await poster_of(saved(two_halves((700, 400)), "PNG"))).size == (700, 400)


def bomb(width: int, height: int) -> bytes:
    """A PNG that promises more pixels than it has bytes for."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + rows + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Choose a picture"),
        (b"Hold for two seconds.\n" * 50, "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (saved(two_halves(), "GIF"), "no picture"),
        (saved(two_halves(), "JPEG")[:4000], "no picture"),
        (saved(two_halves(), "PNG")[:300], "no picture"),
        (saved(two_halves((320, 180)), "JPEG"), "640 pixels"),
        (bomb(9000, 9000), "too many pixels"),
        (bomb(60_000, 60_000), "no picture"),
        (bomb(1000, 1000), "no picture"),
    ],
    ids=["empty", "text", "svg", "gif", "half a jpeg", "half a png", "small", "large", "bomb", "hollow"],
)
async def test_what_is_no_picture_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        await pictures.as_poster(data)
    assert refused.value.field == "picture"


async def test_a_file_that_is_too_large_is_not_decoded() -> None:
    with pytest.raises(TooLarge, match="15 MB"):
        await pictures.as_poster(b"x" * (pictures.FILE_BYTES + 1))


async def test_what_an_iphone_hands_in_is_read() -> None:
    # It was opened, or nothing would be known of its size.
    with pytest.raises(BadInput, match="too small to be sharp"):
        await pictures.as_poster(heic.PHOTO)
