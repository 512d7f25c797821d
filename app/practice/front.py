"""What the home page and the sitemap gather from every domain."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles import queries as articles
from app.articles.models import Article, ArticleTag, Tag
from app.articles.paths import address
from app.articles.queries import ArticleCard
from app.articles.series_queries import shown_slugs
from app.articles.shown import shown
from app.billing.plan_models import Plan
from app.catalog import outlines
from app.catalog.views import CourseView
from app.finding import queries as finding
from app.settings import get_settings
from app.waiting import queries as waiting

LATEST = 4


@dataclass(frozen=True)
class Offer:
    """The plan that a visitor is told of first, its price in the currency's minor unit."""

    name: str
    interval: str
    amount_cents: int
    currency: str
    trial_days: int


@dataclass(frozen=True)
class Front:
    articles: tuple[ArticleCard, ...]
    courses: tuple[CourseView, ...]
    offer: Offer | None


@dataclass(frozen=True)
class SitemapEntry:
    """A public page; `path` begins with a slash."""

    path: str
    changed_at: datetime | None = None


async def front(db: AsyncSession, now: datetime) -> Front:
    """The latest articles, the published courses, and the first offer."""
    return Front(
        articles=tuple(await articles.published(db, now, limit=LATEST)),
        courses=tuple(await outlines.courses(db, now)),
        offer=await _offer(db),
    )


async def _offer(db: AsyncSession) -> Offer | None:
    """Of the plans for every course the cheapest monthly one, else the cheapest; None while nothing can be bought."""
    if not get_settings().buying_enabled:
        return None
    plans = list(await db.scalars(select(Plan).where(Plan.is_offered, Plan.covers_everything)))
    best = min(plans, key=lambda plan: (plan.interval != "month", plan.amount_cents), default=None)
    if best is None:
        return None
    return Offer(best.name, best.interval, best.amount_cents, best.currency, best.trial_days)


async def sitemap(db: AsyncSession, now: datetime) -> list[SitemapEntry]:
    """Every page that anyone may open, but for articles, courses and lessons (`sitemaps`): nothing behind a login."""
    entries = [
        SitemapEntry("/"),
        SitemapEntry("/articles"),
        SitemapEntry("/courses"),
        SitemapEntry("/contact"),
    ]
    rows = await db.execute(
        select(Article.slug, Article.is_listed, func.greatest(Article.changed_at, Article.published_at))
        .where(shown(now), Article.is_listed.is_(False))
        .order_by(Article.published_at.desc())
    )
    entries.extend(SitemapEntry(address(slug, is_listed), changed_at) for slug, is_listed, changed_at in rows)
    entries.extend(SitemapEntry(f"/series/{slug}") for slug in await shown_slugs(db, now))
    if topics := await waiting.topics(db, now):
        entries.append(SitemapEntry("/coming"))
        entries.extend(SitemapEntry(f"/coming/{topic.slug}") for topic in topics)
    terms = [term for term in await finding.terms(db, now) if term.helps or term.has_text]
    if terms:
        entries.extend(SitemapEntry(path) for path in ("/body", "/muscles", "/conditions"))
    entries.extend(SitemapEntry(term.url, term.changed_at) for term in terms)
    tags = await db.scalars(
        select(Tag.slug)
        .join(ArticleTag, ArticleTag.tag_id == Tag.id)
        .join(Article, Article.id == ArticleTag.article_id)
        .where(shown(now), Article.is_listed)
        .distinct()
        .order_by(Tag.slug)
    )
    entries.extend(SitemapEntry(f"/articles/tag/{slug}") for slug in tags)
    return entries
