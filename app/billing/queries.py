"""Reads of money: what a member pays, and the facts that the rules need. What is sold: `offers`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import Entitlement
from app.billing import offers
from app.billing.mirror import ChargeFacts, PurchaseFacts, SubscriptionFacts, read_subscription
from app.billing.models import StripeCharge, StripeCustomer, StripePurchase, StripeSubscription
from app.billing.plan_models import Plan, PlanPrice
from app.billing.rules import DISPUTE_OPEN, Policy, Scope, Standing, covering, spoiled_by
from app.settings import get_settings

# States of a membership in which lessons play, as long as the money for the period is ours.
_PAID = ("active", "trial", "ending")


@dataclass(frozen=True)
class Membership:
    """What a member pays, when next, and how it ends; the latest subscription that is not over.

    `state`: active | trial | ending | past_due | resting | stopped | waiting (a trial that ended without a card) |
    disputed (the bank asks the money back) | returned (the money of this period went back).
    `next_at`: when the card is charged next (None: never). `ends_at`: the last moment of access, where one is known.
    `may_pause`: whether the member may rest. `wants_card`: the trial leads nowhere without one. `is_plain`: each bill
    is the price, without discount or tax.
    """

    plan_name: str
    amount_cents: int
    currency: str
    interval: str
    state: str
    next_at: datetime | None
    ends_at: datetime | None
    may_pause: bool = False
    wants_card: bool = False
    is_plain: bool = True


def policy() -> Policy:
    return Policy(past_due_grace=timedelta(days=get_settings().past_due_grace_days))


async def customer_of(db: AsyncSession, user_id: UUID) -> StripeCustomer | None:
    """The member's customer at Stripe."""
    found: StripeCustomer | None = await db.scalar(
        select(StripeCustomer).where(StripeCustomer.user_id == user_id, StripeCustomer.deleted_at.is_(None))
    )
    return found


async def mirror_of(db: AsyncSession, customer_id: str) -> list[SubscriptionFacts]:
    """Every subscription that the mirror has of a customer, the newest first."""
    return (await mirrors_of(db, [customer_id]))[customer_id]


async def mirrors_of(db: AsyncSession, customer_ids: Collection[str]) -> dict[str, list[SubscriptionFacts]]:
    """The same of several customers, in one query; an empty list for who has none."""
    found: dict[str, list[SubscriptionFacts]] = {one: [] for one in customer_ids}
    for row in await db.scalars(
        select(StripeSubscription).where(StripeSubscription.customer_id.in_(customer_ids))
    ):
        found[row.customer_id].append(read_subscription(row.raw, row.past_due_since_at))
    for facts in found.values():
        facts.sort(key=lambda one: one.started_at, reverse=True)
    return found


async def purchases_of(db: AsyncSession, customer_id: str) -> list[PurchaseFacts]:
    """Everything that a customer bought once, as the mirror has it, the newest first."""
    return (await purchases_of_many(db, [customer_id]))[customer_id]


async def purchases_of_many(
    db: AsyncSession, customer_ids: Collection[str]
) -> dict[str, list[PurchaseFacts]]:
    """The same of several customers, in one query."""
    found: dict[str, list[PurchaseFacts]] = {one: [] for one in customer_ids}
    for row in await db.scalars(
        select(StripePurchase)
        .where(StripePurchase.customer_id.in_(customer_ids))
        .order_by(StripePurchase.bought_at.desc())
    ):
        found[row.customer_id].append(
            PurchaseFacts(
                row.id,
                row.price_id,
                row.payment_status,
                row.payment_intent_id,
                row.amount_cents,
                row.currency,
                row.bought_at,
                row.is_pending,
                row.lasts_months,
                row.gift_id,
                row.doubt,
            )
        )
    return found


@dataclass(frozen=True)
class Owned:
    """Something that was paid once and may be watched. `ends_at` None: for good."""

    plan_name: str
    ends_at: datetime | None


async def owned_by(db: AsyncSession, user_id: UUID, now: datetime) -> list[Owned]:
    """What a member bought once and may watch at this moment, the newest first."""
    rows = await db.execute(
        select(Plan.name, func.max(Entitlement.ends_at), func.bool_or(Entitlement.ends_at.is_(None)))
        .join(PlanPrice, PlanPrice.plan_id == Plan.id)
        .join(StripePurchase, StripePurchase.price_id == PlanPrice.stripe_price_id)
        .join(Entitlement, Entitlement.source_id == StripePurchase.id)
        .where(
            Entitlement.user_id == user_id,
            Entitlement.source_kind == "purchase",
            Entitlement.revoked_at.is_(None),
            or_(Entitlement.ends_at.is_(None), Entitlement.ends_at > now),
        )
        .group_by(Plan.id, Plan.name)
        .order_by(func.max(StripePurchase.bought_at).desc())
    )
    return [Owned(name, None if is_endless else ends_at) for name, ends_at, is_endless in rows]


async def has_pending(db: AsyncSession, user_id: UUID, plan_id: UUID) -> bool:
    """Whether the member has bought this plan once, and the bank has neither paid nor refused."""
    found = await db.scalar(
        select(StripePurchase.id)
        .join(StripeCustomer, StripeCustomer.id == StripePurchase.customer_id)
        .join(PlanPrice, PlanPrice.stripe_price_id == StripePurchase.price_id)
        .where(
            StripeCustomer.user_id == user_id,
            PlanPrice.plan_id == plan_id,
            StripePurchase.is_pending,
            StripePurchase.gift_id.is_(None),
        )
        .limit(1)
    )
    return found is not None


