"""Reads of videos that the studio's first page needs."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.video.models import Video


async def in_state(db: AsyncSession, *states: str, limit: int = 10) -> list[Video]:
    """Videos in one of the states, the last changed first."""
    rows = await db.scalars(
        select(Video).where(Video.state.in_(states)).order_by(Video.changed_at.desc(), Video.id).limit(limit)
    )
    return list(rows)
