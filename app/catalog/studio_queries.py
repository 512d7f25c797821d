"""Reads of courses for the studio: drafts included, by id, with everything that the outline editor shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from app.catalog.models import Course, Lesson, Section
from app.errors import NotFound
from app.video.models import Video


@dataclass(frozen=True)
class CourseLine:
    """One row of the studio's list."""

    id: UUID
    slug: str
    title: str
    state: str
    lessons: int
    published: int


async def course_lines(db: AsyncSession, now: datetime) -> list[CourseLine]:
    """Every course in its order, with how many of its lessons are out."""
    rows = await db.execute(
        select(
            Course.id,
            Course.slug,
            Course.title,
            Course.state,
            func.count(Lesson.id),
            func.count(Lesson.id).filter(
                Lesson.state == "published", or_(Lesson.available_at.is_(None), Lesson.available_at <= now)
            ),
        )
        .outerjoin(Lesson, Lesson.course_id == Course.id)
        .group_by(Course.id)
        .order_by(Course.position, Course.created_at)
    )
    return [CourseLine(*row) for row in rows]


async def whole_course(db: AsyncSession, course_id: UUID) -> Course:
    """The course with its sections and lessons in order.

    Raises:
        NotFound: when there is none.
    """
    found: Course | None = await db.scalar(
        select(Course)
        .where(Course.id == course_id)
        .options(selectinload(Course.sections).selectinload(Section.lessons))
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class VideoChoice:
    """A video that a lesson can show. `is_ready` False: it is still being prepared, or it failed."""

    id: UUID
    title: str
    duration_s: float | None
    state: str
    is_ready: bool


async def video_choices(db: AsyncSession, present: UUID | None = None) -> list[VideoChoice]:
    """Every video that can be watched or will be, the newest first; `present`, the lesson's own, always."""
    rows = await db.execute(
        select(Video.id, Video.title, Video.duration_s, Video.state, Video.version > 0)
        .where(or_(Video.version > 0, Video.state != "failed", Video.id == present))
        .order_by(Video.created_at.desc(), Video.id)
    )
    return [VideoChoice(*row) for row in rows]
