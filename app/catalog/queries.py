"""Reads of what is taught, as pages for the public need it; drafts only when they are asked for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import rules
from app.catalog.models import Course, Lesson, Section
from app.catalog.views import CourseView, LessonView, OutlineLesson, OutlineSection, poster_url
from app.video import poster_rules
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video
from app.video.queries import caption_tracks, chapters


@dataclass(frozen=True)
class _Film:
    """What an outline may know about a video. A version above 0 means that one encode was finished."""

    is_ready: bool
    duration_s: float | None
    version: int
    poster_version: int = 0


NO_FILM = _Film(False, None, 0)


_COURSES = select(Course.id, Course.slug, Course.title, Course.summary, Course.body_md, Course.state)
# Columns only: an outline of a thousand lessons should not load a thousand ladders.
_OUTLINE = (
    select(
        Section.course_id,
        Section.id.label("section_id"),
        Section.title.label("section_title"),
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
    .join(Lesson, Lesson.section_id == Section.id)
    .outerjoin(Video, Video.id == Lesson.video_id)
    .order_by(Section.position, Section.id, Lesson.position, Lesson.id)
)


class _LessonFacts(rules.Scheduled, Protocol):
    """A lesson, or a row with as much of it as an outline shows."""

    @property
    def id(self) -> UUID: ...
    @property
    def slug(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def is_free(self) -> bool: ...


async def courses(db: AsyncSession, now: datetime, *, with_drafts: bool = False) -> list[CourseView]:
    """Every course in its order, with its outline. `with_drafts`: for staff."""
    wanted = _COURSES.order_by(Course.position, Course.created_at)
    if not with_drafts:
        wanted = wanted.where(Course.state == "published")
    return await _views(db, (await db.execute(wanted)).all(), now, with_drafts)


async def count_free(db: AsyncSession, now: datetime) -> int:
    """How many lessons anybody may watch without paying."""
    found = await db.scalar(
        select(func.count())
        .select_from(Lesson)
        .join(Course, Course.id == Lesson.course_id)
        .where(
            Course.state == "published",
            Lesson.state == "published",
            Lesson.is_free,
            Lesson.video_id.is_not(None),
            or_(Lesson.available_at.is_(None), Lesson.available_at <= now),
        )
    )
    return found or 0


async def course_by_slug(
    db: AsyncSession, slug: str, now: datetime, *, with_drafts: bool = False
) -> CourseView | None:
    """One course with its outline; None when there is none, or only a draft and drafts were not asked for."""
    course = (await db.execute(_COURSES.where(Course.slug == slug))).one_or_none()
    if course is None or (course.state != "published" and not with_drafts):
        return None
    return (await _views(db, [course], now, with_drafts))[0]


async def lesson_in(
    db: AsyncSession, course: CourseView, slug: str, now: datetime, *, with_drafts: bool = False
) -> LessonView | None:
    """A lesson of the course; None when there is none, or only a draft and drafts were not asked for."""
    row = (
        await db.execute(
            select(Lesson, Video)
            .outerjoin(Video, Video.id == Lesson.video_id)
            .where(Lesson.course_id == course.id, Lesson.slug == slug)
        )
    ).first()
    if row is None:
        return None
    lesson, video = row
    if lesson.state == "draft" and not with_drafts:
        return None
    line = _line(lesson, _film(video), now, course.slug)
    return LessonView(
        id=lesson.id,
        course_id=lesson.course_id,
        slug=lesson.slug,
        title=lesson.title,
        summary=lesson.summary,
        body_md=lesson.body_md,
        needs=lesson.needs,
        transcript_md=lesson.transcript_md,
        state=lesson.state,
        is_free=lesson.is_free,
        is_out=line.is_out and course.is_published,
        is_soon=line.is_soon,
        has_video=_film(video).is_ready,
        available_at=lesson.available_at,
        published_at=lesson.published_at,
        duration_s=line.duration_s,
        poster_url=poster_url(line),
    )


@dataclass(frozen=True)
class Film:
    """The stream behind a lesson, with what decides about it: for playback and posters, never for a page."""

    lesson_id: UUID
    course_id: UUID
    is_free: bool
    is_visible: bool
    is_out: bool
    video_id: UUID | None
    version: int
    is_ready: bool
    duration_s: float | None
    poster_folder: str


async def film_of(db: AsyncSession, lesson_id: UUID, now: datetime) -> Film | None:
    """The lesson's stream. `is_visible`: neither it nor its course is a draft."""
    row = (
        await db.execute(
            select(Lesson, Course.state, Video)
            .join(Course, Course.id == Lesson.course_id)
            .outerjoin(Video, Video.id == Lesson.video_id)
            .where(Lesson.id == lesson_id)
        )
    ).first()
    if row is None:
        return None
    lesson, course_state, video = row
    known = _film(video)
    is_published = course_state == "published"
    return Film(
        lesson_id=lesson.id,
        course_id=lesson.course_id,
        is_free=lesson.is_free,
        is_visible=is_published and lesson.state != "draft",
        is_out=is_published and rules.is_out(lesson, now),
        video_id=lesson.video_id,
        version=known.version,
        is_ready=known.is_ready,
        duration_s=known.duration_s,
        poster_folder=poster_rules.folder(video.id, video) if video else "",
    )


