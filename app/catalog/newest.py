"""The lessons that came out last, by what everybody may know of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Course, Lesson
from app.video.models import Video


@dataclass(frozen=True)
class NewLesson:
    """A lesson that is out. `out_at`: since when."""

    id: UUID
    url: str
    title: str
    summary: str
    course_title: str
    has_poster: bool
    out_at: datetime


async def lessons(db: AsyncSession, now: datetime, *, limit: int) -> list[NewLesson]:
    """Of published courses, the newest first (`rules.is_out`, as a query)."""
    out_at = func.coalesce(
        func.greatest(Lesson.published_at, Lesson.available_at, Course.published_at), Lesson.created_at
    )
    rows = await db.execute(
        select(Lesson, Course.slug, Course.title, Video.version, out_at)
        .join(Course, Course.id == Lesson.course_id)
        .outerjoin(Video, Video.id == Lesson.video_id)
        .where(
            Course.state == "published",
            Lesson.state == "published",
            or_(Lesson.available_at.is_(None), Lesson.available_at <= now),
        )
        .order_by(out_at.desc(), Lesson.id)
        .limit(limit)
    )
    return [
        NewLesson(
            id=lesson.id,
            url=f"/courses/{course}/{lesson.slug}",
            title=lesson.title,
            summary=lesson.summary,
            course_title=course_title,
            has_poster=bool(version),
            out_at=since,
        )
        for lesson, course, course_title, version, since in rows
    ]
