"""Reads of courses with their outlines, and of lessons, as their pages need them; drafts only when asked for."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import rules
from app.catalog.models import Course, Lesson, Section
from app.catalog.views import CourseView, LessonView, OutlineLesson, OutlineSection, poster_url
from app.db import Querying
from app.question import Answers, Fact, ask, given, moment
from app.video import poster_rules
from app.video.models import Video


class Made(NamedTuple):
    """What an outline may know about a video. A version above 0 means that one encode was finished."""

    is_ready: bool
    duration_s: float | None
    version: int
    poster_version: int = 0


NO_FILM = Made(False, None, 0)


_LINE = (
    Lesson.id,
    Lesson.slug,
    Lesson.title,
    Lesson.summary,
    Lesson.state,
    Lesson.is_free,
    Lesson.available_at,
    Video.version,
    Video.duration_s,
    Video.poster_version,
)


def _course() -> ColumnElement[Any]:
    """A course and each line of its outline, in order. Columns only: nobody wants the ladders of a thousand films."""
    one = func.json_build_array(Section.id, Section.title, *_LINE)
    lines = (
        select(
            func.json_agg(aggregate_order_by(one, Section.position, Section.id, Lesson.position, Lesson.id))
        )
        .select_from(Section)
        .join(Lesson, Lesson.section_id == Section.id)
        .outerjoin(Video, Video.id == Lesson.video_id)
        .where(Section.course_id == Course.id)
        .correlate(Course)
        .scalar_subquery()
    )
    return func.json_build_array(
        Course.id, Course.slug, Course.title, Course.summary, Course.body_md, Course.state, lines
    )


def _lesson() -> ScalarSelect[Any]:
    whole = func.json_build_array(
        func.json_build_array(*_LINE),
        Lesson.body_md,
        Lesson.needs,
        Lesson.transcript_md,
        Lesson.published_at,
    )
    return (
        select(whole)
        .select_from(Lesson)
        .join(Course, Course.id == Lesson.course_id)
        .outerjoin(Video, Video.id == Lesson.video_id)
        .where(Course.slug == given("course_slug"), Lesson.slug == given("lesson_slug"))
        .scalar_subquery()
    )


# By `course_slug`, and `lesson_slug`.
COURSE = Fact("course", select(_course()).where(Course.slug == given("course_slug")).scalar_subquery())
LESSON = Fact("lesson", _lesson())
_COURSES = select(_course()).order_by(Course.position, Course.created_at)
_PUBLISHED = _COURSES.where(Course.state == "published")


async def courses(db: AsyncSession, now: datetime, *, with_drafts: bool = False) -> list[CourseView]:
    """Every course in its order, with its outline. `with_drafts`: for staff."""
    found = await db.scalars(_COURSES if with_drafts else _PUBLISHED)
    return [_view(one, now, with_drafts) for one in found]


async def course_by_slug(
    db: Querying, slug: str, now: datetime, *, with_drafts: bool = False
) -> CourseView | None:
    """One course with its outline; None when there is none, or only a draft and drafts were not asked for."""
    return course_of(await ask(db, COURSE, course_slug=slug), now, with_drafts=with_drafts)


def course_of(found: Answers, now: datetime, *, with_drafts: bool = False) -> CourseView | None:
    """The same, of an answer to `COURSE`."""
    told = found[COURSE.name]
    view = None if told is None else _view(told, now, with_drafts)
    return view if view is not None and (view.is_published or with_drafts) else None


async def lesson_in(
    db: Querying, course: CourseView, slug: str, now: datetime, *, with_drafts: bool = False
) -> LessonView | None:
    """A lesson of the course; None when there is none, or only a draft and drafts were not asked for."""
    found = await ask(db, LESSON, course_slug=course.slug, lesson_slug=slug)
    return lesson_of(found, course, now, with_drafts=with_drafts)


def lesson_of(
    found: Answers, course: CourseView, now: datetime, *, with_drafts: bool = False
) -> LessonView | None:
    """The same, of an answer to `LESSON`."""
    told = found[LESSON.name]
    if told is None:
        return None
    columns, body_md, needs, transcript_md, published_at = told
    shown = _told(columns, now, course.slug)
    if shown.state == "draft" and not with_drafts:
        return None
    return LessonView(
        id=shown.id,
        course_id=course.id,
        slug=shown.slug,
        title=shown.title,
        summary=shown.summary,
        body_md=body_md,
        needs=needs,
        transcript_md=transcript_md,
        state=shown.state,
        is_free=shown.is_free,
        is_out=shown.is_out and course.is_published,
        is_soon=shown.is_soon,
        # A version is a finished encode, and so is a poster.
        has_video=shown.has_poster,
        available_at=shown.available_at,
        published_at=moment(published_at),
        duration_s=shown.duration_s,
        poster_url=poster_url(shown),
    )


def made_of(video: Video | None) -> Made:
    if video is None:
        return NO_FILM
    # A version above 0 is a finished encode; while a newer one is made, the old one goes on being shown.
    return Made(video.version > 0, video.duration_s, video.version, video.poster_version)


def line(lesson: Lesson, film: Made, now: datetime, course_slug: str) -> OutlineLesson:
    """A lesson as outlines show it."""
    is_out, is_soon = rules.standing(lesson.state, lesson.available_at, now)
    return OutlineLesson(
        key=str(lesson.id),
        slug=lesson.slug,
        url=f"/courses/{course_slug}/{lesson.slug}",
        title=lesson.title,
        summary=lesson.summary,
        state=lesson.state,
        is_free=lesson.is_free,
        is_out=is_out,
        is_soon=is_soon,
        available_at=lesson.available_at,
        duration_s=film.duration_s,
        has_poster=film.version > 0,
        poster_mark=poster_rules.mark(film.version, film.poster_version),
    )


def _told(line: list[Any], now: datetime, course_slug: str) -> OutlineLesson:
    """The same, of such a line out of JSON. By position and in one step, as there are hundreds."""
    key, slug, title, summary, state, is_free, told_day, version, duration_s, poster_version = line
    day = moment(told_day)
    is_out, is_soon = rules.standing(state, day, now)
    mark = poster_rules.mark(version, poster_version or 0) if version else "0"
    url = f"/courses/{course_slug}/{slug}"
    has_poster = bool(version)
    length_s = None if duration_s is None else float(duration_s)
    return OutlineLesson(
        key, slug, url, title, summary, state, is_free, is_out, is_soon, day, length_s, has_poster, mark
    )


def _view(told: list[Any], now: datetime, with_drafts: bool) -> CourseView:
    """The course of such an answer. Sections without a lesson to see are left out."""
    course_id, slug, title, summary, body_md, state, lines = told
    sections: dict[str, tuple[str, list[OutlineLesson]]] = {}
    for section_id, section_title, *columns in lines or ():
        lesson = _told(columns, now, slug)
        if with_drafts or lesson.state != "draft":
            _title, shown = sections.setdefault(section_id, (section_title, []))
            shown.append(lesson)
    return CourseView(
        id=UUID(course_id),
        slug=slug,
        title=title,
        summary=summary,
        body_md=body_md,
        is_published=state == "published",
        sections=tuple(OutlineSection(name, tuple(shown)) for name, shown in sections.values()),
    )
