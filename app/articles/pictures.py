"""Pictures and hand-outs of articles: checked, freed of what cameras write into them, stored by what they hold.

A file's name is made of its content (`/pictures/<32 hex>-<width>x<height>-<glance>.jpg`, `/files/<32 hex>.pdf`): the
same file is stored once however often it comes, a name never changes its meaning, and a page knows from it a picture's
size, its colours, and which smaller ones are made of it (`figures`, `picture_sizes`).
"""

import asyncio
import hashlib
import io
import threading
from dataclasses import dataclass

from PIL import Image, ImageOps

from app import storage
from app.articles import figures
from app.errors import BadInput, TooLarge
from app.i18n import _
from app.video.pictures import MOST_PIXELS, eight_bits, srgb

FILE_BYTES = 15_000_000
# Twice the widest column, for sharp screens.
LONGEST_SIDE_PX = 2048
# The smaller ones are made of it, so it keeps more than they do.
QUALITY = 90
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "HEIF")
# Moving pictures stay as they are, up to here.
GIF_BYTES = 12_000_000
# A drawing stays sharp as PNG, as long as that is not so many times larger than a JPEG.
PNG_WORTH = 2
KINDS = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "avif": "image/avif",
    "webp": "image/webp",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
}
# MP3 without a head begins with a frame: MPEG 1, 2 and 2.5 (low sample rates), with and without a checksum.
_FRAMES = (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3", b"\xff\xe2")
_HANDOUTS = (
    (b"%PDF-", 0, "pdf"),
    (b"ID3", 0, "mp3"),
    *((mark, 0, "mp3") for mark in _FRAMES),
    (b"ftypM4A", 4, "m4a"),
    (b"ftypM4B", 4, "m4a"),
)
# However many come at once, the memory of one is taken.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Made:
    """A file as it is stored and served: `path` is its address on this site."""

    path: str
    key: str
    data: bytes

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


async def make(data: bytes, *, longest_side_px: int = LONGEST_SIDE_PX) -> Made:
    """What is to be stored of a picture or a hand-out; nothing is written yet. Larger pictures are made smaller.

    Raises:
        BadInput: it is neither, it is damaged, or it has too many pixels.
    """
    return await asyncio.to_thread(_made, data, longest_side_px)


def moves(data: bytes) -> bool:
    """Whether a picture has more than one frame: of a GIF, a WebP, a PNG or an AVIF."""
    is_webp = data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and data[20:21] and data[20] & 2 != 0
    is_png = data.startswith(b"\x89PNG") and b"acTL" in data[: max(0, data.find(b"IDAT"))]
    is_gif = data.startswith(b"GIF8") and len(data) > GIF_BYTES
    return bool(is_webp or is_png or is_gif or data[4:12] == b"ftypavis")


async def make_picture(data: bytes) -> Made:
    """The same of a picture that somebody chose in a form.

    Raises:
        BadInput: (field "picture") nothing was chosen, or it is no picture that can be shown.
        TooLarge: the file has too many bytes.
    """
    if not data:
        raise BadInput(_("Choose a picture first."), field="picture")
    if len(data) > FILE_BYTES:
        raise TooLarge(_("This picture is larger than 15 MB. Please save it smaller."), field="picture")
    try:
        return await asyncio.to_thread(_picture, data, LONGEST_SIDE_PX)
    except BadInput as refused:
        raise BadInput(_sentence(refused.sentence), field="picture") from refused


def _sentence(reason: str) -> str:
    return reason if reason.endswith(".") else f"{reason[:1].upper()}{reason[1:]}."


async def store(made: Made) -> None:
    """Write it, unless it is there already."""
    if await storage.size(made.key) is None:
        await storage.put(made.key, made.data)


def key_of(name: str) -> str:
    """Where a file of that name is stored."""
    return f"articles/{name[:2]}/{name}"


def size_key(name: str, size: str) -> str:
    """Where one of the files that are made of a picture is stored."""
    return f"articles/{name[:2]}/{name.rpartition('.')[0]}/{size}"


def _made(data: bytes, longest_side_px: int) -> Made:
    for mark, at, ending in _HANDOUTS:
        if data[at : at + len(mark)] == mark:
            name = f"{_digest(data)}.{ending}"
            return Made(f"/files/{name}", key_of(name), data)
    return _picture(data, longest_side_px)


def _digest(data: bytes, longest_side_px: int = LONGEST_SIDE_PX) -> str:
    # The same bytes made smaller are another picture.
    size = b"" if longest_side_px == LONGEST_SIDE_PX else str(longest_side_px).encode()
    return hashlib.sha256(data + size).hexdigest()[:32]


def _picture(data: bytes, longest_side_px: int) -> Made:
    if b"<svg" in data[:1000].lower():
        raise BadInput(_("an SVG drawing cannot be used here; please save it as PNG and send that"))
    try:
        with _one_at_a_time:
            kept, picture, ending = _encoded(data, longest_side_px)
    except BadInput:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise BadInput(_("this picture has too many pixels; please save it smaller")) from fault
    except Exception as fault:
        # Decoders of foreign bytes end in errors of every kind.
        raise BadInput(_("this is no picture that can be read")) from fault
    width, height = picture.size
    glance = "" if ending == "gif" or picture.mode == "RGBA" else f"-{_glance(picture)}"
    name = f"{_digest(data, longest_side_px)}-{width}x{height}{glance}.{ending}"
    return Made(f"/pictures/{name}", key_of(name), kept)


def _glance(picture: Image.Image) -> str:
    few = picture.convert("RGB").resize(figures.glance_size(*picture.size), Image.Resampling.BOX)
    flat = few.tobytes()
    return figures.glance_code([(flat[n], flat[n + 1], flat[n + 2]) for n in range(0, len(flat), 3)])


def _encoded(data: bytes, longest_side_px: int) -> tuple[bytes, Image.Image, str]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        if picture.size[0] * picture.size[1] > MOST_PIXELS:
            raise BadInput(_("this picture has too many pixels; please save it smaller"))
        if picture.format == "GIF" and getattr(picture, "is_animated", False) and len(data) <= GIF_BYTES:
            picture.load()
            return data, picture, "gif"
        # What lost sharpness already loses nothing more that one sees. MPO: a telephone's JPEG with a second picture.
        is_photo = picture.format in ("JPEG", "MPO", "TIFF", "AVIF", "HEIF")
        picture.draft("RGB", (longest_side_px, longest_side_px))
        upright = _plain(srgb(eight_bits(ImageOps.exif_transpose(picture))))
    upright.thumbnail((longest_side_px, longest_side_px), Image.Resampling.LANCZOS)
    # Comments and profiles would be written again.
    upright.info.clear()
    if upright.mode == "RGBA":
        return _saved(upright, "PNG"), upright, "png"
    as_photo = _saved(upright, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    if not is_photo:
        as_drawing = _saved(upright, "PNG", optimize=True)
        if len(as_drawing) < PNG_WORTH * len(as_photo):
            return as_drawing, upright, "png"
    return as_photo, upright, "jpg"


def _plain(picture: Image.Image) -> Image.Image:
    """As RGB, or as RGBA where anything shows through."""
    if picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        if seen.getchannel("A").getextrema() != (255, 255):
            return seen
        picture = seen
    return picture.convert("RGB")


def _saved(picture: Image.Image, form: str, **how: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **how)
    return out.getvalue()
