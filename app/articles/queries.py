"""Reads of articles and the responses under them, as the public pages need them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.articles import rules, suggesting
from app.articles.models import Article, ArticleTag, Comment, Tag
from app.articles.shown import shown
from app.catalog.rules import is_slug


@dataclass(frozen=True)
class ArticleCard:
    """An article as lists show it."""

    slug: str
    title: str
    summary: str
    word_count: int
    published_at: datetime | None
    changed_at: datetime
    responses: int = 0

    @property
    def url(self) -> str:
        return f"/articles/{self.slug}"

    @property
    def minutes(self) -> int:
        return rules.reading_minutes(self.word_count)


def cards(now: datetime) -> Select[str, str, str, int, datetime | None, datetime, int]:
    responses = (
        select(func.count())
        .where(Comment.article_id == Article.id, Comment.state == "approved")
        .correlate(Article)
        .scalar_subquery()
    )
    return select(
        Article.slug,
        Article.title,
        Article.summary,
        Article.word_count,
        Article.published_at,
        Article.changed_at,
        responses.label("responses"),
    ).where(shown(now))


def _about(tag: str) -> ColumnElement[bool]:
    return Article.id.in_(
        select(ArticleTag.article_id).join(Tag, Tag.id == ArticleTag.tag_id).where(Tag.slug == tag)
    )


async def published(
    db: AsyncSession, now: datetime, *, limit: int, offset: int = 0, tag: str | None = None
) -> list[ArticleCard]:
    """Published articles, the newest first; those of a tag (its slug) when one is given. Pages are not among them."""
    wanted = cards(now).where(Article.is_listed)
    if tag is not None:
        wanted = wanted.where(_about(tag))
    rows = await db.execute(
        wanted.order_by(Article.published_at.desc(), Article.id).limit(limit).offset(offset)
    )
    return [ArticleCard(*row) for row in rows]


async def published_among(db: AsyncSession, ids: Sequence[UUID], now: datetime) -> list[ArticleCard]:
    """Those of these that everybody may read, the newest first."""
    rows = await db.execute(
        cards(now).where(Article.id.in_(ids)).order_by(Article.published_at.desc(), Article.id)
    )
    return [ArticleCard(*row) for row in rows]


async def count_published(db: AsyncSession, now: datetime, *, tag: str | None = None) -> int:
    wanted = select(func.count()).where(shown(now), Article.is_listed)
    if tag is not None:
        wanted = wanted.where(_about(tag))
    return (await db.scalar(wanted)) or 0


async def tag_by_slug(db: AsyncSession, slug: str) -> Tag | None:
    """The tag, or None."""
    if not is_slug(slug):
        return None
    return (await db.scalars(select(Tag).where(Tag.slug == slug))).one_or_none()


async def tags_of(db: AsyncSession, article_id: UUID) -> list[Tag]:
    """What an article is about, by name."""
    rows = await db.scalars(
        select(Tag)
        .join(ArticleTag, ArticleTag.tag_id == Tag.id)
        .where(ArticleTag.article_id == article_id)
        .order_by(func.lower(Tag.name), Tag.id)
    )
    return list(rows)


@dataclass(frozen=True)
class FullArticle:
    """A published article with its text, for feeds."""

    slug: str
    title: str
    summary: str
    body_html: str
    published_at: datetime
    changed_at: datetime
    tags: tuple[str, ...] = ()


async def newest_in_full(
    db: AsyncSession, now: datetime, *, limit: int, tag: str | None = None
) -> list[FullArticle]:
    """Published articles, the newest first; those of a tag (its slug) when one is given."""
    names = (
        select(func.array_agg(aggregate_order_by(Tag.name, Tag.name)))
        .join(ArticleTag, ArticleTag.tag_id == Tag.id)
        .where(ArticleTag.article_id == Article.id)
        .correlate(Article)
        .scalar_subquery()
    )
    rows = await db.execute(
        select(
            Article.slug,
            Article.title,
            Article.summary,
            Article.body_html,
            func.coalesce(Article.published_at, Article.created_at),
            # A feed reader that sorts by it finds one that was written long before its day.
            func.greatest(Article.changed_at, Article.published_at),
            names,
        )
        .where(shown(now), Article.is_listed, *([_about(tag)] if tag else []))
        .order_by(Article.published_at.desc(), Article.id)
        .limit(limit)
    )
    return [
        FullArticle(slug, title, summary, html, out, changed, tuple(tags or ()))
        for slug, title, summary, html, out, changed, tags in rows
    ]


@dataclass(frozen=True)
class FeedResponse:
    """A shown response under a published article, for feeds."""

    id: UUID
    article_slug: str
    article_title: str
    parent_id: UUID | None
    name: str
    body_html: str
    created_at: datetime
    changed_at: datetime


async def newest_responses(
    db: AsyncSession, now: datetime, *, limit: int, article_id: UUID | None = None
) -> list[FeedResponse]:
    """What was said last, of one article or of all. A parent that is not shown is none."""
    parent = aliased(Comment)
    wanted = (
        select(
            Comment.id,
            Article.slug,
            Article.title,
            parent.id,
            Comment.name,
            Comment.body_html,
            Comment.created_at,
            func.coalesce(Comment.edited_at, Comment.created_at),
        )
        .join(Article, Article.id == Comment.article_id)
        .outerjoin(parent, and_(parent.id == Comment.parent_id, parent.state == "approved"))
        .where(Comment.state == "approved", shown(now))
        .order_by(Comment.created_at.desc(), Comment.id)
        .limit(limit)
    )
    if article_id is not None:
        wanted = wanted.where(Comment.article_id == article_id)
    return [FeedResponse(*row) for row in await db.execute(wanted)]


async def by_slug(db: AsyncSession, slug: str, now: datetime, *, with_drafts: bool = False) -> Article | None:
    """The article, or None; a draft, or one whose day is still to come, only when drafts were asked for."""
    if not is_slug(slug):
        return None
    article: Article | None = (await db.scalars(select(Article).where(Article.slug == slug))).one_or_none()
    if article is None or not (with_drafts or rules.is_shown(article.state, article.published_at, now)):
        return None
    return article


async def id_of(db: AsyncSession, slug: str) -> UUID | None:
    """The article at this address, whatever its state."""
    if not is_slug(slug):
        return None
    found: UUID | None = await db.scalar(select(Article.id).where(Article.slug == slug))
    return found


@dataclass(frozen=True)
class Mention:
    """Another page as a link to it needs it."""

    url: str
    title: str
    summary: str = ""


async def alike(db: AsyncSession, article_id: UUID, now: datetime) -> tuple[Mention, ...]:
    """What is suggested where the author has chosen nothing: those most alike first."""
    ids = await suggesting.suggested(db, article_id)
    if not ids:
        return ()
    rows = await db.execute(
        select(Article.id, Article.slug, Article.title, Article.summary).where(
            Article.id.in_(ids), shown(now)
        )
    )
    found = {row.id: Mention(f"/articles/{row.slug}", row.title, row.summary) for row in rows}
    return tuple(found[one] for one in ids if one in found)
