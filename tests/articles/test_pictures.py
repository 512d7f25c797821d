"""Pictures as people send them: turned upright, freed of what cameras write, made smaller; refused with a sentence."""

import io
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms

from app import storage
from app.articles import figures, picture_sizes, pictures
from app.articles.paths import PICTURE_NAME
from app.db import Database
from app.errors import BadInput, LimberError
from tests.articles import heic

GPS = 0x8825
ORIENTATION = 0x0112


def drawn(width: int = 1000, height: int = 500, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right, with a noise that keeps a JPEG smaller than a PNG."""
    picture = Image.merge("RGB", [Image.effect_noise((width, height), 40)] * 3)
    picture.paste((220, 20, 20), (0, 0, width // 2, height))
    return picture.convert(mode)


def saved(picture: Image.Image, form: str = "JPEG", **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()


def opened(made: pictures.Made) -> Image.Image:
    return Image.open(io.BytesIO(made.data))


def with_gps() -> bytes:
    picture = drawn()
    exif = picture.getexif()
    exif[ORIENTATION] = 6
    exif[0x010F] = "Some Camera"
    exif.get_ifd(GPS)[2] = (21.0, 16.0, 30.0)
    return saved(picture, exif=exif, comment=b"at home")


async def test_a_photo_is_turned_upright_and_tells_nothing_of_its_camera_or_place() -> None:
    data = with_gps()
    assert b"Some Camera" in data
    made = await pictures.make_picture(data)
    picture = opened(made)
    assert picture.size == (500, 1000)
    assert (dict(picture.getexif()), picture.info.get("comment"), "exif" in picture.info) == ({}, None, False)
    assert b"Some Camera" not in made.data
    # Turned clockwise, what was on the left is above.
    red, _green, blue = picture.convert("RGB").getpixel((250, 100))  # type: ignore[misc]
    assert red > 180 > 60 > blue
    assert made.path.startswith("/pictures/")
    assert figures.sizes_of(made.name)


async def test_its_name_tells_its_size_and_its_colours() -> None:
    made = await pictures.make_picture(saved(drawn(4000, 2000)))
    found = PICTURE_NAME.fullmatch(made.name)
    assert found is not None
    assert (found["width"], found["height"], found["kind"]) == ("2048", "1024", "jpg")
    glance = figures.glance_of(made.name)
    assert glance is not None
    seen = Image.open(io.BytesIO(b64decode(glance.partition(",")[2])))
    assert seen.size == (4, 3)
    pixels = [seen.convert("RGB").getpixel((x, 1)) for x in (0, 3)]
    assert pixels[0] == (221, 17, 17)
    assert len(set(pixels[1])) == 1  # type: ignore[arg-type]


KINDS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "grey": (lambda: saved(drawn(mode="L")), "jpg", "RGB"),
    "cmyk": (lambda: saved(drawn(mode="CMYK")), "jpg", "RGB"),
    "cmyk tiff": (lambda: saved(drawn(mode="CMYK"), "TIFF"), "jpg", "RGB"),
    "avif": (lambda: saved(drawn(), "AVIF"), "jpg", "RGB"),
    "a photo as png": (lambda: saved(drawn(), "PNG"), "jpg", "RGB"),
    "a drawing": (lambda: saved(Image.new("RGB", (900, 600), "white"), "PNG"), "png", "RGB"),
    "a palette": (lambda: saved(Image.new("RGB", (900, 600), "white").convert("P"), "PNG"), "png", "RGB"),
    "see-through": (lambda: saved(Image.new("RGBA", (900, 600), (9, 9, 9, 90)), "PNG"), "png", "RGBA"),
    "opaque with alpha": (lambda: saved(Image.new("RGBA", (900, 600), (9, 9, 9, 255)), "PNG"), "png", "RGB"),
    "webp": (lambda: saved(drawn(), "WEBP"), "jpg", "RGB"),
    "bmp": (lambda: saved(drawn(), "BMP"), "jpg", "RGB"),
    "two in one": (lambda: saved(drawn(), "MPO", save_all=True, append_images=[drawn()]), "jpg", "RGB"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_picture_becomes_one_that_browsers_show(kind: str) -> None:
    make, ending, mode = KINDS[kind]
    made = await pictures.make_picture(make())
    assert made.path.rpartition(".")[2] == ending
    assert opened(made).mode == mode
    # Colours cannot be told of what something shows through.
    assert (figures.glance_of(made.name) is None) == (mode == "RGBA")


async def test_sixteen_bits_keep_their_tones() -> None:
    deep = Image.new("I;16", (800, 600), 32768)
    made = await pictures.make_picture(saved(deep, "PNG"))
    assert abs(opened(made).convert("L").getpixel((400, 300)) - 128) <= 1  # type: ignore[operator]


async def test_a_telephones_wide_colours_become_those_of_the_web() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    made = await pictures.make_picture(saved(drawn(), icc_profile=profile.tobytes()))
    assert "icc_profile" not in opened(made).info


async def test_what_moves_stays_as_it_is_and_has_no_sizes() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    made = await pictures.make_picture(data)
    assert (made.data, made.path.rpartition(".")[2]) == (data, "gif")
    assert figures.sizes_of(made.name) == ()


async def test_what_an_iphone_hands_in_is_turned_upright_and_tells_nothing_of_it() -> None:
    assert b"Fone" in heic.PHOTO
    made = await pictures.make_picture(heic.PHOTO)
    picture = opened(made)
    assert (picture.format, picture.size) == ("JPEG", (64, 128))
    assert (dict(picture.getexif()), "exif" in picture.info, b"Fone" in made.data) == ({}, False, False)
    # Turned clockwise, what was at the upper left is at the upper right.
    blue, orange = picture.getpixel((60, 4)), picture.getpixel((4, 4))
    assert isinstance(blue, tuple)
    assert isinstance(orange, tuple)
    assert blue[2] > 120 > blue[0]
    assert orange[0] > 160 > orange[2]


async def test_what_shows_through_an_iphones_cut_out_still_does() -> None:
    made = await pictures.make_picture(heic.CUT_OUT)
    picture = opened(made)
    assert (picture.format, picture.mode) == ("PNG", "RGBA")
    assert picture.getchannel("A").getextrema() == (0, 255)


def too_many_pixels() -> bytes:
    """A PNG of 200 million pixels in a few hundred bytes."""
    return saved(Image.new("1", (20_000, 10_000)), "PNG")


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "Choose a picture first."),
    "cut off": (lambda: saved(drawn())[:4000], "This is no picture that can be read."),
    "a text": (lambda: b"Hello", "This is no picture that can be read."),
    "a pdf": (lambda: b"%PDF-1.4 words", "This is no picture that can be read."),
    "a bomb": (too_many_pixels, "This picture has too many pixels; please save it smaller."),
    "svg": (lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "An SVG drawing cannot be used"),
    "heic of nothing": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "This is no picture that can be read."),
    "heic, cut off": (lambda: heic.PHOTO[:-80], "This is no picture that can be read."),
    "heic, a bomb": (lambda: heic.claiming(heic.PHOTO, 20_000, 10_000), "This picture has too many pixels"),
    "heic, larger than it says": (lambda: heic.claiming(heic.PHOTO, 16, 16), "This is no picture that can be read."),
    "too large": (lambda: b"\xff\xd8" + bytes(pictures.FILE_BYTES), "This picture is larger than 15 MB."),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_cannot_be_shown_is_refused_with_a_sentence(kind: str) -> None:
    make, sentence = REFUSED[kind]
    with pytest.raises(LimberError) as refused:
        await pictures.make_picture(make())
    assert refused.value.sentence.startswith(sentence)
    assert refused.value.field == "picture"


async def test_a_bomb_is_refused_where_a_site_moves_in_too() -> None:
    with pytest.raises(BadInput, match="too many pixels"):
        await pictures.make(too_many_pixels())


async def test_every_size_is_made_once_in_its_format_and_width(database: Database) -> None:
    made = await pictures.make_picture(with_gps())
    await pictures.store(made)
    assert await picture_sizes.make(made.name) == len(figures.sizes_of(made.name)) == 4
    for size in figures.sizes_of(made.name):
        width, _dot, kind = size.partition(".")
        picture = Image.open(io.BytesIO(await storage.get(pictures.size_key(made.name, size))))
        assert (picture.width, picture.height) == (int(width), int(width) * 2)
        assert picture.format == {"avif": "AVIF", "webp": "WEBP"}[kind]
        assert not picture.getexif()
    assert await picture_sizes.make(made.name) == 0


async def test_what_shows_through_shows_through_in_each_size(database: Database) -> None:
    made = await pictures.make_picture(saved(Image.new("RGBA", (900, 600), (200, 9, 9, 90)), "PNG"))
    await pictures.store(made)
    await picture_sizes.make(made.name)
    for size in figures.sizes_of(made.name):
        picture = Image.open(io.BytesIO(await storage.get(pictures.size_key(made.name, size))))
        assert abs(picture.convert("RGBA").getpixel((10, 10))[3] - 90) <= 3  # type: ignore[index]
