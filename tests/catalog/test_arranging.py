"""The order of courses, sections and lessons stays dense, without doubles, whoever else is arranging."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app import db
from app.catalog import arranging, editing
from app.catalog.arranging import DOWN, UP
from app.catalog.models import Course, Lesson, Section
from app.errors import BadInput, Conflict, NotFound
from tests import factories


@pytest.fixture
async def course(database: db.Database) -> Course:
    """Two sections, of three lessons and of two: a b c | d e."""
    async with db.transaction() as session:
        made = await factories.course(session)
        for at, titles in enumerate(("abc", "de")):
            section = await factories.section(session, made, title=f"S{at}", position=at)
            for position, title in enumerate(titles):
                await factories.lesson(
                    session, section, title=title, position=position, video_id=None, state="draft"
                )
    return made


async def outline(course_id: UUID) -> str:
    """The lessons' titles by section, as `abc|de`; fails unless every numbering is 0, 1, 2, …"""
    async with db.transaction() as session:
        sections = list(
            await session.scalars(
                select(Section).where(Section.course_id == course_id).order_by(Section.position)
            )
        )
        assert [section.position for section in sections] == list(range(len(sections)))
        shown = []
        for section in sections:
            lessons = list(
                await session.scalars(
                    select(Lesson).where(Lesson.section_id == section.id).order_by(Lesson.position)
                )
            )
            assert [lesson.position for lesson in lessons] == list(range(len(lessons)))
            shown.append("".join(lesson.title for lesson in lessons))
    return "|".join(shown)


async def ids(model: type[Lesson] | type[Section], course_id: UUID) -> dict[str, UUID]:
    async with db.transaction() as session:
        rows = await session.execute(select(model.title, model.id).where(model.course_id == course_id))
        return {row.title: row.id for row in rows}


async def alone(change: Callable[..., Awaitable[Any]], *args: object) -> Any:
    """The change in a transaction of its own, as a request makes it."""
    async with db.transaction() as session:
        return await change(session, *args)


async def move(course: Course, title: str, by: int) -> str:
    lessons = await ids(Lesson, course.id)
    await alone(arranging.move_lesson, course.id, lessons[title], by)
    return await outline(course.id)


async def test_a_lesson_moves_within_its_section_and_on_into_the_next(course: Course) -> None:
    assert await move(course, "a", UP) == "abc|de"
    assert await move(course, "a", DOWN) == "bac|de"
    assert await move(course, "c", DOWN) == "ba|cde"
    assert await move(course, "c", UP) == "bac|de"
    assert await move(course, "e", DOWN) == "bac|de"
    assert await move(course, "d", UP) == "bacd|e"
    assert await move(course, "e", UP) == "bacde|"
    assert await move(course, "e", DOWN) == "bacd|e"


async def test_a_section_moves_with_its_lessons(course: Course) -> None:
    sections = await ids(Section, course.id)
    await alone(arranging.move_section, course.id, sections["S1"], UP)
    assert await outline(course.id) == "de|abc"
    await alone(arranging.move_section, course.id, sections["S1"], UP)
    assert await outline(course.id) == "de|abc"


async def test_many_who_move_lessons_at_once_lose_none_and_double_none(course: Course) -> None:
    lessons = list((await ids(Lesson, course.id)).values())
    dice = random.Random(2)
    moves = [(dice.choice(lessons), dice.choice((UP, DOWN))) for _ in range(40)]

    async def one(lesson_id: UUID, by: int) -> None:
        await alone(arranging.move_lesson, course.id, lesson_id, by)

    await asyncio.gather(*(one(*each) for each in moves))
    assert sorted((await outline(course.id)).replace("|", "")) == list("abcde")


async def test_moves_of_sections_and_lessons_and_new_ones_all_at_once(course: Course) -> None:
    lessons, sections = await ids(Lesson, course.id), await ids(Section, course.id)

    async def new(n: int) -> None:
        form = editing.LessonForm(title=str(n), section_id=str(sections["S0"]))
        await alone(editing.create_lesson, course.id, form)

    await asyncio.gather(
        *(new(n) for n in range(6)),
        *(alone(arranging.add_section, course.id, "Another") for _ in range(4)),
        *(alone(arranging.move_section, course.id, sections["S0"], DOWN) for _ in range(4)),
        *(alone(arranging.move_lesson, course.id, one, DOWN) for one in lessons.values()),
    )
    shown = await outline(course.id)
    assert shown.count("|") == 5
    assert sorted(shown.replace("|", "")) == sorted("abcde012345")


