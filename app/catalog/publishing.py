"""Drafts go out, are announced, and are taken back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import rules
from app.catalog.arranging import lesson_in, locked_course
from app.catalog.editing import video_state
from app.catalog.models import Course, Lesson
from app.errors import BadInput
from app.i18n import _
from app.video.models import Video


class NotYet(BadInput):
    """It cannot be published; `missing` names each reason."""

    def __init__(self, missing: tuple[rules.Missing, ...]) -> None:
        self.missing = missing
        super().__init__(" ".join(self.sentences))

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(_(rules.SENTENCES[one]) for one in self.missing)


async def course_draft(db: AsyncSession, course: Course) -> rules.CourseDraft:
    states = await db.scalars(select(Lesson.state).where(Lesson.course_id == course.id))
    return rules.CourseDraft(course.title, course.summary, tuple(states))


async def publish_course(db: AsyncSession, course_id: UUID, now: datetime) -> Course:
    """Show the course to everybody.

    Raises:
        NotYet: with each thing that is missing.
    """
    course = await locked_course(db, course_id)
    if missing := rules.can_publish(await course_draft(db, course)):
        raise NotYet(missing)
    course.state = "published"
    course.published_at = course.published_at or now
    await db.flush()
    return course


async def unpublish_course(db: AsyncSession, course_id: UUID) -> Course:
    """Take the course and all its lessons out of sight; who is watching is stopped within seconds."""
    course = await locked_course(db, course_id)
    course.state = "draft"
    await db.flush()
    return course


async def publish_lesson(db: AsyncSession, course_id: UUID, lesson_id: UUID, now: datetime) -> Lesson:
    """Put the lesson out: now, or on its `available_at` when that is later.

    Raises:
        NotYet: with each thing that is missing.
    """
    await locked_course(db, course_id)
    lesson = await lesson_in(db, course_id, lesson_id)
    video = await db.get(Video, lesson.video_id) if lesson.video_id else None
    if missing := rules.can_publish(rules.LessonDraft(lesson.title, video_state(video))):
        raise NotYet(missing)
    lesson.state = "published"
    lesson.published_at = lesson.published_at or now
    await db.flush()
    return lesson


async def announce_lesson(db: AsyncSession, course_id: UUID, lesson_id: UUID) -> Lesson:
    """Show the lesson in the outline as coming; people can leave their address."""
    return await _set_state(db, course_id, lesson_id, "announced")


async def unpublish_lesson(db: AsyncSession, course_id: UUID, lesson_id: UUID) -> Lesson:
    return await _set_state(db, course_id, lesson_id, "draft")


async def _set_state(db: AsyncSession, course_id: UUID, lesson_id: UUID, state: str) -> Lesson:
    await locked_course(db, course_id)
    lesson = await lesson_in(db, course_id, lesson_id)
    lesson.state = state
    await db.flush()
    return lesson
