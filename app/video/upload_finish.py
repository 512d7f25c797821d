"""The last byte of an upload makes a video of it, and the work on that video."""

import asyncio
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import db, storage
from app.accounts import audit
from app.clock import utcnow
from app.video import rules, upload_files, upload_parts
from app.video.models import Upload, Video
from app.video.queueing import enqueue_transcode
from app.video.upload_files import video_id_of
from app.video.upload_standing import expiry


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
    upload.expires_at = expiry(utcnow())
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
