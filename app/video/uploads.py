"""Uploads: begun, continued at the offset that the database knows, finished into a video, or given up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db, storage
from app.accounts import audit
from app.clock import utcnow
from app.errors import Conflict, Forbidden, Gone, Locked, NotFound, TooLarge
from app.i18n import _
from app.settings import get_settings
from app.video import receiving, rules, tus, upload_files, upload_parts
from app.video.models import Upload, UploadPart, Video
from app.video.queueing import enqueue_transcode
from app.video.upload_files import video_id_of

# How often, a tenth of a second apart, whoever gives an upload up looks whether its last request has ended.
DISCARD_LOOKS = 10


@dataclass(frozen=True)
class Standing:
    """How far an upload is, in bytes. `video_id` once the last byte made a video of it."""

    id: UUID
    owner_id: UUID
    offset: int
    length: int
    tus_metadata: str
    expires_at: datetime
    finished_at: datetime | None
    video_id: UUID | None

    @property
    def is_whole(self) -> bool:
        return self.offset == self.length


def _standing(row: Upload) -> Standing:
    return Standing(
        id=row.id,
        owner_id=row.owner_id,
        offset=row.offset_bytes,
        length=row.length_bytes,
        tus_metadata=row.tus_metadata,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        video_id=row.video_id,
    )


def _expiry(now: datetime) -> datetime:
    return now + timedelta(hours=get_settings().upload_hours)


def lock_name(upload_id: UUID) -> str:
    return f"upload:{upload_id}"


async def room(session: AsyncSession) -> rules.Room:
    """What the disk and the settings allow now, less what is promised to uploads under way."""
    most = get_settings().max_upload_bytes
    free = await asyncio.to_thread(upload_files.free_bytes)
    if storage.takes_parts():
        # Only the part that is not full yet is on this disk.
        waits = upload_parts.part_bytes(most)
        return rules.Room(most, free if free < rules.RESERVE_BYTES + waits else free + most, 0)
    promised = await session.scalar(
        select(func.coalesce(func.sum(Upload.length_bytes - Upload.offset_bytes), 0)).where(
            Upload.finished_at.is_(None)
        )
    )
    return rules.Room(most, free, int(promised or 0))


async def begin(owner_id: UUID, length: int, tus_metadata: str) -> Standing:
    """Open an upload of `length` bytes; none has arrived yet.

    Raises:
        BadInput, TooLarge, rules.NoRoom: it may not begin; the sentence says why.
        tus.BadTus: the metadata cannot be read.
        storage.StorageDown: S3, where it is to go, does not answer.
    """
    facts = tus.metadata(tus_metadata)
    content_type = (facts.get("filetype") or facts.get("type") or "")[:120]
    now = utcnow()
    async with db.transaction() as session:
        if refused := rules.refusal(length, content_type, await room(session)):
            raise refused
        row = Upload(
            id=uuid4(),
            owner_id=owner_id,
            filename=rules.clean_filename(facts.get("filename") or facts.get("name") or ""),
            content_type=content_type,
            length_bytes=length,
            offset_bytes=0,
            tus_metadata=tus_metadata,
            created_at=now,
            expires_at=_expiry(now),
        )
        session.add(row)
    if storage.takes_parts():
        await _open_parts(row)
    else:
        await asyncio.to_thread(upload_files.create, row.id)
    return _standing(row)


async def _open_parts(row: Upload) -> None:
    try:
        parts_id = await storage.open_parts(upload_parts.key_of(row))
    except storage.StorageDown:
        async with db.transaction() as session:
            await session.delete(await session.get_one(Upload, row.id))
        raise
    async with db.transaction() as session:
        upload = await session.get_one(Upload, row.id)
        upload.parts_id, upload.part_bytes = parts_id, upload_parts.part_bytes(row.length_bytes)


async def find(upload_id: UUID, owner_id: UUID, now: datetime) -> Standing:
    """An upload that its owner may continue.

    Raises:
        NotFound: there is none, or it was removed.
        Forbidden: somebody else began it.
        Gone: it expired.
    """
    async with db.transaction() as session:
        row = await session.get(Upload, upload_id)
    if row is None:
        raise NotFound(_("This upload is not here any more. Please begin it again."))
    if row.owner_id != owner_id:
        raise Forbidden(_("This upload was begun from another account."))
    if row.finished_at is None and row.expires_at <= now:
        raise Gone(_("This upload was left alone for too long and has expired. Please begin it again."))
    if row.finished_at is not None and row.video_id is None:
        raise Gone(_("The video made of this upload was deleted."))
    return _standing(row)


async def standing(upload_id: UUID, owner_id: UUID) -> Standing:
    """How far an upload is, completing what a crash left between the last byte and the video.

    Raises: as `find`.
    """
    found = await find(upload_id, owner_id, utcnow())
    receiving.push_aside(upload_id)
    if found.is_whole and found.finished_at is None:
        async with db.try_lock(lock_name(upload_id)) as held:
            if held:
                await finish(upload_id)
        found = await find(upload_id, owner_id, utcnow())
    return found


async def append(
    upload_id: UUID,
    owner_id: UUID,
    offset: int,
    body: AsyncIterator[bytes],
    *,
    announced: int | None = None,
    checksum: tus.Checksum | None = None,
) -> Standing:
    """Add bytes at `offset`. What arrived before `body` broke off is kept; the last byte makes the video.

    Raises:
        NotFound, Forbidden, Gone: as `find`.
        Locked: another request is writing to this upload.
        Conflict: `offset` is not where the upload stands.
        TooLarge: it would become longer than was announced at its creation.
        tus.ChecksumMismatch, receiving.DiskFull: as `Receiver.take`.
    """
    async with db.try_lock(lock_name(upload_id)) as held:
        found = await find(upload_id, owner_id, utcnow())
        if not held:
            receiving.push_aside(upload_id)
            raise Locked(_("This file is being sent from another window or connection at the moment."))
        if offset != found.offset or found.finished_at is not None:
            raise Conflict(_("The upload stands at another byte than the sender thinks."))
        if announced is not None and offset + announced > found.length:
            raise TooLarge(_("More bytes came than the file was said to have."))
        if not found.is_whole:
            await _receive(found, body, checksum)
        return await _after(upload_id, owner_id)


async def _after(upload_id: UUID, owner_id: UUID) -> Standing:
    found = await find(upload_id, owner_id, utcnow())
    if found.is_whole and found.finished_at is None:
        await finish(upload_id)
        found = await find(upload_id, owner_id, utcnow())
    return found


async def _receive(found: Standing, body: AsyncIterator[bytes], checksum: tus.Checksum | None) -> None:
    sink, start = await _open(found)

    async def advance(old: int, new: int) -> None:
        fresh = sink.fresh if isinstance(sink, upload_parts.PartSink) else []
        await _move_offset(found.id, old, new, fresh)
        if isinstance(sink, upload_parts.PartSink):
            await sink.settle()

    try:
        if start != found.offset:
            await _move_offset(found.id, found.offset, start)
            raise Conflict(_("A part of this file was lost on the server. It will be sent again."))
        await receiving.Receiver(found.id, sink, found.offset, found.length, advance, checksum).take(body)
    finally:
        sink.close()


async def _open(found: Standing) -> tuple[upload_parts.PartSink | upload_files.FileSink, int]:
    """Where the bytes go, and the offset to go on from: smaller than told when bytes are missing on this disk."""
    async with db.transaction() as session:
        row = await session.get_one(Upload, found.id)
    if row.parts_id is None:
        handle, start = await asyncio.to_thread(upload_files.open_at, found.id, found.offset)
        return upload_files.FileSink(handle), start
    sink = upload_parts.PartSink(
        row.id, upload_parts.key_of(row), row.parts_id, row.part_bytes, row.length_bytes
    )
    return sink, await sink.go_to(found.offset)


async def _move_offset(upload_id: UUID, old: int, new: int, parts: Sequence[UploadPart] = ()) -> None:
    """Compare and set: whoever lost the lock (a database restart) must not overwrite its successor's offset."""
    async with db.transaction() as session:
        moved = await session.scalar(
            update(Upload)
            .where(Upload.id == upload_id, Upload.offset_bytes == old, Upload.finished_at.is_(None))
            .values(offset_bytes=new, expires_at=_expiry(utcnow()))
            .returning(Upload.id)
        )
        if moved is None:
            raise Conflict(_("This file was continued by another connection."))
        session.add_all(parts)