async def test_each_of_two_moves_counts(course: Course) -> None:
    """The second waits for the first and goes on from what that one left."""
    lessons = await ids(Lesson, course.id)
    held = asyncio.Event()

    async def first() -> None:
        async with db.transaction() as session:
            await arranging.move_lesson(session, course.id, lessons["a"], DOWN)
            held.set()
            await asyncio.sleep(0.2)

    async def second() -> None:
        await held.wait()
        await alone(arranging.move_lesson, course.id, lessons["a"], DOWN)

    await asyncio.gather(first(), second())
    assert await outline(course.id) == "bca|de"


async def courses() -> list[str]:
    async with db.transaction() as session:
        rows = list(await session.scalars(select(Course).order_by(Course.position)))
    assert [row.position for row in rows] == list(range(len(rows)))
    return [row.title for row in rows]


async def make_courses(*titles: str) -> dict[str, UUID]:
    made = {}
    for title in titles:
        form = editing.CourseForm(title=title)
        made[title] = (await alone(editing.create_course, form)).id
    return made


async def test_each_of_two_moves_of_courses_counts(database: db.Database) -> None:
    made = await make_courses("a", "b", "c", "d")
    held = asyncio.Event()

    async def first() -> None:
        async with db.transaction() as session:
            await arranging.move_course(session, made["a"], DOWN)
            held.set()
            await asyncio.sleep(0.2)

    async def second() -> None:
        await held.wait()
        await alone(arranging.move_course, made["c"], UP)

    await asyncio.gather(first(), second())
    assert await courses() == ["b", "c", "a", "d"]


async def test_many_who_move_and_make_courses_wait_for_one_another(database: db.Database) -> None:
    made = await make_courses("a", "b", "c", "d")
    dice = random.Random(5)
    await asyncio.gather(
        *(
            alone(arranging.move_course, dice.choice(list(made.values())), dice.choice((UP, DOWN)))
            for _ in range(24)
        ),
        *(alone(editing.create_course, editing.CourseForm(title=f"New {n}")) for n in range(6)),
    )
    assert sorted(await courses()) == sorted(["a", "b", "c", "d", *(f"New {n}" for n in range(6))])


async def test_what_holds_something_is_not_deleted(course: Course) -> None:
    sections, lessons = await ids(Section, course.id), await ids(Lesson, course.id)
    with pytest.raises(Conflict):
        await alone(arranging.delete_section, course.id, sections["S0"])
    with pytest.raises(Conflict):
        await alone(arranging.delete_course, course.id)
    for title in "de":
        await alone(arranging.delete_lesson, course.id, lessons[title])
    await alone(arranging.delete_section, course.id, sections["S1"])
    assert await outline(course.id) == "abc"


async def test_a_gap_that_a_deleted_lesson_leaves_keeps_the_order_and_closes_with_the_next_move(
    course: Course,
) -> None:
    lessons = await ids(Lesson, course.id)
    await alone(arranging.delete_lesson, course.id, lessons["b"])
    assert await move(course, "c", UP) == "ca|de"


async def test_a_lesson_given_to_another_section_is_its_last(course: Course) -> None:
    lessons, sections = await ids(Lesson, course.id), await ids(Section, course.id)
    form = editing.LessonForm(title="c", section_id=str(sections["S1"]))
    await alone(editing.edit_lesson, course.id, lessons["c"], form)
    assert await outline(course.id) == "ab|dec"


async def test_nothing_moves_through_another_courses_address(course: Course) -> None:
    lessons, sections = await ids(Lesson, course.id), await ids(Section, course.id)
    other = (await make_courses("Other"))["Other"]
    for change, *args in (
        (arranging.move_lesson, other, lessons["a"], DOWN),
        (arranging.move_section, other, sections["S0"], DOWN),
        (arranging.delete_lesson, other, lessons["a"]),
        (arranging.rename_section, other, sections["S0"], "Mine"),
        (arranging.move_course, lessons["a"], UP),
    ):
        with pytest.raises(NotFound):
            await alone(change, *args)
    assert await outline(course.id) == "abc|de"


@pytest.mark.parametrize("title", ["", " \t\n", "x" * 161])
async def test_a_section_without_a_good_title_gets_a_sentence(course: Course, title: str) -> None:
    with pytest.raises(BadInput) as refused:
        await alone(arranging.add_section, course.id, title)
    assert refused.value.field == "title"
    assert refused.value.sentence.endswith(".")
    assert await outline(course.id) == "abc|de"
