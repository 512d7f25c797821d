"""The only writer of entitlements: brings rows in line with what is due, and notes every change in the ledger."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.due import Due, Held, Step, steps
from app.access.models import Entitlement, EntitlementEntry
from app.accounts import audit
from app.accounts.models import User
from app.errors import BadInput, Conflict, NotFound
from app.i18n import _

# Rights that staff may take; the others follow from what somebody else says and would come back.
TAKEABLE = frozenset({"staff", "gift", "import"})


@dataclass(frozen=True)
class Change:
    """One entry that was written to the ledger: given, extended, shortened, restored or ended."""

    change: str
    source_id: str
    course_id: UUID | None


async def lock_user(db: AsyncSession, user_id: UUID) -> User | None:
    """Lock the member's row. Whoever changes rights locks it first, before anything else: one lock order."""
    found: User | None = await db.scalar(
        select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    )
    return found


async def settle(
    db: AsyncSession,
    user_id: UUID,
    source_kind: str,
    due: Sequence[Due],
    cause: str,
    now: datetime,
    *,
    keep: Collection[str] = (),
) -> list[Change]:
    """Make the member's rows of `source_kind` what is due, and nothing else; answer what changed.

    Rows of other kinds are never touched, nor those of the sources in `keep`. A right that is due no longer is
    revoked at `now`, unless it had lapsed by itself. Doing it twice changes nothing.
    """
    await lock_user(db, user_id)
    rows = {
        (row.source_id, row.course_id): row
        for row in await db.scalars(
            select(Entitlement).where(Entitlement.user_id == user_id, Entitlement.source_kind == source_kind)
        )
    }
    held = [Held(row.source_id, row.course_id, row.ends_at, row.revoked_at) for row in rows.values()]
    changes = [
        _take_step(db, user_id, source_kind, step, rows, cause, now) for step in steps(held, due, now, keep)
    ]
    await db.flush()
    return changes


def _take_step(
    db: AsyncSession,
    user_id: UUID,
    source_kind: str,
    step: Step,
    rows: dict[tuple[str, UUID | None], Entitlement],
    cause: str,
    now: datetime,
) -> Change:
    row = rows.get((step.source_id, step.course_id))
    if step.due is None:
        assert row is not None
        return _revoke(db, row, cause, now)
    if row is None:
        row = _new(user_id, source_kind, step.due)
        db.add(row)
        return _note(db, row, step.change, cause, now, before=None)
    before = _shown(row)
    row.revoked_at = None
    row.ends_at = step.due.ends_at
    row.starts_at = min(row.starts_at, step.due.starts_at)
    return _note(db, row, step.change, cause, now, before=before)


async def give(
    db: AsyncSession,
    user_id: UUID,
    course_id: UUID | None,
    ends_at: datetime | None,
    *,
    reason: str,
    by: str,
    now: datetime,
    source_kind: str = "staff",
    actor_id: UUID | None = None,
) -> Entitlement:
    """Staff give a right to watch, with a reason and, if they like, an end. `by` names them in the ledger.

    Raises:
        NotFound: for a member who is not there.
        BadInput: without a reason, or with an end that has passed.
    """
    if not reason.strip():
        raise BadInput(_("Please say why, so that you still know in a year."), field="reason")
    if ends_at is not None and ends_at <= now:
        raise BadInput(_("The last day must be in the future."), field="ends_on")
    user = await lock_user(db, user_id)
    if user is None:
        raise NotFound
    row = _new(user_id, source_kind, Due(f"{source_kind}:{uuid4()}", course_id, now, ends_at))
    db.add(row)
    _note(db, row, "given", f"{by}: {reason.strip()}", now, before=None)
    audit.record(db, actor_id, "entitlement.give", "member", user_id, name=user.name)
    await db.flush()
    return row


async def take(
    db: AsyncSession,
    user_id: UUID,
    entitlement_id: UUID,
    *,
    reason: str,
    by: str,
    now: datetime,
    actor_id: UUID | None = None,
) -> Entitlement:
    """Staff take a right that staff gave (or a gift, or an import).

    Raises:
        NotFound: when this member has no such right.
        BadInput: without a reason.
        Conflict: for a right that follows from a payment: it would come back with the next word from Stripe.
    """
    if not reason.strip():
        raise BadInput(_("Please say why, so that you still know in a year."), field="reason")
    user = await lock_user(db, user_id)
    row = await db.scalar(
        select(Entitlement).where(Entitlement.id == entitlement_id, Entitlement.user_id == user_id)
    )
    if user is None or row is None:
        raise NotFound
    if row.source_kind not in TAKEABLE:
        raise Conflict(_("This right comes from a payment. Cancel the subscription in Stripe, and it ends."))
    if row.revoked_at is None:
        _revoke(db, row, f"{by}: {reason.strip()}", now)
        audit.record(db, actor_id, "entitlement.take", "member", user_id, name=user.name)
        await db.flush()
    return row


def _new(user_id: UUID, source_kind: str, due: Due) -> Entitlement:
    return Entitlement(
        id=uuid4(),
        user_id=user_id,
        course_id=due.course_id,
        source_kind=source_kind,
        source_id=due.source_id,
        starts_at=due.starts_at,
        ends_at=due.ends_at,
    )


def _revoke(db: AsyncSession, row: Entitlement, cause: str, now: datetime) -> Change:
    before = _shown(row)
    row.revoked_at = now
    return _note(db, row, "ended", cause, now, before=before)


def _note(
    db: AsyncSession,
    row: Entitlement,
    change: str,
    cause: str,
    now: datetime,
    *,
    before: dict[str, Any] | None,
) -> Change:
    db.add(
        EntitlementEntry(
            at=now,
            entitlement_id=row.id,
            user_id=row.user_id,
            change=change,
            cause=cause,
            before=before,
            after=_shown(row),
        )
    )
    return Change(change, row.source_id, row.course_id)


def _shown(row: Entitlement) -> dict[str, Any]:
    """The row as the ledger keeps it: JSON, with instants in ISO 8601."""

    def iso(value: datetime | None) -> str | None:
        return value.isoformat() if value is not None else None

    return {
        "source_kind": row.source_kind,
        "source_id": row.source_id,
        "course_id": str(row.course_id) if row.course_id else None,
        "starts_at": iso(row.starts_at),
        "ends_at": iso(row.ends_at),
        "revoked_at": iso(row.revoked_at),
    }
