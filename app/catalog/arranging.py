"""The order of things: sections and lessons are added, moved and removed, by one person at a time in a course."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.rules import tidy
from app.catalog import rules
from app.catalog.models import Course, Lesson, Section
from app.errors import BadInput, Conflict, NotFound
from app.i18n import _

UP, DOWN = -1, 1
TITLE_MAX = 160
_LIST = text("SELECT pg_advisory_xact_lock(hashtextextended('course list', 8))")


class _Placed(Protocol):
    id: UUID
    position: int


def _place(rows: Sequence[_Placed], order: list[str]) -> None:
    """Number the rows from 0 as `order` (their ids) says; untouched rows are not written."""
    by_id = {str(row.id): row for row in rows}
    for position, row_id in enumerate(order):
        if by_id[row_id].position != position:
            by_id[row_id].position = position


async def locked_course(db: AsyncSession, course_id: UUID) -> Course:
    """The course, held until the transaction ends, so that two arrangers cannot give two rows one place.

    Raises:
        NotFound: when there is none.
    """
    course = await db.get(Course, course_id, with_for_update=True)
    if course is None:
        raise NotFound
    return course


async def hold_course_list(db: AsyncSession) -> None:
    """Until the transaction ends nobody else moves a course or adds one.

    The list has no row of its own to lock, and `ORDER BY … FOR UPDATE` answers in the order from before the wait.
    """
    await db.execute(_LIST)


async def move_course(db: AsyncSession, course_id: UUID, by: int) -> Course | None:
    """One place up (-1) or down (+1) in the list of courses; None at its ends, where nothing moves.

    Raises:
        NotFound: when there is none.
    """
    await hold_course_list(db)
    rows = list(await db.scalars(select(Course).order_by(Course.position, Course.created_at)))
    if course_id not in [row.id for row in rows]:
        raise NotFound
    before = [str(row.id) for row in rows]
    after = rules.moved(before, str(course_id), by)
    _place(rows, after)
    await db.flush()
    return None if after == before else next(row for row in rows if row.id == course_id)


async def delete_course(db: AsyncSession, course_id: UUID) -> Course:
    """Remove a draft course with its sections and lessons; videos stay in the library.

    Raises:
        Conflict: when it is published.
    """
    course = await locked_course(db, course_id)
    if course.state == "published":
        raise Conflict(_("This course is published. Take it back to draft first, then delete it."))
    await _sections(db, course_id)
    await db.refresh(course, ["sections"])
    await db.delete(course)
    await db.flush()
    return course


async def add_section(db: AsyncSession, course_id: UUID, title: str) -> Section:
    """A new section at the end.

    Raises:
        BadInput: when the title is empty or too long.
    """
    await locked_course(db, course_id)
    last = await db.scalar(select(func.max(Section.position)).where(Section.course_id == course_id))
    section = Section(
        course_id=course_id, title=section_title(title), position=0 if last is None else last + 1
    )
    db.add(section)
    await db.flush()
    return section


async def rename_section(db: AsyncSession, course_id: UUID, section_id: UUID, title: str) -> Section:
    """Raises: BadInput: when the title is empty or too long."""
    section = await section_in(db, course_id, section_id)
    section.title = section_title(title)
    await db.flush()
    return section


def section_title(title: str) -> str:
    """The title without outer blanks.

    Raises:
        BadInput: when it is empty or longer than 160.
    """
    title = " ".join(tidy(title).split())
    if not title:
        raise BadInput(_("Give the section a title."), field="title")
    if len(title) > TITLE_MAX:
        raise BadInput(_("Keep the title to 160 characters."), field="title")
    return title


async def move_section(db: AsyncSession, course_id: UUID, section_id: UUID, by: int) -> Section | None:
    """One place up or down in its course; None at the ends, where nothing moves."""
    await locked_course(db, course_id)
    rows = await _sections(db, course_id)
    if section_id not in [row.id for row in rows]:
        raise NotFound
    before = [str(row.id) for row in rows]
    after = rules.moved(before, str(section_id), by)
    _place(rows, after)
    await db.flush()
    return None if after == before else next(row for row in rows if row.id == section_id)


async def delete_section(db: AsyncSession, course_id: UUID, section_id: UUID) -> Section:
    """Remove an empty section.

    Raises:
        Conflict: while it holds lessons.
    """
    await locked_course(db, course_id)
    section = await section_in(db, course_id, section_id)
    if await _lessons(db, section_id):
        raise Conflict(_("This section still holds lessons. Move or delete them first."))
    await db.delete(section)
    await db.flush()
    return section


async def append_lesson(db: AsyncSession, lesson: Lesson, section_id: UUID) -> None:
    """Put the lesson at the end of a section of its course.

    Raises:
        NotFound: when the section is not one of this course.
    """
    await locked_course(db, lesson.course_id)
    await section_in(db, lesson.course_id, section_id)
    last = await db.scalar(select(func.max(Lesson.position)).where(Lesson.section_id == section_id))
    lesson.section_id = section_id
    lesson.position = 0 if last is None else last + 1
    db.add(lesson)
    await db.flush()


async def move_lesson(db: AsyncSession, course_id: UUID, lesson_id: UUID, by: int) -> Lesson | None:
    """One place up or down; at the edge of its section it goes on into the neighbouring one.

    None where nothing moves: at the top of the first section and at the foot of the last.
    """
    await locked_course(db, course_id)
    lesson = await lesson_in(db, course_id, lesson_id)
    rows = await _lessons(db, lesson.section_id)
    order = [str(row.id) for row in rows]
    new_order = rules.moved(order, str(lesson.id), by)
    if new_order != order:
        _place(rows, new_order)
        await db.flush()
        return lesson
    sections = await _sections(db, course_id)
    at = [section.id for section in sections].index(lesson.section_id) + by
    if not 0 <= at < len(sections):
        return None
    neighbours = await _lessons(db, sections[at].id)
    _place(
        [row for row in rows if row is not lesson], [row_id for row_id in order if row_id != str(lesson.id)]
    )
    lesson.section_id = sections[at].id
    entering = [str(row.id) for row in neighbours]
    _place([*neighbours, lesson], [*entering, str(lesson.id)] if by == UP else [str(lesson.id), *entering])
    await db.flush()
    return lesson


async def delete_lesson(db: AsyncSession, course_id: UUID, lesson_id: UUID) -> Lesson:
    """Remove a draft lesson; its video stays in the library.

    Raises:
        Conflict: when members can see it.
    """
    await locked_course(db, course_id)
    lesson = await lesson_in(db, course_id, lesson_id)
    if lesson.state != "draft":
        raise Conflict(_("People can see this lesson. Take it back to draft first, then delete it."))
    await db.delete(lesson)
    await db.flush()
    return lesson


async def section_in(db: AsyncSession, course_id: UUID, section_id: UUID) -> Section:
    section = await db.get(Section, section_id)
    if section is None or section.course_id != course_id:
        raise NotFound
    return section


async def lesson_in(db: AsyncSession, course_id: UUID, lesson_id: UUID) -> Lesson:
    lesson = await db.get(Lesson, lesson_id)
    if lesson is None or lesson.course_id != course_id:
        raise NotFound
    return lesson


async def _sections(db: AsyncSession, course_id: UUID) -> list[Section]:
    rows = await db.scalars(
        select(Section).where(Section.course_id == course_id).order_by(Section.position, Section.id)
    )
    return list(rows)


async def _lessons(db: AsyncSession, section_id: UUID) -> list[Lesson]:
    rows = await db.scalars(
        select(Lesson).where(Lesson.section_id == section_id).order_by(Lesson.position, Lesson.created_at)
    )
    return list(rows)
