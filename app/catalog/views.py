"""What pages may know about courses and lessons. No video's id or file name is in any of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class OutlineLesson(NamedTuple):
    """One line of an outline. `is_soon`: shown, but not out; `available_at` its day, where one is set.

    A tuple, as an outline may have hundreds: a frozen dataclass sets its fields one by one, in three times the time.
    `key`: its id as the database wrote it, which few pages want as more than a text.
    """

    key: str
    slug: str
    url: str
    title: str
    summary: str
    state: str
    is_free: bool
    is_out: bool
    is_soon: bool
    available_at: datetime | None
    duration_s: float | None
    has_poster: bool
    poster_mark: str

    @property
    def id(self) -> UUID:
        return UUID(self.key)


@dataclass(frozen=True)
class OutlineSection:
    title: str
    lessons: tuple[OutlineLesson, ...]


@dataclass(frozen=True)
class CourseView:
    """A course with the part of its outline that the viewer may see. `poster_url` None: no frame exists yet."""

    id: UUID
    slug: str
    title: str
    summary: str
    body_md: str
    is_published: bool
    sections: tuple[OutlineSection, ...]

    @property
    def url(self) -> str:
        return f"/courses/{self.slug}"

    @property
    def lessons(self) -> tuple[OutlineLesson, ...]:
        return tuple(lesson for section in self.sections for lesson in section.lessons)

    @property
    def duration_s(self) -> float | None:
        """Seconds of all films that are out; None when there are none."""
        known = [lesson.duration_s for lesson in self.lessons if lesson.is_out and lesson.duration_s]
        return sum(known) if known else None

    @property
    def poster_url(self) -> str | None:
        return next((poster_url(lesson) for lesson in self.lessons if lesson.has_poster), None)

    @property
    def small_poster_url(self) -> str | None:
        return next((poster_url(lesson, small=True) for lesson in self.lessons if lesson.has_poster), None)

    @property
    def free_lesson(self) -> OutlineLesson | None:
        return next((lesson for lesson in self.lessons if lesson.is_free and lesson.is_out), None)


@dataclass(frozen=True)
class LessonView:
    """A lesson's page, without its video. `transcript_md` is for those who may watch."""

    id: UUID
    course_id: UUID
    slug: str
    title: str
    summary: str
    body_md: str
    needs: str
    transcript_md: str
    state: str
    is_free: bool
    is_out: bool
    is_soon: bool
    has_video: bool
    available_at: datetime | None
    published_at: datetime | None
    duration_s: float | None
    poster_url: str | None


def poster_url(lesson: OutlineLesson, *, small: bool = False) -> str | None:
    """The lesson's frame. `v` changes with each encode and each choice, so that the picture may be kept for long."""
    if not lesson.has_poster:
        return None
    return f"/posters/{lesson.key}{'-small' if small else ''}.jpg?v={lesson.poster_mark}"
