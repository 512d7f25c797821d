"""Videos that say they are being worked on while no work for them exists any more: they fail, with a way on."""

import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from app import db
from app.clock import utcnow
from app.jobs import engine
from app.video.faults import OURS
from app.video.models import Video
from app.video.progress import end_failed
from app.video.queueing import workflow_id
from app.video.source import VideoError
from app.video.words import BUSY

log = logging.getLogger("limber.video")
QUIET_FOR = timedelta(minutes=10)
_LIVING = text(
    "SELECT workflow_uuid FROM dbos.workflow_status"
    " WHERE workflow_uuid = ANY(:ids) AND status IN ('PENDING', 'ENQUEUED', 'DELAYED')"
)


@engine.scheduled("fail_stranded_videos", "*/10 * * * *")
async def fail_stranded_videos(_at: datetime, _context: Any) -> None:
    """After a crash that repeated itself too often, or a restored backup."""
    await _fail_stranded()


@engine.step(tries=2)
async def _fail_stranded() -> None:
    await fail_stranded(utcnow())


async def fail_stranded(now: datetime) -> int:
    """Answers how many there were."""
    async with db.transaction() as session:
        quiet = (
            await session.execute(
                select(Video.id, Video.attempt).where(
                    Video.state.in_(BUSY), Video.changed_at < now - QUIET_FOR
                )
            )
        ).all()
        work = {workflow_id(video_id, attempt): (video_id, attempt) for video_id, attempt in quiet}
        living = set(await session.scalars(_LIVING, {"ids": list(work)})) if work else set()
    stranded = [key for name, key in work.items() if name not in living]
    for video_id, attempt in stranded:
        log.error("video %s: its work is gone", video_id)
        await end_failed(video_id, attempt, VideoError(OURS))
    return len(stranded)
