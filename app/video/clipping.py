"""Staff make and delete free clips of a film. Each leaves an entry in the trail."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts import audit
from app.errors import Conflict, NotFound
from app.i18n import _
from app.video import queries
from app.video.clip_models import Clip
from app.video.clip_rules import Span

MOST = 50


async def names_like(db: AsyncSession, base: str) -> list[str]:
    """The names of clips that begin so."""
    return list(await db.scalars(select(Clip.name).where(Clip.name.startswith(base, autoescape=True))))


async def of_film(db: AsyncSession, video_id: UUID) -> list[Clip]:
    """A film's clips, by where they begin."""
    rows = await db.scalars(
        select(Clip).where(Clip.video_id == video_id).order_by(Clip.start_ms, Clip.created_at, Clip.id)
    )
    return list(rows)


async def find(db: AsyncSession, video_id: UUID, clip_id: UUID) -> Clip:
    """Raises: NotFound: the film has no such clip."""
    clip = await db.get(Clip, clip_id, with_for_update=True)
    if clip is None or clip.video_id != video_id:
        raise NotFound(_("This clip is not here. It may have been deleted."))
    return clip


async def add(
    db: AsyncSession, actor_id: UUID, video_id: UUID, name: str, title: str, span: Span, now: datetime
) -> Clip:
    """Have a piece of a film cut out for everybody. `span` as `clip_rules.check` gave it, `name` a free one.

    Raises:
        Conflict: the film is not ready, or it has MOST clips.
        NotFound: there is no such film.
    """
    video = await queries.locked(db, video_id)
    if not video.version:
        raise Conflict(_("The film has to be ready first."))
    if len(await of_film(db, video_id)) >= MOST:
        raise Conflict(_("This film has %(n)d clips. Delete one that is not needed any more.") % {"n": MOST})
    clip = Clip(
        id=uuid4(),
        video_id=video_id,
        name=name,
        title=title,
        start_ms=span.start_ms,
        end_ms=span.end_ms,
        turn=1,
        created_at=now,
        changed_at=now,
    )
    db.add(clip)
    await db.flush()
    audit.record(db, actor_id, "clip.create", "video", video_id, title=title)
    await _enqueue(db, clip)
    return clip


async def again(db: AsyncSession, actor_id: UUID, video_id: UUID, clip_id: UUID, now: datetime) -> Clip:
    """Try once more.

    Raises:
        Conflict: it did not fail.
        NotFound: as `find`.
    """
    clip = await find(db, video_id, clip_id)
    if clip.state != "failed":
        raise Conflict(_("This clip is being cut, or is ready."))
    clip.turn, clip.state, clip.error, clip.changed_at = clip.turn + 1, "queued", None, now
    await db.flush()
    audit.record(db, actor_id, "clip.create", "video", video_id, title=clip.title)
    await _enqueue(db, clip)
    return clip


async def delete(db: AsyncSession, actor_id: UUID, video_id: UUID, clip_id: UUID) -> None:
    """Nobody gets it from now on; its files follow.

    Raises:
        NotFound: as `find`.
    """
    clip = await find(db, video_id, clip_id)
    audit.record(db, actor_id, "clip.delete", "video", video_id, title=clip.title)
    await db.delete(clip)
    await db.flush()
    await jobs.enqueue(
        db,
        "remove_clip",
        {"video_id": str(video_id), "clip_id": str(clip_id)},
        workflow_id=f"remove_clip:{clip_id}",
    )


async def _enqueue(db: AsyncSession, clip: Clip) -> None:
    await jobs.enqueue(
        db,
        "cut_clip",
        {"clip_id": str(clip.id), "turn": clip.turn},
        queue=jobs.ENCODE,
        workflow_id=f"cut_clip:{clip.id}:{clip.turn}",
    )
