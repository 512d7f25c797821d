"""Files that nobody may watch any more go: those of deleted videos, and streams that a newer encode replaced."""

import asyncio
import shutil
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app import db, storage
from app.clock import utcnow
from app.jobs import engine
from app.video.models import Video

# A worker that is encoding the video learns of its end at its next word to the database; then it stops.
AGAIN_AFTER_S = 120.0
# Whoever watches the old stream while the new one comes out is given this long to finish.
OLD_FOR = timedelta(days=1)


@engine.workflow("remove_video_files")
async def remove_video_files(video_id: str) -> None:
    """Twice: the second time takes what a worker put down between its last word and the first time."""
    await _remove_files(video_id)
    await engine.sleep(AGAIN_AFTER_S)
    await _remove_files(video_id)


@engine.step(tries=8, first_wait_s=5.0)
async def _remove_files(video_id: str) -> None:
    await remove(video_id)


async def remove(video_id: str) -> None:
    """Delete everything that is stored under the id of a video that was deleted."""
    async with db.transaction() as session:
        if await session.get(Video, UUID(video_id)) is not None:
            return
    await delete_folder(f"videos/{video_id}")
    await delete_folder(f"sources/{video_id}")


async def remove_version(video_id: str, version: int) -> None:
    """Delete what an attempt that came to nothing had put there; never what is shown."""
    async with db.transaction() as session:
        video = await session.get(Video, UUID(video_id))
    if video is None:
        await delete_folder(f"videos/{video_id}")
    elif video.version != version:
        await delete_folder(f"videos/{video_id}/{version}")


@engine.scheduled("remove_old_streams", "41 3 * * *")
async def remove_old_streams(_at: datetime, _context: Any) -> None:
    """Daily: of each video only the newest stream is kept."""
    await _remove_old()


@engine.step(tries=3)
async def _remove_old() -> None:
    await remove_old(utcnow())


async def remove_old(now: datetime) -> None:
    """Delete the streams that a newer one replaced more than a day ago."""
    async with db.transaction() as session:
        rows = (
            await session.execute(
                select(Video.id, Video.version).where(Video.version > 1, Video.ready_at < now - OLD_FOR)
            )
        ).all()
    for video_id, version in rows:
        # A version is the attempt that made it, so there are gaps: attempts that failed, were stopped or are gone.
        for old in range(1, version):
            await delete_folder(f"videos/{video_id}/{old}")


async def delete_folder(prefix: str) -> None:
    """Delete all that lies under the folder `prefix` ("videos/…", no slash at its end)."""
    local = storage.local_path(prefix)
    if local is not None:
        # Object stores know no folders, so their delete would leave empty ones behind.
        await asyncio.to_thread(shutil.rmtree, local, ignore_errors=True)
    else:
        await storage.delete_prefix(f"{prefix}/")
