"""Reads of viewings for staff: who watches from unusually many networks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User, UserSession
from app.accounts.rules import device_name
from app.playback.models import Playback, SpreadDismissal
from app.playback.spread import MOST, Spread, Watched, widest

# Viewings are kept for so long.
WEEK = timedelta(days=7)
# A page is for reading; who shares a password is among the worst.
MOST_MEMBERS = 100


@dataclass(frozen=True)
class SpreadMember:
    """A member whom staff should have a look at, and the day that is why."""

    user_id: UUID
    name: str
    email: str
    spread: Spread


async def spread_members(db: AsyncSession, now: datetime) -> list[SpreadMember]:
    """Members with a day of unusually many networks in the last week, not found fine since; the widest first."""
    wanted = await _candidates(db, now)
    if not wanted:
        return []
    rows = await db.execute(
        select(
            Playback.user_id,
            Playback.session_id,
            Playback.created_at,
            Playback.network,
            User.name,
            User.email,
            UserSession.user_agent,
        )
        .join(User, User.id == Playback.user_id)
        .join(UserSession, UserSession.id == Playback.session_id)
        .outerjoin(SpreadDismissal, SpreadDismissal.user_id == Playback.user_id)
        .where(Playback.user_id.in_(wanted), Playback.created_at > now - WEEK, *_COUNTED)
    )
    watched: dict[tuple[UUID, str, str], list[Watched]] = defaultdict(list)
    for row in rows:
        one = Watched(row.created_at, row.session_id, row.network, device_name(row.user_agent))
        watched[row.user_id, row.name, row.email].append(one)
    found = [SpreadMember(*who, day) for who, seen in watched.items() if (day := widest(seen))]
    return sorted(found, key=lambda one: (-one.spread.networks, one.name, one.email))


_COUNTED = (
    Playback.network != "",
    or_(SpreadDismissal.dismissed_at.is_(None), Playback.created_at > SpreadDismissal.dismissed_at),
)


async def _candidates(db: AsyncSession, now: datetime) -> Sequence[UUID | None]:
    """Who has enough networks in the week at all: the day is looked for among these only."""
    networks = func.count(Playback.network.distinct())
    found = await db.scalars(
        select(Playback.user_id)
        .join(User, User.id == Playback.user_id)
        .outerjoin(SpreadDismissal, SpreadDismissal.user_id == Playback.user_id)
        # Renewed later than begun: the index is on that.
        .where(Playback.renewed_at > now - WEEK, Playback.created_at > now - WEEK, *_COUNTED)
        .where(User.role == "member", User.banned_at.is_(None))
        .group_by(Playback.user_id)
        .having(networks > MOST)
        .order_by(networks.desc())
        .limit(MOST_MEMBERS)
    )
    return found.all()
