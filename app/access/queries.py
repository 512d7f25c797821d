"""Reads of the right to watch, as facts for `rules.decide`, and of the ledger behind them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import Entitlement, EntitlementEntry
from app.access.rules import EntitlementFacts, is_active
from app.question import Answers, Fact, ask, given, known, moment, moment_told


@dataclass(frozen=True)
class LedgerEntry:
    """One change to a member's rights, as the studio shows it."""

    at: datetime
    entitlement_id: UUID
    change: str
    cause: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


ENTITLEMENTS = Fact(
    "entitlements",
    select(
        func.json_agg(
            func.json_build_array(
                Entitlement.course_id, Entitlement.starts_at, Entitlement.ends_at, Entitlement.revoked_at
            )
        )
    )
    .where(Entitlement.user_id == given("user_id"))
    .scalar_subquery(),
)


async def facts_for(db: AsyncSession, user_id: UUID) -> list[EntitlementFacts]:
    """Every right that the user has or had, ended and revoked ones too: `decide` tells an ended one from none."""
    return entitlements_of(await ask(db, ENTITLEMENTS, user_id=user_id))


def entitlements_of(found: Answers) -> list[EntitlementFacts]:
    """The same, of an answer to `ENTITLEMENTS`."""
    return [
        EntitlementFacts(known(course), moment_told(starts), moment(ends), moment(revoked))
        for course, starts, ends, revoked in found[ENTITLEMENTS.name] or ()
    ]


async def active_for(db: AsyncSession, user_id: UUID, now: datetime) -> list[EntitlementFacts]:
    """The rights that hold at this moment."""
    return [facts for facts in await facts_for(db, user_id) if is_active(facts, now)]


async def is_course_held(db: AsyncSession, course_id: UUID) -> bool:
    """Whether anybody has or had a right to this very course, so that deleting it would take a right away."""
    found = await db.scalar(select(Entitlement.id).where(Entitlement.course_id == course_id).limit(1))
    return found is not None


async def rows_for(db: AsyncSession, user_id: UUID) -> list[Entitlement]:
    """The member's rights, the newest first, ended ones included."""
    rows = await db.scalars(
        select(Entitlement)
        .where(Entitlement.user_id == user_id)
        .order_by(Entitlement.starts_at.desc(), Entitlement.id)
    )
    return list(rows)


async def ledger_for(db: AsyncSession, user_id: UUID) -> list[LedgerEntry]:
    """Everything that ever happened to the member's rights, the newest first."""
    rows = await db.scalars(
        select(EntitlementEntry)
        .where(EntitlementEntry.user_id == user_id)
        .order_by(EntitlementEntry.id.desc())
    )
    return [
        LedgerEntry(row.at, row.entitlement_id, row.change, row.cause, row.before, row.after) for row in rows
    ]
