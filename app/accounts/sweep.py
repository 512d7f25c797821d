"""Removes what accounts no longer need: counted tries of yesterday, and sign-ins that ended long ago."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_

from app import db
from app.accounts.models import Attempt, UserSession
from app.jobs import engine

KEEP_ATTEMPTS = timedelta(days=1)
KEEP_SESSIONS = timedelta(days=30)


async def sweep(now: datetime) -> None:
    """Delete tries older than a day, and sessions that ended more than 30 days ago."""
    async with db.transaction() as session:
        await session.execute(delete(Attempt).where(Attempt.at < now - KEEP_ATTEMPTS))
        long_ago = now - KEEP_SESSIONS
        await session.execute(
            delete(UserSession).where(
                or_(UserSession.revoked_at < long_ago, UserSession.expires_at < long_ago)
            )
        )


@engine.step()
async def _sweep_accounts(at: str) -> None:
    await sweep(datetime.fromisoformat(at))


@engine.scheduled("sweep_accounts", "17 * * * *")
async def sweep_accounts(at: datetime, context: Any) -> None:  # noqa: ARG001 (the engine's signature)
    """Once an hour."""
    await _sweep_accounts(at.isoformat())
