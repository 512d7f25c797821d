"""An upload on its way to S3: full parts are sent as they come, the beginning of the next one stays on disk."""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app import db, storage
from app.video import rules, upload_files
from app.video.models import Upload, UploadPart

# A part is read into memory to be sent. S3 wants 5 MiB at least, and 10,000 parts at most.
PART_BYTES = 16 * 2**20
MOST_PARTS = 10_000


def part_bytes(length: int) -> int:
    """Bytes of each part but the last, in whole MiB."""
    return max(PART_BYTES, -(-length // MOST_PARTS // 2**20) * 2**20)


def key_of(upload: Upload) -> str:
    """Where the source lies once `upload` is whole."""
    return source_key(upload_files.video_id_of(upload.id), upload.filename)


def source_key(video_id: UUID, filename: str) -> str:
    return f"sources/{video_id}/original{rules.suffix_of(filename)}"


@dataclass
class PartSink:
    """Where one request's bytes go. A part that S3 has counts once its ETag is in the database: see `fresh`.

    Until then the file that holds bytes told to the client is kept; `settle` removes it afterwards.
    """

    upload_id: UUID
    key: str
    parts_id: str
    part_bytes: int
    length: int
    first: int = 0
    fresh: list[UploadPart] = field(default_factory=list)

    def path(self, index: int) -> Path:
        return upload_files.path_of(self.upload_id).with_suffix(f".{index}")

    async def go_to(self, offset: int) -> int:
        """Cut what lies beyond `offset`. Answers where to go on: at the part's beginning when its file is lost."""
        self.first, kept = divmod(offset, self.part_bytes)
        if not kept or offset == self.length:
            await asyncio.to_thread(self.path(self.first).unlink, missing_ok=True)
            return offset
        try:
            size = await asyncio.to_thread(self._cut, kept)
        except FileNotFoundError:
            size = 0
        return offset if size == kept else self.first * self.part_bytes

    def _cut(self, kept: int) -> int:
        path = self.path(self.first)
        if path.stat().st_size > kept:
            os.truncate(path, kept)
        return path.stat().st_size

    async def write(self, data: bytes, offset: int) -> None:
        """Make `data` durable at `offset` of the upload: on the disk, or in S3 when a part is full.

        Raises:
            OSError: as the disk does.
            storage.StorageDown: a part could not be sent; all before this write still counts.
        """
        view = memoryview(data)
        while view:
            index, within = divmod(offset, self.part_bytes)
            ends = min((index + 1) * self.part_bytes, self.length)
            piece = view[: ends - offset]
            is_full = offset + len(piece) == ends
            await asyncio.to_thread(upload_files.write_to, self.path(index), piece, within, flush=not is_full)
            if is_full:
                await self._send(index)
            view, offset = view[len(piece) :], offset + len(piece)

    async def _send(self, index: int) -> None:
        etag = await storage.put_part(self.key, self.parts_id, index + 1, self.path(index))
        self.fresh.append(UploadPart(upload_id=self.upload_id, number=index + 1, etag=etag))
        if index != self.first:
            # None of its bytes was told to the client, so they come again should this request come to nothing.
            await asyncio.to_thread(self.path(index).unlink, missing_ok=True)

    async def settle(self) -> None:
        """The database knows the fresh parts now: their bytes may leave the disk."""
        for part in self.fresh:
            await asyncio.to_thread(self.path(part.number - 1).unlink, missing_ok=True)
            self.first = part.number
        self.fresh.clear()

    def close(self) -> None:
        """Nothing is held open between writes."""


async def join(upload: Upload) -> None:
    """Make the object of all parts; done already is done.

    Raises:
        storage.StorageDown: try again later.
    """
    assert upload.parts_id is not None
    async with db.transaction() as session:
        etags = await session.scalars(
            select(UploadPart.etag).where(UploadPart.upload_id == upload.id).order_by(UploadPart.number)
        )
    await storage.join_parts(key_of(upload), upload.parts_id, list(etags), upload.length_bytes)


async def give_up(upload_id: UUID) -> None:
    """Free what S3 keeps of an unfinished upload; nothing where there is none.

    Raises:
        storage.StorageDown: it still keeps it.
    """
    async with db.transaction() as session:
        upload = await session.get(Upload, upload_id)
    if upload is not None and upload.parts_id is not None and upload.finished_at is None:
        await storage.drop_parts(key_of(upload), upload.parts_id)
