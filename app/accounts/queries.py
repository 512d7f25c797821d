"""Reads of accounts: one person, the members' table, and the trail of staff actions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import sessions
from app.accounts.models import AuditEntry, User, UserSession
from app.accounts.rules import device_name, network_name, shortened
from app.errors import NotFound

PER_PAGE = 50
T = TypeVar("T")


async def by_email(db: AsyncSession, email: str) -> User | None:
    """The account of a cleaned (lower-case) address."""
    return (await db.scalars(select(User).where(User.email == email))).one_or_none()


async def by_id(db: AsyncSession, user_id: UUID) -> User:
    """The account.

    Raises:
        NotFound: when there is none.
    """
    user = await db.get(User, user_id)
    if user is None:
        raise NotFound
    return user


async def locked(db: AsyncSession, user_id: UUID) -> User | None:
    """The account as it is now, held until the transaction ends, so that a link cannot be used twice at once."""
    found = await db.scalars(
        select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    )
    return found.one_or_none()


@dataclass(frozen=True)
class Device:
    """A signed-in device as its owner (or staff) sees it; of its address only the network, in words, or empty."""

    id: UUID
    name: str
    network: str
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


async def devices(
    db: AsyncSession, user_id: UUID, now: datetime, *, this: UUID | None = None
) -> list[Device]:
    """The account's signed-in devices; the one that asks comes first, then the most recently used."""
    rows: list[UserSession] = await sessions.active(db, user_id, now)
    found = [
        Device(
            id=row.id,
            name=device_name(row.user_agent),
            network=network_name(shortened(row.ip)),
            created_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_this=row.id == this,
        )
        for row in rows
    ]
    return sorted(found, key=lambda device: not device.is_this)


@dataclass(frozen=True)
class Listing(Generic[T]):
    """One page of rows, and how many there are in all."""

    rows: list[T]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


async def count_joined_since(db: AsyncSession, since: datetime) -> int:
    """How many members (staff not counted) have joined since then."""
    wanted = select(func.count()).where(User.role == "member", User.created_at >= since)
    return await db.scalar(wanted) or 0


async def members(db: AsyncSession, search: str, page: int) -> Listing[User]:
    """Accounts whose name or address contains the search, the newest first."""
    wanted = select(User)
    if search:
        part = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = wanted.where(
            or_(func.lower(User.name).contains(part, escape="\\"), User.email.contains(part, escape="\\"))
        )
    total = await db.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = await db.scalars(
        wanted.order_by(User.created_at.desc(), User.id).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    )
    return Listing(list(rows), total, page)


@dataclass(frozen=True)
class Deed:
    """An audit entry with its actor's name (None: the command line, or an account that is gone)."""

    entry: AuditEntry
    actor: str | None


async def deeds(db: AsyncSession, page: int, *, subject_id: str | None = None) -> Listing[Deed]:
    """The trail of staff actions, the newest first; of one subject when `subject_id` is given."""
    wanted = select(AuditEntry, User.name).outerjoin(User, User.id == AuditEntry.actor_id)
    if subject_id is not None:
        wanted = wanted.where(AuditEntry.subject_id == subject_id)
    total = await db.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = await db.execute(
        wanted.order_by(AuditEntry.id.desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    )
    return Listing([Deed(entry, name) for entry, name in rows], total, page)
