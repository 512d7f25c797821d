"""Write what a fetch found: the mirror, the entitlements that follow from it, and the mails about what is new."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import entitlements
from app.access.models import Entitlement
from app.billing import (
    ending,
    gifts,
    noticing,
    offers,
    portal_answers,
    purchase_letters,
    queries,
    receipts,
    refund_letters,
)
from app.billing.comparing import Facts
from app.billing.fetching import Fetched
from app.billing.letters import write_letters
from app.billing.mirror import ChargeFacts, PurchaseFacts, SubscriptionFacts, read_subscription
from app.billing.models import (
    CheckoutAttempt,
    StripeCharge,
    StripeCustomer,
    StripePurchase,
    StripeSubscription,
)
from app.billing.plan_models import Plan, PlanPrice
from app.billing.rules import entitlements_due, paid_twice, purchases_due
from app.billing.sold import Sold, read_purchase


async def write(
    session: AsyncSession, customer: StripeCustomer, fetched: Fetched, now: datetime, told_at: datetime
) -> tuple[str, ...]:
    """Everything that a fetch found, inside the caller's transaction; answers what a person should look at.

    `told_at`: what time it is for notices, which in the demo is the stand-in's.
    """
    before = Facts(
        tuple(await queries.mirror_of(session, customer.id)),
        tuple(await queries.purchases_of(session, customer.id)),
        tuple(await queries.charges_of(session, customer.id)),
    )
    subscribed = {one.id: one for one in before.subscriptions}
    if fetched.is_deleted:
        customer.deleted_at = customer.deleted_at or now
        await session.execute(delete(StripeSubscription).where(StripeSubscription.customer_id == customer.id))
    mirror = [
        read_subscription(raw, past_due_since(raw, unpaid_at, subscribed, now))
        for raw, unpaid_at in fetched.subscriptions
    ]
    purchases = await read_purchases(session, customer, fetched.purchases)
    await _store(session, customer, fetched, mirror, purchases, now)
    doubts: list[str] = []
    if not fetched.is_deleted:
        # Stripe lists every subscription for ever; one that is gone from a complete list gives nothing.
        gone = set(subscribed) - {facts.id for facts in mirror}
        doubts += [f"subscription {one} has vanished from Stripe's list" for one in sorted(gone)]
        await session.execute(delete(StripeSubscription).where(StripeSubscription.id.in_(gone)))
    if customer.user_id is None:
        await ending.forget_words(session, [customer.id])
        return tuple(doubts)
    catalogue, cause = await offers.catalogue(session), _cause(fetched)
    paid = entitlements_due(mirror, catalogue, queries.policy(), now, fetched.charges)
    bought = purchases_due(purchases, fetched.charges, catalogue, now)
    await entitlements.settle(session, customer.user_id, "subscription", paid.due, cause, now, keep=paid.keep)
    # What was bought once is for good: only a purchase that Stripe shows can end, and only itself.
    elsewhere = await _other_purchases(session, customer, purchases)
    await entitlements.settle(
        session, customer.user_id, "purchase", bought.due, cause, now, keep=bought.keep | elsewhere
    )
    await gifts.follow_money(session, purchases, fetched.charges, cause, now)
    await _tell(session, customer, before, Facts(tuple(mirror), tuple(purchases), fetched.charges), now)
    await noticing.follow(session, customer, mirror, told_at)
    await portal_answers.keep(session, customer.user_id, [raw for raw, _at in fetched.subscriptions], now)
    return (*doubts, *paid.doubts, *bought.doubts, *paid_twice(mirror, catalogue))


async def _tell(
    session: AsyncSession, customer: StripeCustomer, before: Facts, after: Facts, now: datetime
) -> None:
    """The mails about what has changed."""
    assert customer.user_id is not None
    subscribed = {one.id: one for one in before.subscriptions}
    bought = {one.id: one for one in before.purchases}
    ended = await refund_letters.write_letters(session, customer, before, after, now)
    news = receipts.newest(after.charges, after.purchases, now)
    url = (news.receipt_url or "") if news else ""
    written = await write_letters(
        session, customer.user_id, subscribed, after.subscriptions, now, receipt_url=url, ended=ended
    )
    if news is not None and not written.isdisjoint(receipts.TELLING):
        await receipts.told(session, customer.id, news, now)
    await purchase_letters.write_letters(
        session, customer.id, customer.user_id, bought, after.purchases, after.charges, now
    )


def past_due_since(
    raw: dict[str, Any], unpaid_at: datetime | None, before: dict[str, SubscriptionFacts], now: datetime
) -> datetime | None:
    """The oldest unpaid invoice; where Stripe shows none, when we first saw the subscription past due."""
    if raw["status"] != "past_due":
        return None
    known = before.get(raw["id"])
    return unpaid_at or (known.past_due_since_at if known is not None else None) or now


async def read_purchases(
    session: AsyncSession, customer: StripeCustomer, raws: Sequence[dict[str, Any]]
) -> list[PurchaseFacts]:
    """Each finished session, held against our own record of what the member was to buy."""
    sold = await sold_in(session, [raw["id"] for raw in raws])
    return [read_purchase(raw, sold.get((customer.user_id, raw["id"]))) for raw in raws]


async def sold_in(session: AsyncSession, session_ids: Collection[str]) -> dict[tuple[UUID | None, str], Sold]:
    """(member, Checkout session) → what our own record says that it sells to them."""
    if not session_ids:
        return {}
    rows = await session.execute(
        select(
            CheckoutAttempt.user_id,
            CheckoutAttempt.stripe_session_id,
            PlanPrice,
            Plan.lasts_months,
            CheckoutAttempt.gift_id,
        )
        .join(PlanPrice, PlanPrice.stripe_price_id == CheckoutAttempt.stripe_price_id)
        .join(Plan, Plan.id == PlanPrice.plan_id)
        .where(CheckoutAttempt.stripe_session_id.in_(session_ids))
    )
    return {
        (user_id, str(session_id)): Sold(
            price.stripe_price_id, price.amount_cents, price.currency, lasts_months, gift_id
        )
        for user_id, session_id, price, lasts_months, gift_id in rows
    }


async def _other_purchases(
    session: AsyncSession, customer: StripeCustomer, purchases: list[PurchaseFacts]
) -> frozenset[str]:
    """Purchases of the member that this answer of Stripe's says nothing about, such as a former customer's."""
    mine = await session.scalars(
        select(Entitlement.source_id).where(
            Entitlement.user_id == customer.user_id, Entitlement.source_kind == "purchase"
        )
    )
    return frozenset(mine) - {facts.id for facts in purchases}


async def _store(
    session: AsyncSession,
    customer: StripeCustomer,
    fetched: Fetched,
    mirror: list[SubscriptionFacts],
    purchases: list[PurchaseFacts],
    now: datetime,
) -> None:
    same = {"customer_id": customer.id, "fence": fetched.fence.number, "synced_at": now}
    for facts, (raw, _unpaid_at) in zip(mirror, fetched.subscriptions, strict=True):
        await _upsert(session, StripeSubscription, {**_subscription_row(facts), **same, "raw": raw})
    for purchase, raw in zip(purchases, fetched.purchases, strict=True):
        # A session names whoever paid; of a member who has left nothing is kept that does.
        kept = raw if customer.user_id is not None else {}
        await _upsert(session, StripePurchase, {**vars(purchase), **same, "raw": kept})
    for charge in fetched.charges:
        await _upsert(session, StripeCharge, {**_charge_row(charge), **same})


async def _upsert(
    session: AsyncSession,
    model: type[StripeSubscription] | type[StripePurchase] | type[StripeCharge],
    values: dict[str, Any],
) -> None:
    """A row as Stripe told it, unless a later fetch has told it already."""
    rest = {name: value for name, value in values.items() if name != "id"}
    await session.execute(
        insert(model)
        .values(**values)
        .on_conflict_do_update(index_elements=[model.id], set_=rest, where=model.fence < values["fence"])
    )


def _subscription_row(facts: SubscriptionFacts) -> dict[str, Any]:
    return {
        "id": facts.id,
        "status": facts.status,
        "current_period_end_at": facts.current_period_end_at,
        "cancel_at": facts.cancel_at,
        "cancel_at_period_end": facts.cancel_at_period_end,
        "ended_at": facts.ended_at,
        "past_due_since_at": facts.past_due_since_at,
    }


def _charge_row(facts: ChargeFacts) -> dict[str, Any]:
    return dict(vars(facts))


def _cause(fetched: Fetched) -> str:
    """What made us ask: the events, or our own look."""
    events = fetched.fence.events
    return f"Stripe: {', '.join(events[:5])}" if events else "Stripe: our own look"