async def charges_of(db: AsyncSession, customer_id: str) -> list[ChargeFacts]:
    """Every charge of a customer, as the mirror has it, the newest first."""
    return (await charges_of_many(db, [customer_id]))[customer_id]


async def charges_of_many(db: AsyncSession, customer_ids: Collection[str]) -> dict[str, list[ChargeFacts]]:
    """The same of several customers, in one query."""
    found: dict[str, list[ChargeFacts]] = {one: [] for one in customer_ids}
    for row in await db.scalars(
        select(StripeCharge)
        .where(StripeCharge.customer_id.in_(customer_ids))
        .order_by(StripeCharge.paid_at.desc())
    ):
        found[row.customer_id].append(
            ChargeFacts(
                row.id,
                row.payment_intent_id,
                row.amount_cents,
                row.refunded_cents,
                row.currency,
                row.paid_at,
                row.dispute_status,
                row.subscription_id,
                row.period_end_at,
                row.description,
                row.receipt_url,
                row.dispute_due_at,
                row.refunded_at,
            )
        )
    return found


async def mirror_of_user(db: AsyncSession, user_id: UUID) -> list[SubscriptionFacts]:
    customer = await customer_of(db, user_id)
    return [] if customer is None else await mirror_of(db, customer.id)


async def currency_of(db: AsyncSession, user_id: UUID) -> str | None:
    """The currency of what a member pays again and again; Stripe takes no second one beside it.

    Source: https://docs.stripe.com/billing/customer#currency
    """
    for facts in await mirror_of_user(db, user_id):
        if not facts.is_over and facts.currency:
            return facts.currency
    return None


async def covered_by(db: AsyncSession, user_id: UUID, scope: Scope) -> SubscriptionFacts | None:
    """The subscription with which the member already pays for all of this, if there is one."""
    return covering(await mirror_of_user(db, user_id), await offers.catalogue(db), scope)


async def membership_of(db: AsyncSession, user_id: UUID, now: datetime) -> Membership | None:
    """What the member pays, or None where no subscription runs."""
    customer = await customer_of(db, user_id)
    if customer is None:
        return None
    prices = await _prices(db)
    for facts in await mirror_of(db, customer.id):
        known = next((prices[price] for price in facts.price_ids if price in prices), None)
        if known is None or facts.is_over or facts.status == "incomplete":
            continue
        shown = _membership(*known, facts, now)
        if shown.state in _PAID and (spoiled := _spoiled(facts, await charges_of(db, customer.id))):
            return replace(shown, state=spoiled, may_pause=False)
        return shown
    return None


async def stopped_by(db: AsyncSession, user_id: UUID) -> str:
    """Why a member may not watch any more: trial (it ended), waiting (so did it, and a card lets it go on), resting (a
    pause), unpaid, disputed (a bank asks a payment back), returned (the money of this period went back, and the
    membership goes on); empty for anything else."""
    customer = await customer_of(db, user_id)
    if customer is None:
        return ""
    charges = await charges_of(db, customer.id)
    if any(one.dispute_status in DISPUTE_OPEN for one in charges):
        return "disputed"
    facts = next(iter(await mirror_of(db, customer.id)), None)
    if facts is None:
        return ""
    if facts.status == "canceled":
        ended, trial = facts.ended_at, facts.trial_end_at
        return "trial" if ended and trial and timedelta(0) <= ended - trial < timedelta(hours=1) else ""
    if facts.status == "active" and facts.pause_behavior == "void":
        return "resting"
    known = {"paused": "waiting", "unpaid": "unpaid", "past_due": "unpaid"}.get(facts.status, "")
    return known or (_spoiled(facts, charges) if facts.status in ("active", "trialing") else "")


def _spoiled(facts: SubscriptionFacts, charges: list[ChargeFacts]) -> str:
    """disputed or returned, where the money for the period that runs is not ours; else empty. Pure."""
    try:
        what = spoiled_by(facts, charges)
    except LookupError:
        # A state that nobody here knows yet keeps what was, and staff are told of it by the sync.
        return ""
    return "" if what is None else "disputed" if what is Standing.DISPUTED else "returned"


async def _prices(db: AsyncSession) -> Mapping[str, tuple[Plan, PlanPrice]]:
    rows = await db.execute(select(Plan, PlanPrice).join(PlanPrice, PlanPrice.plan_id == Plan.id))
    return {price.stripe_price_id: (plan, price) for plan, price in rows}


def _membership(plan: Plan, price: PlanPrice, facts: SubscriptionFacts, now: datetime) -> Membership:
    stops = facts.stops_at
    state, next_at, ends_at = "active", facts.current_period_end_at, stops
    if facts.status in ("unpaid", "paused"):
        state, next_at, ends_at = "waiting" if facts.status == "paused" else "stopped", None, None
    elif facts.pause_behavior == "void" and stops is None:
        state, next_at, ends_at = "resting", facts.resumes_at, facts.paid_through_at
    elif facts.status == "past_due":
        since = facts.past_due_since_at or now
        state, next_at, ends_at = "past_due", None, since + policy().past_due_grace
    elif stops is not None:
        state, next_at = "ending", None
    elif facts.status == "trialing":
        state, next_at = "trial", facts.trial_end_at
    may_pause = state == "active" and plan.pause_months > 0 and facts.pause_behavior is None
    return Membership(
        plan.name,
        price.amount_cents,
        price.currency,
        plan.interval,
        state,
        next_at,
        ends_at,
        may_pause,
        facts.wants_card,
        facts.is_plain,
    )
