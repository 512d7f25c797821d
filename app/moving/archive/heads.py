"""What stands above the text in the archive's Markdown files, for people: where it was, when, and what goes with it.

Restoring reads only the text below; what is said here stands in `tables/`, too.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import is_slug
from app.moving.archive import rules

_MARK = "---\n"
_BELOW = "\n---\n\n"

_ARTICLE = text("""
    SELECT author.name AS author,
        ARRAY(SELECT tag.name FROM article_tag JOIN tag ON tag.id = article_tag.tag_id
            WHERE article_tag.article_id = article.id ORDER BY tag.name) AS tags,
        (SELECT series.slug FROM series_part JOIN series ON series.id = series_part.series_id
            WHERE series_part.article_id = article.id) AS series,
        ARRAY(SELECT other.slug FROM article_relation JOIN article other ON other.id = article_relation.related_id
            WHERE article_relation.article_id = article.id ORDER BY article_relation.position) AS related,
        ARRAY(SELECT path FROM old_address WHERE old_address.article_id = article.id ORDER BY path) AS old_addresses,
        (SELECT course.slug || '/' || lesson.slug FROM lesson JOIN course ON course.id = lesson.course_id
            WHERE lesson.id = article.lesson_id) AS lesson
    FROM article LEFT JOIN user_account author ON author.id = article.author_id WHERE article.id = :id
""")
_LESSON = text("""
    SELECT course.slug AS course, section.title AS section, video.title AS film, video.source_key AS original,
        ARRAY(SELECT video_id || '.' || language || '.vtt' FROM caption_track
            WHERE caption_track.video_id = video.id ORDER BY language) AS captions
    FROM lesson JOIN course ON course.id = lesson.course_id JOIN section ON section.id = lesson.section_id
        LEFT JOIN video ON video.id = lesson.video_id
    WHERE lesson.id = :id
""")

Row = Mapping[str, Any]


async def article(db: AsyncSession, row: Row) -> tuple[str, dict[str, Any] | None]:
    """Name and head of an article's file."""
    more = await _more(db, _ARTICLE, row)
    return f"articles/{_name(row)}.md", {
        "title": row["title"],
        "address": f"/articles/{row['slug']}",
        "state": row["state"],
        "created": row["created_at"],
        "published": row["published_at"],
        "changed": row["changed_at"],
        "summary": row["summary"],
        **more,
    }


async def course(_db: AsyncSession, row: Row) -> tuple[str, dict[str, Any] | None]:
    """Name and head of a course's file."""
    return f"courses/{_name(row)}.md", {
        "title": row["title"],
        "address": f"/courses/{row['slug']}",
        "state": row["state"],
        "summary": row["summary"],
    }


async def lesson(db: AsyncSession, row: Row) -> tuple[str, dict[str, Any] | None]:
    """Name and head of a lesson's file: with where its film and captions lie."""
    more = await _more(db, _LESSON, row)
    course = more.pop("course")
    original = more.pop("original")
    captions = [f"captions/{name}" for name in more.pop("captions")]
    folder = course if is_slug(course) else row["course_id"]
    return f"courses/{folder}/{_name(row)}.md", {
        "title": row["title"],
        "address": f"/courses/{course}/{row['slug']}",
        "state": row["state"],
        "free": row["is_free"],
        "available": row["available_at"],
        "summary": row["summary"],
        "needs": row["needs"],
        **more,
        "original": f"media/{original}" if original else None,
        "captions": captions,
    }


async def caption_track(_db: AsyncSession, row: Row) -> tuple[str, dict[str, Any] | None]:
    """Captions are WebVTT, and that has no head."""
    return f"captions/{row['video_id']}.{row['language']}.vtt", None


OF: Mapping[str, Callable[[AsyncSession, Row], Awaitable[tuple[str, dict[str, Any] | None]]]] = {
    "article": article,
    "course": course,
    "lesson": lesson,
    "caption_track": caption_track,
}


def whole(head: Mapping[str, Any] | None, body: str) -> bytes:
    """The file. Each value of the head is one line of JSON, which is YAML, too; the text follows as it is."""
    if head is None:
        return body.encode()
    lines = "".join(
        f"{key}: {rules.one_line(json.dumps(value, ensure_ascii=False))}\n"
        for key, value in head.items()
        if value not in (None, [])
    )
    return f"{_MARK}{lines}{_MARK}\n{body}".encode()


def body_of(name: str, file: bytes) -> str | None:
    """The text below the head, to the byte; None when the file is not as `whole` makes it."""
    try:
        words = file.decode()
    except UnicodeDecodeError:
        return None
    if not name.endswith(".md"):
        return words
    _head, below, body = words.partition(_BELOW)
    return body if below and words.startswith(_MARK) else None


async def _more(db: AsyncSession, asked: TextClause, row: Row) -> dict[str, Any]:
    return dict((await db.execute(asked, {"id": row["id"]})).mappings().one())


def _name(row: Row) -> str:
    """Its address where that can be a file's name everywhere, else its id."""
    return str(row["slug"]) if is_slug(row["slug"]) else str(row["id"])
