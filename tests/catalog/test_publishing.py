"""Drafts go out, on their day or now, are announced, and are taken back: what the public then sees."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.catalog import editing, outlines, publishing, queries
from app.catalog.models import Course, Lesson, Section
from app.catalog.publishing import NotYet
from app.catalog.rules import Missing
from app.catalog.views import OutlineLesson
from app.clock import utcnow
from app.errors import NotFound
from app.video.models import Video
from tests import factories

NOW = utcnow()
LATER = NOW + timedelta(days=3)


@pytest.fixture
async def course(database: db.Database) -> Course:
    async with db.transaction() as session:
        return await factories.course(session, state="draft", published_at=None, summary="For hips.")


@pytest.fixture
async def section(course: Course) -> Section:
    async with db.transaction() as session:
        return await factories.section(session, course)


async def draft(section: Section, **values: object) -> Lesson:
    async with db.transaction() as session:
        return await factories.lesson(session, section, **{"state": "draft", "published_at": None, **values})


async def seen(session: AsyncSession, course: Course, at: object = NOW) -> list[OutlineLesson]:
    """The lessons that the public finds in the course."""
    assert isinstance(at, type(NOW))
    found = await outlines.course_by_slug(session, course.slug, at)
    return list(found.lessons) if found else []


async def test_a_draft_is_in_nobodys_sight_but_staffs(course: Course, section: Section) -> None:
    lesson = await draft(section)
    async with db.transaction() as session:
        assert await outlines.course_by_slug(session, course.slug, NOW) is None
        assert await outlines.courses(session, NOW) == []
        staffs = await outlines.course_by_slug(session, course.slug, NOW, with_drafts=True)
        assert staffs is not None
        assert [one.id for one in staffs.lessons] == [lesson.id]
        assert not staffs.lessons[0].is_out


async def test_a_course_goes_out_with_its_lessons_that_are_out(course: Course, section: Section) -> None:
    lesson, hidden = await draft(section), await draft(section)
    async with db.transaction() as session:
        await publishing.publish_lesson(session, course.id, lesson.id, NOW)
        # Its course is a draft: not yet.
        assert await seen(session, course) == []
        film = await queries.film_of(session, lesson.id, NOW)
        assert film is not None
        assert not film.is_out
        await publishing.publish_course(session, course.id, NOW)
    async with db.transaction() as session:
        assert [one.id for one in await seen(session, course)] == [lesson.id]
        film = await queries.film_of(session, hidden.id, NOW)
        assert film is not None
        assert (film.is_visible, film.is_out) == (False, False)
        await publishing.unpublish_course(session, course.id)
        assert await seen(session, course) == []


async def test_a_scheduled_lesson_is_announced_until_its_second(course: Course, section: Section) -> None:
    lesson = await draft(section, available_at=LATER)
    async with db.transaction() as session:
        await publishing.publish_lesson(session, course.id, lesson.id, NOW)
        await publishing.publish_course(session, course.id, NOW)
    async with db.transaction() as session:
        for at, is_out in (
            (NOW, False),
            (LATER - timedelta(microseconds=1), False),
            (LATER, True),
            (LATER + timedelta(days=1), True),
        ):
            (line,) = await seen(session, course, at)
            assert (line.is_out, line.is_soon) == (is_out, not is_out), at
            film = await queries.film_of(session, lesson.id, at)
            assert film is not None
            assert (film.is_visible, film.is_out) == (True, is_out)


async def test_an_announced_lesson_needs_no_film_and_is_not_out_even_when_its_day_has_come(
    course: Course, section: Section
) -> None:
    lesson = await draft(section, video_id=None, available_at=NOW)
    async with db.transaction() as session:
        await publishing.announce_lesson(session, course.id, lesson.id)
        # An announced lesson is enough to show a course.
        await publishing.publish_course(session, course.id, NOW)
    async with db.transaction() as session:
        (line,) = await seen(session, course, LATER)
        assert (line.is_out, line.is_soon, line.has_poster) == (False, True, False)
        with pytest.raises(NotYet) as refused:
            await publishing.publish_lesson(session, course.id, lesson.id, LATER)
        assert refused.value.missing == (Missing.VIDEO,)
        assert refused.value.sentences == ("It needs a video.",)


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"version": 0, "state": "encoding"}, Missing.VIDEO_NOT_READY),
        ({"version": 0, "state": "queued"}, Missing.VIDEO_NOT_READY),
        ({"version": 0, "state": "failed"}, Missing.VIDEO_FAILED),
        ({"version": 1, "state": "encoding"}, None),
        ({"version": 1, "state": "failed"}, None),
    ],
)
async def test_a_lesson_goes_out_with_a_film_that_can_be_watched(
    course: Course, section: Section, values: dict[str, object], missing: Missing | None
) -> None:
    lesson = await draft(section)
    async with db.transaction() as session:
        await session.execute(update(Video).values(**values))
    async with db.transaction() as session:
        if missing is None:
            assert (await publishing.publish_lesson(session, course.id, lesson.id, NOW)).state == "published"
            return
        with pytest.raises(NotYet) as refused:
            await publishing.publish_lesson(session, course.id, lesson.id, NOW)
        assert refused.value.missing == (missing,)
    async with db.transaction() as session:
        kept = await session.get(Lesson, lesson.id)
        assert kept is not None
        assert (kept.state, kept.published_at) == ("draft", None)


async def test_a_course_says_everything_that_it_lacks(course: Course, section: Section) -> None:
    await draft(section)
    async with db.transaction() as session:
        await session.execute(update(Course).values(summary=" \n"))
    async with db.transaction() as session:
        with pytest.raises(NotYet) as refused:
            await publishing.publish_course(session, course.id, NOW)
        assert refused.value.missing == (Missing.SUMMARY, Missing.LESSON)
        assert refused.value.sentence == " ".join(refused.value.sentences)


async def test_the_first_publication_is_remembered(course: Course, section: Section) -> None:
    lesson = await draft(section)
    async with db.transaction() as session:
        await publishing.publish_lesson(session, course.id, lesson.id, NOW)
        await publishing.publish_course(session, course.id, NOW)
        await publishing.unpublish_lesson(session, course.id, lesson.id)
        await publishing.unpublish_course(session, course.id)
        again = await publishing.publish_lesson(session, course.id, lesson.id, LATER)
        assert again.published_at == NOW
        assert (await publishing.publish_course(session, course.id, LATER)).published_at == NOW


async def test_a_free_lesson_is_found_as_such_only_when_it_is_out(course: Course, section: Section) -> None:
    lesson = await draft(section, is_free=True, available_at=LATER)
    async with db.transaction() as session:
        await publishing.publish_lesson(session, course.id, lesson.id, NOW)
        await publishing.publish_course(session, course.id, NOW)
    async with db.transaction() as session:
        for at, expected in ((NOW, None), (LATER, lesson.id)):
            found = await outlines.course_by_slug(session, course.slug, at)
            assert found is not None
            assert (found.free_lesson.id if found.free_lesson else None) == expected


async def test_nothing_is_published_through_another_courses_address(section: Section) -> None:
    lesson = await draft(section)
    async with db.transaction() as session:
        other = await factories.course(session)
    async with db.transaction() as session:
        with pytest.raises(NotFound):
            await publishing.publish_lesson(session, other.id, lesson.id, NOW)
        with pytest.raises(NotFound):
            await publishing.announce_lesson(session, other.id, lesson.id)
        with pytest.raises(NotFound):
            await publishing.publish_course(session, lesson.id, NOW)


async def test_a_published_lesson_keeps_a_film(course: Course, section: Section) -> None:
    lesson = await draft(section)
    async with db.transaction() as session:
        await publishing.publish_lesson(session, course.id, lesson.id, NOW)
        form = editing.LessonForm(title="Hips", section_id=str(section.id), video_id="")
        with pytest.raises(editing.Faults) as faults:
            await editing.edit_lesson(session, course.id, lesson.id, form)
    assert faults.value.by_field == {"video_id": "A published lesson keeps a video that is ready."}
