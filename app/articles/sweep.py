"""Forgets what responses no longer need: spent stamps, machines' addresses, and after a month spam and removed ones."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, or_, update
from sqlalchemy.orm import aliased

from app import db
from app.articles.models import Ban, Comment, SpentStamp
from app.articles.rules import LONGEST_WRITING
from app.jobs import engine

KEEP_SPAM = timedelta(days=30)
# Long enough to ban a network after a holiday.
KEEP_IP = timedelta(days=30)
KEEP_BANS = timedelta(days=90)


async def sweep(now: datetime) -> None:
    """Delete what is older than that. A response that others answer stays, so that their thread does; so does what an
    import brought, which the teacher may not have looked through yet."""
    answer = aliased(Comment)
    month_ago = now - KEEP_SPAM
    async with db.transaction() as session:
        await session.execute(delete(SpentStamp).where(SpentStamp.spent_at < now - LONGEST_WRITING))
        await session.execute(
            delete(Comment).where(
                Comment.state.in_(("spam", "removed", "withdrawn")),
                Comment.created_at < month_ago,
                Comment.email_hash == "",
                or_(Comment.moderated_at.is_(None), Comment.moderated_at < month_ago),
                ~exists().where(answer.parent_id == Comment.id),
            )
        )
        await session.execute(
            update(Comment).where(Comment.created_at < now - KEEP_IP, Comment.ip != "").values(ip="")
        )
        await session.execute(
            delete(Ban).where(or_(Ban.ends_at < now - KEEP_BANS, Ban.lifted_at < now - KEEP_BANS))
        )


@engine.step()
async def _sweep_responses(at: str) -> None:
    await sweep(datetime.fromisoformat(at))


@engine.scheduled("sweep_responses", "41 3 * * *")
async def sweep_responses(at: datetime, context: Any) -> None:  # noqa: ARG001 (the engine's signature)
    """Once a day."""
    await _sweep_responses(at.isoformat())
