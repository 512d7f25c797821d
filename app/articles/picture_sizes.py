"""The smaller files that are made of a picture, by a worker; until they are there, the whole picture is handed out."""

import asyncio
import io
from collections.abc import Iterator

from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs, storage
from app.articles import figures
from app.articles.paths import SIZE_NAME
from app.articles.pictures import key_of, size_key
from app.jobs import engine

# Measured on photographs and drawings: docs/adr/0024.
AVIF = {"quality": 60, "speed": 8}
AVIF_DRAWING = {"quality": 75, "speed": 8, "subsampling": "4:4:4"}
WEBP = {"quality": 78, "method": 4}
WEBP_DRAWING = {"lossless": True, "method": 4}
JPEG = {"quality": 82, "optimize": True, "progressive": True}
PNG = {"optimize": True}


async def begin(db: AsyncSession, name: str) -> None:
    """Have the sizes of a stored picture made, in the caller's transaction; a second call for a name does nothing."""
    if figures.sizes_of(name):
        await jobs.enqueue(
            db,
            "picture_sizes",
            {"name": name},
            queue=jobs.PICTURES,
            workflow_id=f"picture_sizes:{name}",
        )


@engine.workflow("picture_sizes")
async def picture_sizes(name: str) -> None:
    await _make(name)


@engine.step(tries=8, first_wait_s=5.0)
async def _make(name: str) -> None:
    await make(name)


async def make(name: str) -> int:
    """Write what is missing of a picture's sizes; answers how many files that were.

    Raises:
        FileNotFoundError: the picture itself is not stored.
    """
    there = {key.rpartition("/")[2] for key in await storage.sizes(size_key(name, ""))}
    missing = [size for size in figures.sizes_of(name) if size not in there]
    if missing:
        data = await storage.get(key_of(name))
        made = await asyncio.to_thread(lambda: list(_encoded(data, missing)))
        for size, encoded in made:
            await storage.put(size_key(name, size), encoded)
    return len(missing)


def _encoded(data: bytes, sizes: list[str]) -> Iterator[tuple[str, bytes]]:
    with Image.open(io.BytesIO(data)) as picture:
        is_drawing = picture.format != "JPEG"
        whole = picture.convert("RGBA" if picture.mode in ("RGBA", "P", "LA", "PA") else "RGB")
    scaled: dict[int, Image.Image] = {}
    for size in sizes:
        found = SIZE_NAME.fullmatch(size)
        assert found is not None, size
        width = int(found["width"])
        if width not in scaled:
            height = max(1, round(whole.height * width / whole.width))
            scaled[width] = (
                whole if width == whole.width else whole.resize((width, height), Image.Resampling.LANCZOS)
            )
        yield size, _saved(scaled[width], found["kind"], is_drawing=is_drawing)


def _saved(picture: Image.Image, kind: str, *, is_drawing: bool) -> bytes:
    out = io.BytesIO()
    if kind == "avif":
        picture.save(out, "AVIF", **(AVIF_DRAWING if is_drawing else AVIF))
    elif kind == "webp":
        picture.save(out, "WEBP", **(WEBP_DRAWING if is_drawing else WEBP))
    elif kind == "png":
        picture.save(out, "PNG", **PNG)
    else:
        picture.save(out, "JPEG", **JPEG)
    return out.getvalue()
