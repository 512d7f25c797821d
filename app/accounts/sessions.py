"""Server-side sessions: a random cookie, kept only as its SHA-256, revocable one by one or all at once."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User, UserSession
from app.accounts.permissions import Viewer
from app.db import Querying
from app.settings import get_settings

TOUCH_EVERY = timedelta(minutes=10)
# Asked with every page: built once, and of bare columns, since that and two objects cost as much as the answer.
HOLDER = (
    select(
        UserSession.id.label("session_id"),
        UserSession.last_seen_at,
        User.id.label("user_id"),
        User.name,
        User.email,
        User.role,
        User.email_confirmed_at,
    )
    .join(User, User.id == UserSession.user_id)
    .where(
        UserSession.token_hash == bindparam("token_hash"),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > bindparam("now"),
        User.banned_at.is_(None),
    )
)


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def start(db: AsyncSession, user: User, *, user_agent: str, ip: str, now: datetime) -> str:
    """Open a session on this device and answer the cookie's value (256 bits, base64url)."""
    token = secrets.token_urlsafe(32)
    db.add(
        UserSession(
            user_id=user.id,
            token_hash=hash_token(token),
            user_agent=user_agent[:300],
            ip=ip[:45],
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(days=get_settings().session_days),
        )
    )
    await db.flush()
    return token


async def find(db: Querying, token: str, now: datetime) -> Viewer | None:
    """Who holds this cookie, or None when it is unknown, expired, revoked, or its owner is banned.

    Extends the session's life at most every 10 minutes, so that reading pages writes little.
    """
    row = (await db.execute(HOLDER, {"token_hash": hash_token(token), "now": now})).first()
    return None if row is None else await seen(db, row, now)


async def seen(db: Querying, row: Any, now: datetime) -> Viewer:
    """The viewer of a row with `HOLDER`'s columns, who was here just now."""
    if now - row.last_seen_at > TOUCH_EVERY:
        await db.execute(
            update(UserSession)
            .where(UserSession.id == row.session_id)
            .values(last_seen_at=now, expires_at=now + timedelta(days=get_settings().session_days))
            .execution_options(synchronize_session=False)
        )
    return Viewer(
        user_id=row.user_id,
        session_id=row.session_id,
        name=row.name,
        email=row.email,
        is_staff=row.role == "staff",
        is_confirmed=row.email_confirmed_at is not None,
    )


async def revoke(db: AsyncSession, user_id: UUID, session_id: UUID, now: datetime) -> None:
    """End one of the user's sessions; somebody else's id changes nothing."""
    await db.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def revoke_all(db: AsyncSession, user_id: UUID, now: datetime, *, but: UUID | None = None) -> None:
    """End every session of the user, except `but`."""
    wanted = update(UserSession).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    if but is not None:
        wanted = wanted.where(UserSession.id != but)
    await db.execute(wanted.values(revoked_at=now))


async def active(db: AsyncSession, user_id: UUID, now: datetime) -> list[UserSession]:
    """The user's signed-in devices, the most recently used first."""
    rows = await db.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.expires_at > now)
        .order_by(UserSession.last_seen_at.desc())
    )
    return list(rows)
