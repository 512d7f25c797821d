"""Reads of series: the page, an article's place in its series, and what the studio arranges."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import Article, Series, SeriesPart
from app.articles.queries import ArticleCard, cards
from app.articles.shown import shown
from app.catalog.rules import is_slug
from app.question import Answers, Fact, given


@dataclass(frozen=True)
class Neighbour:
    title: str
    url: str


@dataclass(frozen=True)
class Place:
    """Where an article stands in its series: "Part 2 of 5"."""

    title: str
    url: str
    number: int
    total: int
    previous: Neighbour | None
    next: Neighbour | None


def _parts() -> ScalarSelect[Any]:
    """Those that everybody may read, and this one, of the series that an article is in."""
    here = select(Article.id).where(Article.slug == given("slug")).scalar_subquery()
    mine = select(SeriesPart.series_id).where(SeriesPart.article_id == here).scalar_subquery()
    part = func.json_build_array(Article.title, Article.slug, Series.title, Series.slug)
    return (
        select(func.json_agg(aggregate_order_by(part, SeriesPart.position, Article.id)))
        .select_from(Article)
        .join(SeriesPart, SeriesPart.article_id == Article.id)
        .join(Series, Series.id == SeriesPart.series_id)
        .where(SeriesPart.series_id == mine, or_(shown(given("now")), Article.slug == given("slug")))
        .scalar_subquery()
    )


# By `slug` and `now`.
SERIES = Fact("series", _parts())


def place_of(found: Answers, slug: str) -> Place | None:
    """The place of an answer to `SERIES`; None where the article is in no series."""
    rows = found[SERIES.name] or ()
    at = next((n for n, row in enumerate(rows) if row[1] == slug), None)
    if at is None:
        return None

    def neighbour(n: int) -> Neighbour | None:
        return Neighbour(rows[n][0], f"/articles/{rows[n][1]}") if 0 <= n < len(rows) else None

    return Place(
        title=rows[at][2],
        url=f"/series/{rows[at][3]}",
        number=at + 1,
        total=len(rows),
        previous=neighbour(at - 1),
        next=neighbour(at + 1),
    )


async def by_slug(db: AsyncSession, slug: str) -> Series | None:
    """The series, or None."""
    if not is_slug(slug):
        return None
    return (await db.scalars(select(Series).where(Series.slug == slug))).one_or_none()


async def parts_shown(db: AsyncSession, series_id: UUID, now: datetime) -> list[ArticleCard]:
    """Its articles that everybody may read, in their order."""
    rows = await db.execute(
        cards(now)
        .join(SeriesPart, SeriesPart.article_id == Article.id)
        .where(SeriesPart.series_id == series_id)
        .order_by(SeriesPart.position, Article.id)
    )
    return [ArticleCard(*row) for row in rows]


async def shown_slugs(db: AsyncSession, now: datetime) -> list[str]:
    """The addresses of series that have something to read."""
    rows = await db.scalars(
        select(Series.slug)
        .where(Series.id.in_(select(SeriesPart.series_id).join(Article).where(shown(now))))
        .order_by(Series.slug)
    )
    return list(rows)


@dataclass(frozen=True)
class SeriesLine:
    """A series as the studio's list shows it; `parts` counts drafts too."""

    id: UUID
    slug: str
    title: str
    parts: int


async def every(db: AsyncSession) -> list[SeriesLine]:
    rows = await db.execute(
        select(Series.id, Series.slug, Series.title, func.count(SeriesPart.article_id))
        .outerjoin(SeriesPart, SeriesPart.series_id == Series.id)
        .group_by(Series.id)
        .order_by(func.lower(Series.title))
    )
    return [SeriesLine(*row) for row in rows]


@dataclass(frozen=True)
class PartLine:
    id: UUID
    title: str
    state: str
    published_at: datetime | None


async def parts(db: AsyncSession, series_id: UUID) -> list[PartLine]:
    """Every part, drafts too, in order."""
    rows = await db.execute(
        select(Article.id, Article.title, Article.state, Article.published_at)
        .join(SeriesPart, SeriesPart.article_id == Article.id)
        .where(SeriesPart.series_id == series_id)
        .order_by(SeriesPart.position, Article.id)
    )
    return [PartLine(*row) for row in rows]


async def free_articles(db: AsyncSession) -> list[tuple[str, str]]:
    """(id, title) of the articles that are in no series yet."""
    taken = select(SeriesPart.article_id)
    rows = await db.execute(
        select(Article.id, Article.title)
        .where(Article.id.not_in(taken), Article.is_listed)
        .order_by(func.lower(Article.title))
    )
    return [(str(article_id), title) for article_id, title in rows]
