"""Reads of videos for the studio: lists, one film, and how its uploads stand."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ScalarSelect, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.i18n import _
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video

PER_PAGE = 50


@dataclass(frozen=True)
class VideoListing:
    """One page of videos, and how many there are in all."""

    rows: list[Video]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


async def in_state(db: AsyncSession, *states: str, limit: int = 10) -> list[Video]:
    """Videos in one of the states, the last changed first."""
    rows = await db.scalars(
        select(Video).where(Video.state.in_(states)).order_by(Video.changed_at.desc(), Video.id).limit(limit)
    )
    return list(rows)


async def by_id(db: AsyncSession, video_id: UUID) -> Video:
    """Raises: NotFound: there is none, or it was deleted."""
    video = await db.get(Video, video_id)
    if video is None:
        raise NotFound(_("This video is not here. It may have been deleted."))
    return video


async def locked(db: AsyncSession, video_id: UUID) -> Video:
    """The video, for this transaction alone to change. Raises: NotFound: as `by_id`."""
    video = await db.get(Video, video_id, with_for_update=True)
    if video is None:
        raise NotFound(_("This video is not here. It may have been deleted."))
    return video


async def listing(db: AsyncSession, search: str, page: int) -> VideoListing:
    """Videos whose title or file name contains the search, the newest first."""
    wanted = select(Video)
    if search:
        part = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = wanted.where(
            or_(
                func.lower(Video.title).contains(part, escape="\\"),
                func.lower(Video.source_filename).contains(part, escape="\\"),
            )
        )
    total = await db.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = await db.scalars(
        wanted.order_by(Video.created_at.desc(), Video.id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    )
    return VideoListing(list(rows), total, page)


VideoId = UUID | ScalarSelect[UUID | None]


async def caption_tracks(db: AsyncSession, video_id: VideoId) -> list[CaptionTrack]:
    """The video's captions, the first added first. `video_id` may be a subquery that finds it."""
    rows = await db.scalars(
        select(CaptionTrack)
        .where(CaptionTrack.video_id == video_id)
        .order_by(CaptionTrack.created_at, CaptionTrack.language)
    )
    return list(rows)


async def caption_track(db: AsyncSession, video_id: UUID, track_id: UUID) -> CaptionTrack:
    """Raises: NotFound: there is no such track of this video."""
    track = await db.get(CaptionTrack, track_id)
    if track is None or track.video_id != video_id:
        raise NotFound(_("These captions are not here. They may have been deleted."))
    return track


async def chapters(db: AsyncSession, video_id: VideoId) -> list[Chapter]:
    """The film's chapters, in order."""
    rows = await db.scalars(select(Chapter).where(Chapter.video_id == video_id).order_by(Chapter.at_s))
    return list(rows)
