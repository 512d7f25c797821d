"""Pictures and hand-outs of articles: checked, freed of what cameras write into them, stored by what they hold.

A file's name is made of its content (`/pictures/<32 hex>-<width>x<height>.jpg`, `/files/<32 hex>.pdf`): the same file
is stored once however often it comes, a name never changes its meaning, and a page knows a picture's size from it.
"""

import asyncio
import hashlib
import io
from dataclasses import dataclass
from functools import partial

from PIL import Image, ImageOps

from app import storage
from app.errors import BadInput
from app.i18n import _
from app.video.pictures import MOST_PIXELS, srgb

# Twice the widest column, for sharp screens.
LONGEST_SIDE_PX = 2048
QUALITY = 85
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
# Moving pictures stay as they are, up to here.
GIF_BYTES = 12_000_000
KINDS = {
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
}
_HANDOUTS = ((b"%PDF-", 0, "pdf"), (b"ID3", 0, "mp3"), (b"\xff\xfb", 0, "mp3"), (b"ftypM4A", 4, "m4a"))


@dataclass(frozen=True)
class Made:
    """A file as it is stored and served: `path` is its address on this site."""

    path: str
    key: str
    data: bytes


async def make(data: bytes, *, longest_side_px: int = LONGEST_SIDE_PX) -> Made:
    """What is to be stored of a picture or a hand-out; nothing is written yet. Larger pictures are made smaller.

    Raises:
        BadInput: it is neither, it is damaged, or it has too many pixels.
    """
    return await asyncio.to_thread(_made, data, longest_side_px)


async def store(made: Made) -> None:
    """Write it, unless it is there already."""
    if await storage.size(made.key) is None:
        await storage.put(made.key, made.data)


def key_of(name: str) -> str:
    """Where a file of that name is stored."""
    return f"articles/{name[:2]}/{name}"


def _made(data: bytes, longest_side_px: int) -> Made:
    # The same bytes made smaller are another picture.
    size = b"" if longest_side_px == LONGEST_SIDE_PX else str(longest_side_px).encode()
    digest = hashlib.sha256(data + size).hexdigest()[:32]
    for mark, at, ending in _HANDOUTS:
        if data[at : at + len(mark)] == mark:
            name = f"{digest}.{ending}"
            return Made(f"/files/{name}", key_of(name), data)
    try:
        kept, (width, height), ending = _encoded(data, longest_side_px)
    except BadInput:
        raise
    except Exception as fault:
        # Decoders of foreign bytes end in errors of every kind, warnings about bombs among them.
        raise BadInput(_("this is no picture that can be read")) from fault
    name = f"{digest}-{width}x{height}.{ending}"
    return Made(f"/pictures/{name}", key_of(name), kept)


def _encoded(data: bytes, longest_side_px: int) -> tuple[bytes, tuple[int, int], str]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if picture.size[0] * picture.size[1] > MOST_PIXELS:
            raise BadInput(_("this picture has too many pixels"))
        if picture.format == "GIF" and getattr(picture, "is_animated", False) and len(data) <= GIF_BYTES:
            picture.load()
            return data, picture.size, "gif"
        picture.draft("RGB", (longest_side_px, longest_side_px))
        turned = srgb(ImageOps.exif_transpose(picture))
        is_photo = picture.format in ("JPEG", "TIFF", "BMP")
        small = turned.convert("RGB" if is_photo else "RGBA")
        small.thumbnail((longest_side_px, longest_side_px), Image.Resampling.LANCZOS)
        # Comments and profiles would be written again.
        small.info.clear()
        out = io.BytesIO()
        save = partial(small.save, out, quality=QUALITY)
        if is_photo:
            save("JPEG", optimize=True, progressive=True)
        else:
            save("WEBP", method=4)
        return out.getvalue(), small.size, "jpg" if is_photo else "webp"
