"""Requests whose hidden field was filled in: staff look at them, and have them asked like all others, or drop them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.waiting.models import Topic, Waiting

# So many are shown, and dealt with, at once.
PAGE = 50


async def suspects(db: AsyncSession, topic_id: UUID) -> list[Waiting]:
    """The first of them, the oldest first."""
    rows = await db.scalars(_of(topic_id).order_by(Waiting.asked_at, Waiting.id).limit(PAGE))
    return list(rows)


async def have_asked(
    db: AsyncSession, viewer: Viewer, topic: Topic, ids: Sequence[UUID], now: datetime
) -> int:
    """Let the question go out to these, a few each hour as to all that wait for it; answers how many."""
    found = await _named(db, topic, ids)
    for row in found:
        # Their time to answer begins when they are asked.
        row.is_trapped, row.held_at, row.asked_at = False, now, now
    _record(db, viewer, topic, "topic.ask", len(found))
    return len(found)


async def drop(db: AsyncSession, viewer: Viewer, topic: Topic, ids: Sequence[UUID]) -> int:
    """Forget these addresses; answers how many."""
    found = await _named(db, topic, ids)
    for row in found:
        await db.delete(row)
    _record(db, viewer, topic, "topic.drop", len(found))
    return len(found)


async def _named(db: AsyncSession, topic: Topic, ids: Sequence[UUID]) -> Sequence[Waiting]:
    """Only what was on the page that somebody looked at: what arrived since waits."""
    return (await db.scalars(_of(topic.id).where(Waiting.id.in_(ids)).with_for_update())).all()


def _of(topic_id: UUID) -> Select[Waiting]:
    return select(Waiting).where(
        Waiting.topic_id == topic_id,
        Waiting.is_trapped,
        Waiting.ended_at.is_(None),
        Waiting.told_at.is_(None),
    )


def _record(db: AsyncSession, viewer: Viewer, topic: Topic, action: str, count: int) -> None:
    if count:
        audit.record(db, viewer.user_id, action, "topic", topic.id, title=topic.title, count=count)
