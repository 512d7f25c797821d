"""How far an upload is, who may continue it, and what there is room for."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db, storage
from app.errors import Forbidden, Gone, NotFound
from app.i18n import _
from app.settings import get_settings
from app.video import rules, upload_files, upload_parts
from app.video.models import Upload


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


def standing_of(row: Upload) -> Standing:
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


def expiry(now: datetime) -> datetime:
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
    return standing_of(row)
