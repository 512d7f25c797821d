"""Staff choose the picture that stands for a film. Each choice leaves an entry in the trail."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs, storage
from app.accounts import audit
from app.errors import BadInput, Conflict, Unavailable
from app.i18n import _
from app.video import faults, poster_rules, queries
from app.video.models import Video


@dataclass(frozen=True)
class Stored:
    """An own picture whose files are in storage; no video shows it yet."""

    name: str


async def choose(db: AsyncSession, actor_id: UUID, video_id: UUID, wanted: str, now: datetime) -> Video:
    """`wanted`: "auto" (Limber chooses), "own" (the picture that was uploaded), or a time in ms that is offered.

    Raises:
        BadInput: none of these.
        NotFound: there is no such video.
    """
    video = await queries.locked(db, video_id)
    if wanted == poster_rules.AUTO:
        choice, at_ms = poster_rules.AUTO, None
    elif wanted == poster_rules.OWN and video.poster_own:
        choice, at_ms = poster_rules.OWN, None
    elif wanted.isascii() and wanted.isdecimal() and len(wanted) < 10 and int(wanted) in video.poster_times:
        choice, at_ms = poster_rules.TIME, int(wanted)
    else:
        raise BadInput(_("This picture is not offered any more. Go back and choose again."), field="poster")
    if (video.poster_choice, video.poster_at_ms) != (choice, at_ms):
        _show(video, choice, at_ms, now)
        audit.record(db, actor_id, "video.poster", "video", video.id, title=video.title)
        await db.flush()
    return video


async def store(video_id: UUID, pictures: dict[str, bytes]) -> Stored:
    """Bring an own picture to where it will be served from; outside any transaction.

    Raises:
        Unavailable: storage is full or does not answer.
    """
    name = uuid4().hex
    try:
        for file, data in pictures.items():
            await storage.put(f"{poster_rules.own_folder(video_id, name)}/{file}", data)
    except Exception as fault:
        # obstore has errors of many kinds; those that pass by themselves are the storage's.
        if faults.waits_for(fault) is None:
            raise
        raise Unavailable(
            _("This picture could not be stored at the moment. Please try again in a minute.")
        ) from fault
    return Stored(name)


async def show_own(db: AsyncSession, actor_id: UUID, video_id: UUID, stored: Stored, now: datetime) -> Video:
    """The stored picture stands for the film from now on; an earlier one goes.

    Raises:
        NotFound: the video was deleted meanwhile.
    """
    video = await queries.locked(db, video_id)
    await _let_go(db, video)
    video.poster_own = stored.name
    _show(video, poster_rules.OWN, None, now)
    audit.record(db, actor_id, "video.poster_own", "video", video.id, title=video.title)
    await db.flush()
    return video


async def remove_own(db: AsyncSession, actor_id: UUID, video_id: UUID, now: datetime) -> Video:
    """Take the own picture away; where it was shown, Limber chooses again.

    Raises:
        Conflict: there is none.
        NotFound: there is no such video.
    """
    video = await queries.locked(db, video_id)
    if not video.poster_own:
        raise Conflict(_("There is no picture of yours any more."))
    await _let_go(db, video)
    video.poster_own = ""
    if video.poster_choice == poster_rules.OWN:
        _show(video, poster_rules.AUTO, None, now)
    audit.record(db, actor_id, "video.poster_remove", "video", video.id, title=video.title)
    await db.flush()
    return video


async def give_up(db: AsyncSession, video_id: UUID, now: datetime) -> None:
    """The chosen picture is lost: Limber chooses, until somebody does again."""
    video = await queries.locked(db, video_id)
    if video.poster_choice == poster_rules.OWN:
        video.poster_own = ""
    _show(video, poster_rules.AUTO, None, now)
    await db.flush()


def _show(video: Video, choice: str, at_ms: int | None, now: datetime) -> None:
    video.poster_choice, video.poster_at_ms = choice, at_ms
    video.poster_version += 1
    video.changed_at = now


async def _let_go(db: AsyncSession, video: Video) -> None:
    if video.poster_own:
        await jobs.enqueue(db, "remove_own_poster", {"video_id": str(video.id), "name": video.poster_own})