@dataclass(frozen=True)
class Spoken:
    """What is said in a lesson's film, and its parts: for those who may watch it."""

    tracks: list[CaptionTrack]
    chapters: list[Chapter]


async def spoken_in(db: AsyncSession, lesson_id: UUID) -> Spoken:
    """The captions, the first added first, and the chapters in order; none where there is no film."""
    film = select(Lesson.video_id).where(Lesson.id == lesson_id).scalar_subquery()
    return Spoken(await caption_tracks(db, film), await chapters(db, film))


@dataclass(frozen=True)
class LessonElsewhere:
    """A lesson that is shown outside of its course. `free`: another lesson of that course which plays for everybody."""

    lesson: OutlineLesson
    course_id: UUID
    course_slug: str
    course_title: str
    free: OutlineLesson | None


async def lessons_elsewhere(
    db: AsyncSession, paths: Collection[tuple[str, str]], ids: Collection[UUID], now: datetime
) -> list[LessonElsewhere]:
    """Those of these lessons, by (course's slug, own slug) or id, that everybody may see in their course's outline."""
    if not paths and not ids:
        return []
    wanted = or_(Lesson.id.in_(ids), tuple_(Course.slug, Lesson.slug).in_(list(paths)))
    seen = (Course.state == "published") & (Lesson.state != "draft")
    whole = (
        select(Lesson, Course.slug, Course.title, Video)
        .join(Course, Course.id == Lesson.course_id)
        .join(Section, Section.id == Lesson.section_id)
        .outerjoin(Video, Video.id == Lesson.video_id)
        .where(seen)
    )
    rows = (await db.execute(whole.where(wanted))).all()
    courses_ = {row[0].course_id for row in rows}
    free: dict[UUID, OutlineLesson] = {}
    if courses_:
        in_order = whole.where(Lesson.course_id.in_(courses_), Lesson.is_free).order_by(
            Section.position, Lesson.position
        )
        for lesson, slug, _title, video in await db.execute(in_order):
            line = _line(lesson, _film(video), now, slug)
            if line.is_out:
                free.setdefault(lesson.course_id, line)
    return [
        LessonElsewhere(
            _line(lesson, _film(video), now, slug), lesson.course_id, slug, title, free.get(lesson.course_id)
        )
        for lesson, slug, title, video in rows
    ]


async def count_drafts(db: AsyncSession) -> tuple[int, int]:
    """(courses, lessons) that are drafts."""
    course_count = await db.scalar(select(func.count()).where(Course.state == "draft"))
    lesson_count = await db.scalar(select(func.count()).where(Lesson.state == "draft"))
    return course_count or 0, lesson_count or 0


def _film(video: Video | None) -> _Film:
    if video is None:
        return NO_FILM
    # A version above 0 is a finished encode; while a newer one is made, the old one goes on being shown.
    return _Film(video.version > 0, video.duration_s, video.version, video.poster_version)


def _line(lesson: _LessonFacts, film: _Film, now: datetime, course_slug: str) -> OutlineLesson:
    return OutlineLesson(
        id=lesson.id,
        slug=lesson.slug,
        url=f"/courses/{course_slug}/{lesson.slug}",
        title=lesson.title,
        summary=lesson.summary,
        state=lesson.state,
        is_free=lesson.is_free,
        is_out=rules.is_out(lesson, now),
        is_soon=rules.is_announced(lesson, now),
        available_at=lesson.available_at,
        duration_s=film.duration_s,
        has_poster=film.version > 0,
        poster_mark=poster_rules.mark(film.version, film.poster_version),
    )


async def _views(
    db: AsyncSession, courses: Sequence[Row[*tuple[Any, ...]]], now: datetime, with_drafts: bool
) -> list[CourseView]:
    """The courses with their outlines, in one question for all. Sections without a lesson to see are left out."""
    slugs = {course.id: course.slug for course in courses}
    rows = await db.execute(_OUTLINE.where(Section.course_id.in_(slugs))) if slugs else ()
    outlines: dict[UUID, dict[tuple[UUID, str], list[OutlineLesson]]] = {one: {} for one in slugs}
    for row in rows:
        if not with_drafts and row.state == "draft":
            continue
        film = (
            NO_FILM
            if row.version is None
            else _Film(row.version > 0, row.duration_s, row.version, row.poster_version)
        )
        line = _line(row, film, now, slugs[row.course_id])
        outlines[row.course_id].setdefault((row.section_id, row.section_title), []).append(line)
    return [
        CourseView(
            id=course.id,
            slug=course.slug,
            title=course.title,
            summary=course.summary,
            body_md=course.body_md,
            is_published=course.state == "published",
            sections=tuple(
                OutlineSection(section_id, title, tuple(lines))
                for (section_id, title), lines in outlines[course.id].items()
            ),
        )
        for course in courses
    ]
