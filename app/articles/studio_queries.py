"""Reads of articles as the studio needs them, drafts included, and of what may be chosen beside one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import Article, ArticleRelation, Comment
from app.articles.paths import address
from app.articles.shown import scheduled, shown
from app.catalog.models import Course, Lesson

ARTICLES = 50
# So many are offered to choose from, however many there are.
CHOICES = 10


@dataclass(frozen=True)
class ArticleLine:
    """An article as the studio's table shows it."""

    id: UUID
    slug: str
    title: str
    state: str
    changed_at: datetime
    published_at: datetime | None
    responses: int
    is_scheduled: bool = False


@dataclass(frozen=True)
class PageLine:
    """A page as the studio's table shows it."""

    id: UUID
    slug: str
    title: str
    state: str
    changed_at: datetime

    @property
    def url(self) -> str:
        return address(self.slug, is_listed=False)


async def count_drafts(db: AsyncSession) -> int:
    """How many articles are not published."""
    return await db.scalar(select(func.count()).where(Article.state == "draft")) or 0


def _like(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


@dataclass(frozen=True)
class ArticleListing:
    """One page of articles, and how many there are in all."""

    lines: list[ArticleLine]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // ARTICLES))


async def articles(
    db: AsyncSession, now: datetime, *, words: str = "", state: str = "", page: int = 1
) -> ArticleListing:
    """A page of the articles, the last changed first; those to come ("scheduled") the next first.

    `words` are looked for in title and summary. `state`: draft, scheduled or published; "" for all.
    """
    count = (
        select(func.count())
        .where(Comment.article_id == Article.id, Comment.state == "approved")
        .correlate(Article)
        .scalar_subquery()
    )
    wanted = select(
        Article.id,
        Article.slug,
        Article.title,
        Article.state,
        Article.changed_at,
        Article.published_at,
        count,
        scheduled(now),
    )
    meant: ColumnElement[bool] = true()
    if words:
        meant &= or_(Article.title.ilike(_like(words)), Article.summary.ilike(_like(words)))
    if state == "scheduled":
        meant &= scheduled(now)
        wanted = wanted.order_by(Article.published_at)
    elif state == "published":
        meant &= shown(now)
    elif state:
        meant &= Article.state == state
    total = await db.scalar(select(func.count()).select_from(Article).where(meant)) or 0
    at = min(page, max(1, -(-total // ARTICLES)))
    rows = await db.execute(
        wanted.where(meant)
        .order_by(Article.changed_at.desc(), Article.id)
        .limit(ARTICLES)
        .offset((at - 1) * ARTICLES)
    )
    return ArticleListing([ArticleLine(*row) for row in rows], total, at)


async def own_pages(db: AsyncSession) -> list[PageLine]:
    """Pages of any state, by title."""
    rows = await db.execute(
        select(Article.id, Article.slug, Article.title, Article.state, Article.changed_at)
        .where(~Article.is_listed)
        .order_by(func.lower(Article.title), Article.id)
        .limit(500)
    )
    return [PageLine(*row) for row in rows]


async def article(db: AsyncSession, article_id: UUID) -> Article | None:
    found: Article | None = await db.get(Article, article_id)
    return found


async def related_ids(db: AsyncSession, article_id: UUID) -> list[UUID]:
    """The chosen related articles, drafts included, in order."""
    rows = await db.scalars(
        select(ArticleRelation.related_id)
        .where(ArticleRelation.article_id == article_id)
        .order_by(ArticleRelation.position)
    )
    return list(rows)


async def article_titles(db: AsyncSession, ids: Collection[str]) -> list[tuple[str, str]]:
    """(id, title) of each of these articles that there is, in the order of `ids`."""
    wanted = list(dict.fromkeys(found for text in ids if (found := _uuid(text))))
    rows = await db.execute(select(Article.id, Article.title).where(Article.id.in_(wanted)))
    titles = {row[0]: row[1] for row in rows}
    return [(str(one), titles[one]) for one in wanted if one in titles]


async def latest_articles(db: AsyncSession) -> list[tuple[str, str]]:
    """(id, title) of the CHOICES articles that were changed last."""
    rows = await db.execute(
        select(Article.id, Article.title).order_by(Article.changed_at.desc(), Article.id).limit(CHOICES)
    )
    return [(str(article_id), title) for article_id, title in rows]


async def article_choices(
    db: AsyncSession, words: str, *, but: Collection[str] = ()
) -> list[tuple[str, str]]:
    """(id, title) of up to CHOICES articles with these words in their title, the shortest titles first."""
    wanted = (
        select(Article.id, Article.title).order_by(func.length(Article.title), Article.title).limit(CHOICES)
    )
    for word in words.split()[:8]:
        wanted = wanted.where(Article.title.ilike(_like(word)))
    if without := [found for text in but if (found := _uuid(text))]:
        wanted = wanted.where(Article.id.not_in(without))
    return [(str(article_id), title) for article_id, title in await db.execute(wanted)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def lesson_choices(db: AsyncSession) -> list[tuple[str, str]]:
    """(id, "Course: lesson") of every lesson, in the courses' order."""
    rows = await db.execute(
        select(Lesson.id, Course.title, Lesson.title)
        .join(Course, Course.id == Lesson.course_id)
        .order_by(Course.position, Course.title, Lesson.position, Lesson.title)
    )
    return [(str(lesson_id), f"{course}: {lesson}") for lesson_id, course, lesson in rows]


async def lesson_lines(db: AsyncSession) -> list[tuple[str, str]]:
    """(the line that shows it in an article, "Course: lesson") of every lesson in sight, in the courses' order."""
    rows = await db.execute(
        select(Course.slug, Lesson.slug, Course.title, Lesson.title)
        .join(Course, Course.id == Lesson.course_id)
        .where(Lesson.state != "draft", Course.state == "published")
        .order_by(Course.position, Course.title, Lesson.position, Lesson.title)
    )
    return [(f"::lesson {course}/{slug}", f"{title}: {lesson}") for course, slug, title, lesson in rows]
