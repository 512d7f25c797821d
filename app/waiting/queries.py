"""Reads of what is waited for: as visitors see it, and the demand as the studio does."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import Article
from app.catalog.models import Course, Lesson
from app.waiting.models import Topic, Waiting
from app.waiting.rules import WEEK, Step, Week, by_week, next_step
from app.waiting.standing import Standing, columns, joined, standing_of, standings

WEEKS = 12

_LIVE = and_(Waiting.ended_at.is_(None), ~Waiting.is_trapped)
_TRAPPED = and_(Waiting.ended_at.is_(None), Waiting.is_trapped, Waiting.told_at.is_(None))


async def topics(db: AsyncSession, now: datetime) -> list[Standing]:
    """What has an address of its own and is not out yet, the newest first."""
    rows = await db.execute(standings(now).where(Topic.slug.is_not(None)).order_by(Topic.created_at.desc()))
    return [found for row in rows if (found := standing_of(row)).is_soon]


async def by_slugs(db: AsyncSession, slugs: Collection[str], now: datetime) -> dict[str, Standing]:
    """Topics by their addresses, whether out or not."""
    if not slugs:
        return {}
    rows = await db.execute(standings(now).where(Topic.slug.in_(slugs)))
    return {found.slug: found for row in rows if (found := standing_of(row)).slug}


async def by_lesson(db: AsyncSession, course_id: UUID) -> dict[UUID, int]:
    """How many confirmed addresses wait for each lesson of the course."""
    rows = await db.execute(
        select(Topic.lesson_id, func.count())
        .join(Waiting, Waiting.topic_id == Topic.id)
        .join(Lesson, Lesson.id == Topic.lesson_id)
        .where(Lesson.course_id == course_id, _LIVE, Waiting.confirmed_at.is_not(None))
        .where(Waiting.told_at.is_(None))
        .group_by(Topic.lesson_id)
    )
    return {lesson_id: count for lesson_id, count in rows if lesson_id is not None}


@dataclass(frozen=True)
class Demand:
    """A topic and how many want it: `confirmed` and not yet told, `unanswered` (asked, not confirmed), `told`;
    `lately`: how many of all asked in the last four weeks. `trapped`: requests that may be programs', in no other
    number."""

    topic: Standing
    confirmed: int
    unanswered: int
    told: int
    lately: int
    trapped: int
    last_at: datetime | None

    @property
    def asked(self) -> int:
        return self.confirmed + self.unanswered + self.told

    @property
    def step(self) -> Step:
        return next_step(is_tied=self.topic.thing is not None, is_out=self.topic.is_out, asked=self.asked)


async def demand(db: AsyncSession, now: datetime, topic_id: UUID | None = None) -> list[Demand]:
    """Every topic (or one): what is not out first, and of these what most people wait for."""
    confirmed = and_(_LIVE, Waiting.confirmed_at.is_not(None), Waiting.told_at.is_(None))
    unanswered = and_(_LIVE, Waiting.confirmed_at.is_(None), Waiting.told_at.is_(None))
    counts = (
        select(
            Waiting.topic_id,
            func.count().filter(confirmed).label("confirmed"),
            func.count().filter(unanswered).label("unanswered"),
            func.count().filter(Waiting.told_at.is_not(None)).label("told"),
            func.count().filter(_LIVE, Waiting.asked_at > now - 4 * WEEK).label("lately"),
            func.count().filter(_TRAPPED).label("trapped"),
            func.max(Waiting.asked_at).label("last_at"),
        )
        .group_by(Waiting.topic_id)
        .subquery()
    )
    names = ("confirmed", "unanswered", "told", "lately", "trapped")
    numbers = [func.coalesce(counts.c[name], 0) for name in names]
    wanted = joined(
        select(*columns(now), *numbers, counts.c.last_at)
        .select_from(Topic)
        .outerjoin(counts, counts.c.topic_id == Topic.id)
    )
    if topic_id is not None:
        wanted = wanted.where(Topic.id == topic_id)
    found = [Demand(standing_of(row), *row[-6:]) for row in await db.execute(wanted)]
    return sorted(found, key=_order)


def _order(one: Demand) -> tuple[bool, int, int, str]:
    return one.topic.is_out, -one.confirmed, -one.asked, one.topic.title.lower()


@dataclass(frozen=True)
class Asker:
    """An article under which people asked."""

    id: UUID
    title: str
    asked: int
    confirmed: int


async def askers(db: AsyncSession, topic_id: UUID) -> list[Asker]:
    """Which articles' readers asked, the most first."""
    rows = await db.execute(
        select(Article.id, Article.title, func.count(), func.count(Waiting.confirmed_at))
        .join(Waiting, Waiting.article_id == Article.id)
        .where(Waiting.topic_id == topic_id, ~Waiting.is_trapped)
        .group_by(Article.id, Article.title)
        .order_by(func.count().desc(), Article.title)
    )
    return [Asker(*row) for row in rows]


async def weeks(db: AsyncSession, topic_id: UUID, now: datetime) -> list[Week]:
    """When people asked, in the last twelve weeks, the oldest first."""
    rows = await db.execute(
        select(Waiting.asked_at, Waiting.confirmed_at.is_not(None)).where(
            Waiting.topic_id == topic_id, Waiting.asked_at > now - WEEKS * WEEK, ~Waiting.is_trapped
        )
    )
    return by_week([(row[0], row[1]) for row in rows], now, WEEKS)


async def course_choices(db: AsyncSession) -> list[tuple[str, str]]:
    """(id, title) of every course, drafts too."""
    rows = await db.execute(select(Course.id, Course.title).order_by(Course.position, Course.title))
    return [(str(course_id), title) for course_id, title in rows]


async def waiting_in_all(db: AsyncSession) -> int:
    """How many confirmed addresses wait for something."""
    wanted = select(func.count()).where(_LIVE, Waiting.confirmed_at.is_not(None), Waiting.told_at.is_(None))
    return await db.scalar(wanted) or 0


async def count_trapped(db: AsyncSession) -> int:
    """How many requests of all lists may be programs', and wait for staff."""
    return await db.scalar(select(func.count()).where(_TRAPPED)) or 0
