"""Counts that somebody went from an article to an offer: a number for each article and day, and nothing of anybody."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.articles.models import Article
from app.clock import utcnow
from app.db import Querying
from app.earning.models import OfferVisit
from app.jobs import engine

# A little more than the longest time that the studio shows.
KEEP = timedelta(days=400)


async def count(db: Querying, slug: str, now: datetime) -> None:
    """One more from the article at this address; nothing where there is none, or for ""."""
    if not slug:
        return
    one = select(Article.id, literal(now.date()), literal(1)).where(Article.slug == slug)
    made = insert(OfferVisit).from_select(["article_id", "day", "visits"], one)
    await db.execute(
        made.on_conflict_do_update(
            index_elements=["article_id", "day"], set_={"visits": OfferVisit.visits + 1}
        )
    )


@engine.scheduled("forget_visits", "13 3 * * *")
async def forget(_at: datetime, _context: Any) -> None:
    """Every night: days that nobody looks at any more."""
    await _forget_visits()


@engine.step(tries=3)
async def _forget_visits() -> None:
    async with db.transaction() as session:
        await forget_old(session, utcnow())


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Delete counts that are older than KEEP."""
    await session.execute(delete(OfferVisit).where(OfferVisit.day < (now - KEEP).date()))
