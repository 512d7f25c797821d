"""Reads of what is taught, beside the outlines: films, what is said in them, and lessons shown elsewhere."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ScalarSelect, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import rules
from app.catalog.models import Course, Lesson, Section
from app.catalog.outlines import line, made_of
from app.catalog.views import OutlineLesson
from app.db import Querying
from app.question import Fact, ask, given
from app.video import poster_rules
from app.video.captions_models import CaptionTrack, Chapter
from app.video.models import Video


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
    known = made_of(video)
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


class Track(NamedTuple):
    """Captions in one language, as WebVTT."""

    language: str
    label: str
    vtt: str


class Part(NamedTuple):
    """A chapter, from its second on."""

    at_s: int
    title: str


@dataclass(frozen=True)
class Spoken:
    """What is said in a lesson's film, and its parts: for those who may watch it."""

    tracks: list[Track]
    chapters: list[Part]


def _spoken() -> ScalarSelect[Any]:
    film = select(Lesson.video_id).where(Lesson.id == given("lesson_id")).scalar_subquery()
    track = func.json_build_array(CaptionTrack.language, CaptionTrack.label, CaptionTrack.vtt)
    tracks = select(
        func.json_agg(aggregate_order_by(track, CaptionTrack.created_at, CaptionTrack.language))
    ).where(CaptionTrack.video_id == film)
    part = func.json_build_array(Chapter.at_s, Chapter.title)
    parts = select(func.json_agg(aggregate_order_by(part, Chapter.at_s))).where(Chapter.video_id == film)
    return select(func.json_build_array(tracks.scalar_subquery(), parts.scalar_subquery())).scalar_subquery()


SPOKEN = Fact("spoken", _spoken())


async def spoken_in(db: Querying, lesson_id: UUID) -> Spoken:
    """The captions, the first added first, and the chapters in order; none where there is no film."""
    tracks, parts = (await ask(db, SPOKEN, lesson_id=lesson_id))[SPOKEN.name]
    return Spoken([Track(*one) for one in tracks or ()], [Part(*one) for one in parts or ()])


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
            shown = line(lesson, made_of(video), now, slug)
            if shown.is_out:
                free.setdefault(lesson.course_id, shown)
    return [
        LessonElsewhere(
            line(lesson, made_of(video), now, slug), lesson.course_id, slug, title, free.get(lesson.course_id)
        )
        for lesson, slug, title, video in rows
    ]


async def count_drafts(db: AsyncSession) -> tuple[int, int]:
    """(courses, lessons) that are drafts."""
    course_count = await db.scalar(select(func.count()).where(Course.state == "draft"))
    lesson_count = await db.scalar(select(func.count()).where(Lesson.state == "draft"))
    return course_count or 0, lesson_count or 0
