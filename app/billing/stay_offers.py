"""One honest offer to whoever cancels: a pause, or less to pay for a while; made once for each subscription."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.billing import running, stripe_api, sync
from app.billing.notice_models import StayOffer
from app.billing.running import Running
from app.errors import NotFound


@dataclass(frozen=True)
class Offer:
    """`kind`: pause (for up to `months`) or discount (`percent` off for `months`; 0: off the next payment only)."""

    kind: str
    months: int
    percent: int = 0


@dataclass(frozen=True)
class Outcome:
    """How often something was offered, and how often somebody took it."""

    made: int
    taken: int


def offer_for(found: Running) -> Offer | None:
    """What this plan offers to somebody who would cancel now, if it fits. Pure."""
    plan, facts = found.plan, found.facts
    if plan.stay_offer == "pause":
        return Offer("pause", plan.pause_months) if running.can_pause(found) else None
    pays = facts.status in ("active", "trialing") and facts.pause_behavior is None and not facts.wants_card
    if plan.stay_offer != "discount" or not pays or facts.stops_at is not None or found.has_discount:
        return None
    return Offer("discount", plan.stay_months if plan.interval == "month" else 0, plan.stay_percent)


async def open_offer(session: AsyncSession, found: Running) -> Offer | None:
    """The offer, unless it was made before."""
    if await session.get(StayOffer, found.facts.id) is not None:
        return None
    return offer_for(found)


async def note(
    session: AsyncSession, subscription_id: str, offer: Offer, now: datetime, *, taken: bool
) -> None:
    """Keep what became of an offer; the first answer counts."""
    await session.execute(
        insert(StayOffer)
        .values(
            subscription_id=subscription_id,
            kind=offer.kind,
            percent=offer.percent,
            months=offer.months,
            answered_at=now,
            taken_at=now if taken else None,
        )
        .on_conflict_do_nothing()
    )


async def take_discount(user_id: UUID, now: datetime) -> None:
    """Pay less for a while. A double click takes it once.

    Raises:
        NotFound: when it is not offered, or was answered before.
        StripeDown: when Stripe does not answer; nothing has changed then.
    """
    async with db.transaction() as session:
        found = await running.find(session, user_id)
        offer = await open_offer(session, found) if found is not None else None
    if found is None or offer is None or offer.kind != "discount":
        raise NotFound
    await stripe_api.take_off(found.facts.id, offer.percent, offer.months)
    async with db.transaction() as session:
        await note(session, found.facts.id, offer, now, taken=True)
    await sync.sync_now(found.customer_id)


async def outcome(session: AsyncSession) -> Outcome:
    """Of all offers that were answered."""
    made, taken = (await session.execute(select(func.count(), func.count(StayOffer.taken_at)))).one()
    return Outcome(made, taken)
