"""A course that is out, with paid lessons, for benchmarks of watching."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from app.catalog.models import Lesson


async def lessons_of_a_course(
    session: "AsyncSession", count: int, *, duration_s: float | None = None
) -> "list[Lesson]":
    """`count` paid lessons that are out, each with a film of its own that is ready, `duration_s` long."""
    from app.catalog.models import Course, Lesson, Section
    from app.clock import utcnow
    from app.video.models import Video

    now = utcnow()
    course = Course(slug="bench", title="Bench", state="published", published_at=now)
    session.add(course)
    await session.flush()
    section = Section(course_id=course.id, title="Bench", position=0)
    session.add(section)
    films = [
        Video(
            title="Bench",
            source_filename="a.mp4",
            source_key="a",
            source_bytes=1,
            state="ready",
            version=1,
            duration_s=duration_s,
        )
        for _number in range(count)
    ]
    session.add_all(films)
    await session.flush()
    lessons = [
        Lesson(
            course_id=course.id,
            section_id=section.id,
            slug=f"lesson-{number}",
            title="Bench",
            position=number,
            state="published",
            published_at=now,
            video_id=film.id,
        )
        for number, film in enumerate(films)
    ]
    session.add_all(lessons)
    await session.flush()
    return lessons
