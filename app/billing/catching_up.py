"""Nothing that was missed stays missed: who is behind, or whose right is about to lapse, is asked about again."""

from datetime import datetime, timedelta

from sqlalchemy import select

from app import db
from app.access.models import Entitlement
from app.billing import queries
from app.billing.inbox import want
from app.billing.models import StripeSubscription, StripeSync
from app.clock import utcnow
from app.jobs import engine

LAPSING = timedelta(hours=24)
SYNCED_LATELY = timedelta(hours=6)
STUCK = timedelta(minutes=2)
AT_ONCE = 500


async def catch_up(now: datetime) -> list[str]:
    """Ask again for customers that are behind, and for those whose right to watch is about to lapse."""
    async with db.transaction() as session:
        behind = select(StripeSync.customer_id).where(
            StripeSync.wanted_seq > StripeSync.done_seq, StripeSync.changed_at < now - STUCK
        )
        lapsing = (
            select(StripeSubscription.customer_id)
            .join(Entitlement, Entitlement.source_id == StripeSubscription.id)
            .where(
                Entitlement.source_kind == "subscription",
                Entitlement.revoked_at.is_(None),
                Entitlement.ends_at > now - LAPSING,
                Entitlement.ends_at < now + LAPSING + queries.policy().late_webhook,
                StripeSubscription.synced_at < now - SYNCED_LATELY,
            )
        )
        found = sorted(set(await session.scalars(behind.union(lapsing).limit(AT_ONCE))))
        for customer_id in found:
            await want(session, customer_id, now, again=True)
    return found


@engine.scheduled("billing_catch_up", "*/10 * * * *")
async def billing_catch_up(at: datetime, context: object) -> None:  # noqa: ARG001 (the engine passes it)
    """Every ten minutes: nothing that was missed stays missed for long."""
    await _catch_up_step()


@engine.step(tries=3)
async def _catch_up_step() -> list[str]:
    return await catch_up(utcnow())
