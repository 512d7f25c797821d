"""Which lessons show a video."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Course, Lesson


@dataclass(frozen=True)
class LessonUse:
    """A lesson that shows a video; `url` is its public address, `course_id` and `id` lead to it in the studio."""

    id: UUID
    course_id: UUID
    title: str
    course_title: str
    url: str
    state: str


async def lessons_with(db: AsyncSession, video_ids: Collection[UUID]) -> dict[UUID, list[LessonUse]]:
    """By video, in the order of courses; videos that no lesson shows are left out."""
    rows = await db.execute(
        select(Lesson, Course.title, Course.slug)
        .join(Course, Course.id == Lesson.course_id)
        .where(Lesson.video_id.in_(video_ids))
        .order_by(Course.position, Lesson.position, Lesson.title)
    )
    found: dict[UUID, list[LessonUse]] = {}
    for lesson, course_title, course_slug in rows:
        assert lesson.video_id is not None
        url = f"/courses/{course_slug}/{lesson.slug}"
        use = LessonUse(lesson.id, lesson.course_id, lesson.title, course_title, url, lesson.state)
        found.setdefault(lesson.video_id, []).append(use)
    return found