async def finish(upload_id: UUID) -> UUID | None:
    """Make the video and its work of a whole upload, in one transaction; done already is done. Needs the lock.

    The file is moved first, to a place that follows from the upload's id: after a crash in between, the next
    request or the sweep finds it there and goes on.
    """
    async with db.transaction() as session:
        row = await session.get(Upload, upload_id)
    if row is None or row.finished_at is not None:
        return row.video_id if row else None
    video_id = video_id_of(upload_id)
    key = upload_parts.key_of(row)
    if row.parts_id is not None:
        await upload_parts.join(row)
    elif not await asyncio.to_thread(upload_files.settle, upload_id, key, row.length_bytes):
        if await storage.size(key) != row.length_bytes:
            await storage.put(key, upload_files.path_of(upload_id))
        await asyncio.to_thread(upload_files.remove, upload_id)
    async with db.transaction() as session:
        upload = await session.get_one(Upload, upload_id, with_for_update=True)
        if upload.finished_at is None:
            await _make_video(session, upload, video_id, key)
    return video_id


async def _make_video(session: AsyncSession, upload: Upload, video_id: UUID, key: str) -> None:
    session.add(
        Video(
            id=video_id,
            title=rules.title_from(upload.filename),
            source_filename=upload.filename,
            source_key=key,
            source_bytes=upload.length_bytes,
            uploaded_by=upload.owner_id,
        )
    )
    await session.flush()
    upload.video_id, upload.finished_at = video_id, utcnow()
    upload.expires_at = _expiry(utcnow())
    audit.record(
        session,
        upload.owner_id,
        "video.upload",
        "video",
        video_id,
        filename=upload.filename,
        bytes=upload.length_bytes,
    )
    await enqueue_transcode(session, video_id, 1)


