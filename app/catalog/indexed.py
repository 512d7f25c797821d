"""What of courses and lessons can be found: everybody's words, and apart from them a transcript written by hand."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Course, Lesson
from app.indexing import writing
from app.indexing.markdown import blocks
from app.indexing.rules import cut
from app.indexing.writing import Found, Subject


async def index_course(db: AsyncSession, course: Course) -> None:
    """Write it into the index; it must have been flushed."""
    found = Found(course.title, course.summary, pieces=tuple(cut(blocks(course.body_md))))
    await writing.put(db, Subject.of("course", course.id), found)


async def index_lesson(db: AsyncSession, lesson: Lesson) -> None:
    """Write it into the index; it must have been flushed. Its transcript is a document of its own, for fewer people."""
    pieces = tuple(cut([*blocks(lesson.body_md), lesson.needs]))
    await writing.put(db, Subject.of("lesson", lesson.id), Found(lesson.title, lesson.summary, pieces=pieces))
    told = Subject.told_in(lesson.id)
    if lesson.transcript_md.strip():
        await writing.put(db, told, Found("", pieces=tuple(cut(blocks(lesson.transcript_md)))))
    else:
        await writing.remove(db, told)
