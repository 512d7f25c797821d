"""The subscription that a member would change, rest from or cancel."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.billing import queries
from app.billing.mirror import SubscriptionFacts, instant
from app.billing.models import StripeSubscription
from app.billing.plan_models import Plan, PlanPrice


@dataclass(frozen=True)
class Running:
    """A subscription to one plan of ours that is not over. `anchor_at`: the moment that its periods count from."""

    facts: SubscriptionFacts
    customer_id: str
    item_id: str
    plan: Plan
    anchor_at: datetime | None
    has_discount: bool = False


async def find(session: AsyncSession, user_id: UUID) -> Running | None:
    """The member's subscription, the newest that is not over; None without one."""
    customer = await queries.customer_of(session, user_id)
    if customer is None:
        return None
    for facts in await queries.mirror_of(session, customer.id):
        if facts.is_over or facts.status == "incomplete" or len(facts.price_ids) != 1:
            continue
        plan = await session.scalar(
            select(Plan)
            .join(PlanPrice, PlanPrice.plan_id == Plan.id)
            .where(PlanPrice.stripe_price_id == facts.price_ids[0])
        )
        if plan is None:
            continue
        raw = (await session.get_one(StripeSubscription, facts.id)).raw
        item_id = str(raw["items"]["data"][0]["id"])
        anchor_at, has_discount = instant(raw.get("billing_cycle_anchor")), bool(raw.get("discounts"))
        return Running(facts, customer.id, item_id, plan, anchor_at, has_discount)
    return None


def paid_through(facts: SubscriptionFacts) -> datetime | None:
    """Until when it is paid (or free); None: it is not. Pure."""
    if facts.status == "trialing":
        return facts.trial_end_at
    if facts.status != "active":
        return None
    return facts.paid_through_at if facts.pause_behavior == "void" else facts.current_period_end_at


def can_pause(found: Running) -> bool:
    """Whether the member may rest from it now. Pure."""
    facts = found.facts
    return (
        found.plan.pause_months > 0
        and facts.status == "active"
        and facts.pause_behavior is None
        and facts.stops_at is None
        and facts.current_period_end_at is not None
    )
