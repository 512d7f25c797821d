"""How often one address may write to the teacher."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Attempt
from app.articles.rules import THROTTLE_LIMIT, THROTTLE_WINDOW


async def may_write(db: AsyncSession, kind: str, ip: str, now: datetime) -> bool:
    """Whether `ip` has room for one more `kind` ("respond", "contact") in this window."""
    recent = await db.scalar(
        select(func.count()).where(Attempt.bucket == _bucket(kind, ip), Attempt.at > now - THROTTLE_WINDOW)
    )
    return (recent or 0) < THROTTLE_LIMIT


def note(db: AsyncSession, kind: str, ip: str, now: datetime) -> None:
    """Count one that was taken."""
    db.add(Attempt(bucket=_bucket(kind, ip), at=now))


def _bucket(kind: str, ip: str) -> str:
    return f"{kind}:{ip}"[:120]
