"""Turn an uploaded picture into a poster: bounded, turned upright, without what a camera wrote into it."""

import asyncio
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pi_heif import register_heif_opener
from PIL import Image, ImageCms, ImageOps

from app.errors import BadInput, TooLarge
from app.i18n import _
from app.video.poster_rules import POSTER, SMALL_POSTER

FILE_BYTES = 15_000_000
# Beyond what telephones take (48 million); decoded whole it would be 240 MB.
MOST_PIXELS = 60_000_000
LEAST_SIDE_PX = 640
# HEIF: what iPhones take, as HEIC.
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
SIDES_PX = {POSTER: 1280, SMALL_POSTER: 640}
QUALITY = 85
# However many are sent at once, the memory of one is taken.
_one_at_a_time = threading.Lock()
# Pillow knows the format from here on, wherever it is allowed by name.
register_heif_opener()


async def as_poster(data: bytes) -> dict[str, bytes]:
    """The JPEG of each size, by its name.

    Raises:
        BadInput: it is no JPEG, PNG, WebP or HEIC picture, it is damaged, too small, or has too many pixels.
        TooLarge: the file is.
    """
    if not data:
        raise BadInput(_("Choose a picture first."), field="picture")
    if len(data) > FILE_BYTES:
        raise TooLarge(_("This picture is larger than 15 MB. Please save it smaller."), field="picture")
    return await asyncio.to_thread(_encoded, data)


def _encoded(data: bytes) -> dict[str, bytes]:
    with _one_at_a_time:
        upright = _upright(data)
        return {name: _jpeg(upright, side_px) for name, side_px in SIDES_PX.items()}


def _upright(data: bytes) -> Image.Image:
    """At least as large as the poster, in sRGB, as a person holds it."""
    with _foreign(), Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        size = picture.size
        _check(size)
        # A JPEG is decoded at an eighth to a half of its size already; the others whole.
        side_px = 2 * SIDES_PX[POSTER]
        picture.draft("RGB", (side_px, side_px))
        turned = ImageOps.exif_transpose(picture)
        turned.thumbnail((side_px, side_px), Image.Resampling.BOX)
        return _opaque(srgb(turned))


@contextmanager
def _foreign() -> Iterator[None]:
    try:
        yield
    except BadInput:
        raise
    except Exception as fault:
        # Decoders of foreign bytes end in errors of every kind, warnings about bombs among them.
        raise BadInput(
            _("This is no picture that can be used. Please choose a JPEG, PNG, WebP or HEIC file."),
            field="picture",
        ) from fault


def _check(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_PIXELS:
        raise BadInput(_("This picture has too many pixels. Please save it smaller."), field="picture")
    if max(size) < LEAST_SIDE_PX:
        raise BadInput(
            _("This picture is too small to be sharp: its longer side needs %(n)d pixels at least.")
            % {"n": LEAST_SIDE_PX},
            field="picture",
        )


def srgb(picture: Image.Image) -> Image.Image:
    """Telephones write Display P3, which without its profile looks pale."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        # None: as it is.
        mode = "RGB" if picture.mode == "CMYK" else None
        made = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return picture
    return made or picture


def eight_bits(picture: Image.Image) -> Image.Image:
    """Of 16 bits a pixel, a conversion would keep the wrong ones."""
    if not picture.mode.startswith("I"):
        return picture
    return picture.convert("I").point(lambda value: value / 256).convert("L")


def _opaque(picture: Image.Image) -> Image.Image:
    picture = eight_bits(picture)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        paper = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(paper, seen).convert("RGB")
    return picture.convert("RGB")


def _jpeg(picture: Image.Image, side_px: int) -> bytes:
    small = picture.copy()
    small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    # Comments and profiles would be written again.
    small.info.clear()
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return out.getvalue()
