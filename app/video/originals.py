"""With LIMBER_KEEP_ORIGINALS=false: an uploaded file goes a day after its video became ready, so that a mistake can
be mended until then."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app import db, jobs
from app.clock import utcnow
from app.jobs import engine
from app.settings import get_settings
from app.video.models import Video
from app.video.removal import delete_folder

KEPT_FOR = timedelta(days=1)


@engine.scheduled("drop_originals", "23 * * * *")
async def drop_originals(_at: datetime, _context: Any) -> None:
    """Hourly; does nothing while originals are kept."""
    await _drop()


@engine.step(tries=3)
async def _drop() -> None:
    if not get_settings().keep_originals:
        await drop(utcnow())


async def drop(now: datetime) -> int:
    """Note of each video ready for KEPT_FOR that its original is not kept, and queue the removal; answers how many.

    Both in one transaction: after it nobody begins to read the file, and the removal is not forgotten.
    """
    async with db.transaction() as session:
        due = list(
            await session.scalars(
                select(Video)
                .where(Video.state == "ready", Video.source_key != "", Video.ready_at < now - KEPT_FOR)
                .order_by(Video.id)
                .with_for_update(skip_locked=True)
            )
        )
        for video in due:
            video.source_key = ""
            await jobs.enqueue(
                session,
                "remove_original",
                {"video_id": str(video.id)},
                workflow_id=f"remove_original:{video.id}",
            )
    return len(due)


@engine.workflow("remove_original")
async def remove_original(video_id: str) -> None:
    await _remove_file(video_id)


@engine.step(tries=8, first_wait_s=5.0)
async def _remove_file(video_id: str) -> None:
    await remove(video_id)


async def remove(video_id: str) -> None:
    """Delete the uploaded file of a video that says it has none."""
    async with db.transaction() as session:
        video = await session.get(Video, UUID(video_id))
        if video is not None and video.source_key:
            return
    await delete_folder(f"sources/{video_id}")
