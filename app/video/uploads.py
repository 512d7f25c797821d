"""Uploads: begun, and continued at the offset that the database knows."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

from sqlalchemy import update

from app import db, storage
from app.clock import utcnow
from app.errors import Conflict, Locked, TooLarge
from app.i18n import _
from app.video import receiving, rules, tus, upload_files, upload_parts
from app.video.models import Upload, UploadPart
from app.video.upload_finish import finish
from app.video.upload_standing import Standing, expiry, find, lock_name, room, standing_of


async def begin(owner_id: UUID, length: int, tus_metadata: str) -> Standing:
    """Open an upload of `length` bytes; none has arrived yet.

    Raises:
        BadInput, TooLarge, rules.NoRoom: it may not begin; the sentence says why.
        tus.BadTus: the metadata cannot be read.
        storage.StorageDown: S3, where it is to go, does not answer.
    """
    facts = tus.metadata(tus_metadata)
    content_type = (facts.get("filetype") or facts.get("type") or "")[:120]
    filename = rules.clean_filename(facts.get("filename") or facts.get("name") or "")
    now = utcnow()
    async with db.transaction() as session:
        if refused := rules.refusal(length, content_type, await room(session), filename):
            raise refused
        row = Upload(
            id=uuid4(),
            owner_id=owner_id,
            filename=filename,
            content_type=content_type,
            length_bytes=length,
            offset_bytes=0,
            tus_metadata=tus_metadata,
            created_at=now,
            expires_at=expiry(now),
        )
        session.add(row)
    if storage.takes_parts():
        await _open_parts(row)
    else:
        await asyncio.to_thread(upload_files.create, row.id)
    return standing_of(row)


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
            .values(offset_bytes=new, expires_at=expiry(utcnow()))
            .returning(Upload.id)
        )
        if moved is None:
            raise Conflict(_("This file was continued by another connection."))
        session.add_all(parts)
