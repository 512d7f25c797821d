"""What a topic has become and whether that is out: one query's parts, for pages and for the mails alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from app.articles.models import Article
from app.articles.shown import shown
from app.catalog.models import Course, Lesson
from app.waiting.models import Topic

_Own = aliased(Course, name="own_course")
_Whole = aliased(Course, name="whole_course")


@dataclass(frozen=True)
class Standing:
    """A topic as it stands now. `thing`: lesson, course, article, or None while it is nothing yet; `name`, `about`,
    `path`: of that thing. `is_soon`: visitors may wait for it."""

    id: UUID
    slug: str | None
    title: str
    summary: str
    thing: str | None
    thing_id: UUID | None
    name: str
    about: str
    course: str
    is_free: bool
    path: str
    studio_path: str
    is_out: bool
    is_soon: bool


def is_out(now: datetime) -> ColumnElement[bool]:
    """Whether everybody may see what the topic has become."""
    lesson_out = and_(
        Lesson.state == "published",
        or_(Lesson.available_at.is_(None), Lesson.available_at <= now),
        _Own.state == "published",
    )
    return or_(lesson_out, _Whole.state == "published", and_(Article.id.is_not(None), shown(now)))


def joined(wanted: Select[Any]) -> Select[Any]:
    """The query with a topic's lesson (and its course), course and article beside it."""
    return (
        wanted.outerjoin(Lesson, Lesson.id == Topic.lesson_id)
        .outerjoin(_Own, _Own.id == Lesson.course_id)
        .outerjoin(_Whole, _Whole.id == Topic.course_id)
        .outerjoin(Article, Article.id == Topic.article_id)
    )


def columns(now: datetime) -> list[Any]:
    """What `standing_of` reads, in its order."""
    # A lesson's own topic is called what the lesson is called now; and nobody waits for one that is a draft again.
    is_bare = Topic.slug.is_(None)
    seen = and_(Lesson.state.in_(("announced", "published")), _Own.state == "published")
    return [
        Topic.id,
        Topic.slug,
        case((and_(is_bare, Lesson.id.is_not(None)), Lesson.title), else_=Topic.title),
        Topic.summary,
        Topic.lesson_id,
        Topic.course_id,
        Topic.article_id,
        func.coalesce(Lesson.title, _Whole.title, Article.title, ""),
        func.coalesce(Lesson.summary, _Whole.summary, Article.summary, ""),
        func.coalesce(_Own.id, _Whole.id),
        func.coalesce(_Own.title, ""),
        func.coalesce(_Own.slug, _Whole.slug),
        func.coalesce(Lesson.slug, Article.slug),
        func.coalesce(Lesson.is_free, False),
        func.coalesce(is_out(now), False),
        or_(Topic.slug.is_not(None), func.coalesce(seen, False)),
    ]


def standing_of(row: Any) -> Standing:
    """A row of `columns` as a page or a mail wants it."""
    lesson_id, course_id, article_id = row[4], row[5], row[6]
    course, slug = row[11], row[12]
    thing = path = studio = None
    if lesson_id:
        thing, path, studio = (
            "lesson",
            f"/courses/{course}/{slug}",
            f"/studio/courses/{row[9]}/lessons/{lesson_id}",
        )
    elif course_id:
        thing, path, studio = "course", f"/courses/{course}", f"/studio/courses/{course_id}"
    elif article_id:
        thing, path, studio = "article", f"/articles/{slug}", f"/studio/articles/{article_id}"
    return Standing(
        id=row[0],
        slug=row[1],
        title=row[2],
        summary=row[3],
        thing=thing,
        thing_id=lesson_id or course_id or article_id,
        name=row[7],
        about=row[8],
        course=row[10],
        is_free=row[13],
        path=path or "",
        studio_path=studio or "",
        is_out=row[14],
        is_soon=row[15] and not row[14],
    )


def standings(now: datetime) -> Select[Any]:
    """Topics with what they have become."""
    return joined(select(*columns(now)).select_from(Topic))
