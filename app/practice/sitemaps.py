"""What search engines are told of every public page: its address, when it changed, its pictures and its free clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.figures import IMAGE_SOURCE
from app.catalog import clips, outlines
from app.catalog.clips import ShownClip
from app.catalog.views import poster_url

# The protocol allows 50,000 addresses and 50 MB a file: with pictures and clips, so many stay far below both.
PART = 10_000


@dataclass(frozen=True)
class Listed:
    """A public page. Paths begin with a slash; `pictures` are those that stand in it."""

    path: str
    changed_at: datetime | None = None
    pictures: Sequence[str] = ()
    clips: Sequence[ShownClip] = ()


@dataclass(frozen=True)
class Part:
    """One file of the sitemap: "articles-1"."""

    name: str
    changed_at: datetime | None


async def article_parts(db: AsyncSession, now: datetime) -> list[Part]:
    """How the articles are divided, and when each part changed last."""
    rows = (await db.execute(_PARTS, {"part": PART, "now": now})).all()
    return [Part(f"articles-{number + 1}", changed_at) for number, changed_at in rows]


async def articles(db: AsyncSession, now: datetime, number: int) -> list[Listed]:
    """The articles of a part, numbered from 1; the oldest are in the first, so that a new one changes only the last."""
    rows = (
        await db.execute(
            _ARTICLES,
            {
                "part": PART,
                "now": now,
                "offset": (number - 1) * PART,
                "image": IMAGE_SOURCE,
                "clip": 'data-clip="([a-z0-9-]+)"',
            },
        )
    ).all()
    names = {name for row in rows for name in row.clips}
    known = {clip.name: clip for clip in await clips.named(db, names)} if names else {}
    return [
        Listed(
            f"/articles/{row.slug}",
            row.changed_at,
            list(dict.fromkeys(row.pictures)),
            [known[name] for name in dict.fromkeys(row.clips) if name in known],
        )
        for row in rows
    ]


async def lessons(db: AsyncSession, now: datetime) -> list[Listed]:
    """Every course and the lessons in its outline, with their posters."""
    found: list[Listed] = []
    for course in await outlines.courses(db, now):
        found.append(Listed(course.url, None, [course.poster_url] if course.poster_url else []))
        for lesson in course.lessons:
            poster = poster_url(lesson)
            found.append(Listed(lesson.url, None, [poster] if poster else []))
    return found


_PARTS = text("""
    SELECT part, max(changed_at) FROM (
        SELECT greatest(changed_at, published_at) AS changed_at,
               (row_number() OVER (ORDER BY published_at, id) - 1) / :part AS part
        FROM article WHERE state = 'published' AND is_listed AND (published_at IS NULL OR published_at <= :now)
    ) numbered GROUP BY part ORDER BY part
""")
_ARTICLES = text("""
    SELECT slug, changed_at,
           ARRAY(SELECT found[1] FROM regexp_matches(body_html, :image, 'g') AS found) AS pictures,
           ARRAY(SELECT found[1] FROM regexp_matches(body_html, :clip, 'g') AS found) AS clips
    FROM (
        SELECT slug, greatest(changed_at, published_at) AS changed_at, body_html, published_at, id FROM article
        WHERE state = 'published' AND is_listed AND (published_at IS NULL OR published_at <= :now)
        ORDER BY published_at, id LIMIT :part OFFSET :offset
    ) taken
""")
