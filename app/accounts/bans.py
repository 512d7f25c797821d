"""What staff do to an account: close it at once, open it again, or sign it out everywhere."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit, queries, rules, sessions
from app.accounts.models import User
from app.errors import NotFound


async def _target(db: AsyncSession, user_id: UUID) -> User:
    user = await queries.locked(db, user_id)
    if user is None:
        raise NotFound
    return user


async def ban(db: AsyncSession, actor_id: UUID, user_id: UUID, reason: str, now: datetime) -> None:
    """Close the account and end its sessions, with all that hangs on them. The reason is for staff only.

    Raises:
        BadInput: as `rules.can_ban` says.
    """
    user = await _target(db, user_id)
    rules.can_ban(actor_id, user_id, target_is_staff=user.is_staff, reason=reason)
    if user.banned_at is None:
        user.banned_at = now
    user.ban_reason = reason.strip()
    await sessions.revoke_all(db, user_id, now)
    audit.record(db, actor_id, "member.ban", "member", user_id, name=user.name)


async def unban(db: AsyncSession, actor_id: UUID, user_id: UUID) -> None:
    """Open the account again; its owner signs in anew."""
    user = await _target(db, user_id)
    if user.banned_at is None:
        return
    user.banned_at = user.ban_reason = None
    audit.record(db, actor_id, "member.unban", "member", user_id, name=user.name)


async def sign_out_everywhere(db: AsyncSession, actor_id: UUID, user_id: UUID, now: datetime) -> None:
    user = await _target(db, user_id)
    await sessions.revoke_all(db, user_id, now)
    audit.record(db, actor_id, "member.sign_out", "member", user_id, name=user.name)