async def discard(upload_id: UUID, owner_id: UUID) -> None:
    """Give an upload up and free its space. A finished one is a video by now: only its row goes.

    Raises:
        NotFound, Forbidden: as `find`.
        Locked: bytes are arriving at this moment.
        storage.StorageDown: S3 still keeps its parts.
    """
    for _look in range(DISCARD_LOOKS):
        async with db.try_lock(lock_name(upload_id)) as held:
            if held:
                await remove(upload_id, owner_id)
                return
        # Whoever gives up breaks the line first: the request that wrote is about to notice.
        receiving.push_aside(upload_id)
        await asyncio.sleep(0.1)
    await find(upload_id, owner_id, utcnow())
    raise Locked(_("This file is being sent from another window or connection at the moment."))


async def remove(upload_id: UUID, owner_id: UUID | None = None) -> None:
    """Delete row and bytes; the caller holds the lock. `owner_id` None: the sweep, which may remove anybody's."""
    async with db.transaction() as session:
        row = await session.get(Upload, upload_id)
    if row is None:
        raise NotFound(_("This upload is not here any more. Please begin it again."))
    if owner_id is not None and row.owner_id != owner_id:
        raise Forbidden(_("This upload was begun from another account."))
    # The row last of what is elsewhere: without it nobody would know what S3 keeps.
    await upload_parts.give_up(upload_id)
    async with db.transaction() as session:
        await session.delete(await session.get_one(Upload, upload_id, with_for_update=True))
    if row.finished_at is None:
        await asyncio.to_thread(upload_files.remove, upload_id)
        # A crash may have left the whole file at its later place, with no video to show for it.
        await storage.delete_prefix(f"sources/{video_id_of(upload_id)}/")
