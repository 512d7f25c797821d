"""Staff change a video: its title, another encode, a stop, or its end. Each leaves an entry in the trail."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts import audit
from app.errors import BadInput, Conflict, NotFound
from app.i18n import _
from app.video import queries, rules, words
from app.video.models import Video
from app.video.queueing import enqueue_transcode


async def rename(db: AsyncSession, actor_id: UUID, video_id: UUID, title: str) -> Video:
    """
    Raises:
        BadInput: the title is empty or too long.
    """
    title = " ".join(title.split())
    if not title:
        raise BadInput(_("Give the video a title."), field="title")
    if len(title) > rules.TITLE_CHARS:
        raise BadInput(
            _("This is too long by %(n)d characters.") % {"n": len(title) - rules.TITLE_CHARS}, field="title"
        )
    if not title.isprintable():
        raise BadInput(_("This holds a character that cannot be kept."), field="title")
    video = await queries.locked(db, video_id)
    if video.title != title:
        audit.record(db, actor_id, "video.rename", "video", video.id, title=title)
        video.title = title
        await db.flush()
    return video


async def retry(db: AsyncSession, actor_id: UUID | None, video_id: UUID, now: datetime) -> Video:
    """Encode once more from the source. What can be watched already goes on being shown meanwhile.

    `actor_id` None: the command line.

    Raises:
        Conflict: while it is being worked on.
        NoOriginal: the uploaded file was not kept.
    """
    video = await queries.locked(db, video_id)
    rules.check_retry(video)
    video.attempt += 1
    video.state, video.stage, video.percent, video.changed_at = "queued", "", 0, now
    video.failure, video.failure_words = None, {}
    await enqueue_transcode(db, video.id, video.attempt)
    audit.record(db, actor_id, "video.retry", "video", video.id, title=video.title)
    await db.flush()
    return video


@dataclass
class Again:
    """How many videos were queued once more, and how many were left: under way, or without their uploaded file."""

    queued: int = 0
    under_way: int = 0
    no_original: int = 0


async def retry_all(db: AsyncSession, actor_id: UUID | None, now: datetime) -> Again:
    """`retry` for every video, the oldest first: after a change of the ladder."""
    done = Again()
    for video_id in list(await db.scalars(select(Video.id).order_by(Video.created_at, Video.id))):
        try:
            await retry(db, actor_id, video_id, now)
            done.queued += 1
        except rules.NoOriginal:
            done.no_original += 1
        except Conflict:
            done.under_way += 1
        except NotFound:
            continue  # deleted since the list was read
    return done


async def stop(db: AsyncSession, actor_id: UUID, video_id: UUID, now: datetime) -> Video:
    """End the work on a video. An earlier stream, where there is one, goes on being shown.

    The attempt is counted up, so that its work is nobody's: one that waits ends when its turn comes, and a worker
    learns of it at its next word to the database.

    Raises:
        Conflict: nothing is being done for it.
    """
    video = await queries.locked(db, video_id)
    rules.check_stop(video)
    video.attempt += 1
    video.state, video.stage, video.changed_at = "failed", "", now
    video.begun_version, video.parts = 0, {}
    video.failure, video.failure_words = words.STOPPED, {"message": words.STOPPED, "params": {}}
    audit.record(db, actor_id, "video.stop", "video", video.id, title=video.title)
    await db.flush()
    return video


async def delete(db: AsyncSession, actor_id: UUID, video_id: UUID, shown_in: list[str]) -> None:
    """Remove the video at once, and its files by work that follows. `shown_in`: titles of lessons that show it.

    Raises:
        Conflict: a lesson shows it.
    """
    video = await queries.locked(db, video_id)
    rules.check_delete(video, shown_in)
    audit.record(db, actor_id, "video.delete", "video", video.id, title=video.title)
    await db.delete(video)
    await db.flush()
    await jobs.enqueue(
        db, "remove_video_files", {"video_id": str(video_id)}, workflow_id=f"remove_video_files:{video_id}"
    )
