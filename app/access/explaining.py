""" "Why can she watch?": every right of a member in words, with its cause and what would change it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import queries
from app.access.entitlements import TAKEABLE
from app.access.rules import EntitlementFacts, is_active
from app.i18n import N_, _
from app.templating import day

SOURCES = {
    "subscription": N_("Subscription"),
    "purchase": N_("Purchase"),
    "staff": N_("Given by staff"),
    "gift": N_("Gift"),
    "import": N_("Imported"),
}
NEXT = {
    "subscription": N_("Ends when the subscription ends at Stripe, or when a payment stays out too long."),
    "purchase": N_("Ends when the payment is refunded."),
    "staff": N_("Ends when you take it."),
    "gift": N_("Ends on its last day, or when you take it."),
    "import": N_("Ends on its last day, or when you take it."),
}


@dataclass(frozen=True)
class Explained:
    """One right to watch. `course_id` None: every course. `until` is a sentence; `cause` the ledger's last word."""

    entitlement_id: UUID
    source: str
    source_id: str
    course_id: UUID | None
    is_active: bool
    starts_at: datetime
    until: str
    cause: str
    would_change: str
    can_be_taken: bool


async def explain(db: AsyncSession, user_id: UUID, now: datetime) -> list[Explained]:
    """Every right of the member, those that count now first."""
    ledger = await queries.ledger_for(db, user_id)
    causes: dict[UUID, str] = {}
    for entry in ledger:
        causes.setdefault(entry.entitlement_id, entry.cause)
    found = []
    for row in await queries.rows_for(db, user_id):
        active = is_active(EntitlementFacts(row.course_id, row.starts_at, row.ends_at, row.revoked_at), now)
        found.append(
            Explained(
                entitlement_id=row.id,
                source=_(SOURCES.get(row.source_kind, row.source_kind)),
                source_id=row.source_id,
                course_id=row.course_id,
                is_active=active,
                starts_at=row.starts_at,
                until=_until(row.ends_at, row.revoked_at, now),
                cause=causes.get(row.id, ""),
                would_change=_(NEXT[row.source_kind]) if active and row.source_kind in NEXT else "",
                can_be_taken=row.source_kind in TAKEABLE and active,
            )
        )
    return sorted(found, key=lambda one: not one.is_active)


def _until(ends_at: datetime | None, revoked_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None and revoked_at <= now:
        return _("Ended on {day}").format(day=day(revoked_at))
    if ends_at is None:
        return _("No end")
    if ends_at <= now:
        return _("Ended on {day}").format(day=day(ends_at))
    return _("Until {day}").format(day=day(ends_at))
