"""Reads of free clips with the lesson that each was taken from, where everybody may see that lesson."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Course, Lesson
from app.video.clip_models import Clip


@dataclass(frozen=True)
class ShownClip:
    """A clip that is ready. `lesson_url`, `lesson_title`: None while no public lesson shows its film."""

    id: UUID
    turn: int
    name: str
    title: str
    length_s: float
    width_px: int
    height_px: int
    language: str
    ready_at: datetime
    lesson_url: str | None = None
    lesson_title: str | None = None


async def ready(db: AsyncSession, clip_id: UUID) -> Clip | None:
    """The clip, once everybody may have it."""
    clip = await db.get(Clip, clip_id)
    return clip if clip is not None and clip.state == "ready" else None


async def named(db: AsyncSession, names: Collection[str]) -> list[ShownClip]:
    """Those of these names that are ready."""
    rows = await db.execute(
        select(Clip, Lesson.slug, Lesson.title, Course.slug)
        .outerjoin(Lesson, (Lesson.video_id == Clip.video_id) & (Lesson.state != "draft"))
        .outerjoin(Course, (Course.id == Lesson.course_id) & (Course.state == "published"))
        .where(Clip.name.in_(names), Clip.state == "ready")
        .order_by(Clip.name, Course.position.nulls_last(), Lesson.position)
    )
    found: dict[str, ShownClip] = {}
    for clip, lesson, title, course in rows:
        # Of several lessons that show its film, the first.
        found.setdefault(clip.name, _shown(clip, f"/courses/{course}/{lesson}" if course else None, title))
    return list(found.values())


def _shown(clip: Clip, lesson_url: str | None, lesson_title: str) -> ShownClip:
    return ShownClip(
        id=clip.id,
        turn=clip.turn,
        name=clip.name,
        title=clip.title,
        length_s=(clip.end_ms - clip.start_ms) / 1000,
        width_px=clip.width_px or 1280,
        height_px=clip.height_px or 720,
        language=clip.language if clip.vtt else "",
        ready_at=clip.ready_at or clip.changed_at,
        lesson_url=lesson_url,
        lesson_title=lesson_title if lesson_url else None,
    )
