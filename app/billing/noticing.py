"""Notices about money: written once when they are due, withdrawn when they are not true any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.billing import notice_letters, notices, offers, queries
from app.billing.letters import context_of
from app.billing.mirror import SubscriptionFacts
from app.billing.models import StripeCustomer
from app.billing.notice_models import BillingNotice, StripeCard
from app.billing.notices import CardFacts, Notice
from app.billing.plan_models import PlanPrice, PriceMoveMember
from app.templating import money

LINKED = frozenset({*notices.DUNNING, notices.RESTS, notices.CARD})
TEMPLATES = {notices.RENEWAL_SOON: notices.RENEWAL}


async def follow(
    session: AsyncSession, customer: StripeCustomer, mirror: Sequence[SubscriptionFacts], now: datetime
) -> list[str]:
    """Withdraw what is not true any more, and write what is due and was not written; answers the causes written.

    In the transaction that learned the facts, with the member locked.
    """
    known = {one.id: one for one in mirror}
    rows = await session.scalars(select(BillingNotice).where(BillingNotice.customer_id == customer.id))
    written = {row.cause: row for row in rows}
    for row in written.values():
        facts = known.get(row.subscription_id or "")
        if (
            row.withdrawn_at is None
            and row.kind in notices.TIMED
            and not notices.still_true(row.kind, row.cause, facts)
        ):
            row.withdrawn_at = now
    await session.flush()
    if customer.user_id is None:
        return []
    user = await session.get_one(User, customer.user_id)
    fresh = [one for one in await due(session, mirror, now) if one.cause not in written]
    return [one.cause for one in fresh if await _write(session, customer, user, one, now)]


async def due(session: AsyncSession, mirror: Sequence[SubscriptionFacts], now: datetime) -> list[Notice]:
    yearly = await offers.yearly_prices(session)
    cards = await cards_of(session, [one.id for one in mirror])
    policy = queries.policy()
    return [
        notice
        for facts in mirror
        for notice in notices.due_notices(
            facts, cards.get(facts.id), policy, now, is_yearly=not yearly.isdisjoint(facts.price_ids)
        )
    ]


async def cards_of(session: AsyncSession, subscription_ids: list[str]) -> dict[str, CardFacts]:
    """The cards that pay these subscriptions, where they are known."""
    rows = await session.scalars(select(StripeCard).where(StripeCard.subscription_id.in_(subscription_ids)))
    return {
        row.subscription_id: CardFacts(row.method_id, row.brand, row.last4, row.exp_year, row.exp_month)
        for row in rows
        if row.method_id is not None and row.exp_year is not None and row.exp_month is not None
    }


async def _write(
    session: AsyncSession, customer: StripeCustomer, user: User, notice: Notice, now: datetime
) -> bool:
    """The mail, and the keys of those that it replaces; False when it concerns no plan of ours, or was written."""
    facts = notice.facts
    context = await context_of(session, user, facts)
    if context is None:
        return False
    if not await notice_letters.claim(session, customer.id, notice.kind, notice.cause, facts.id, now):
        return False
    for earlier in notice.instead_of:
        kind = earlier.partition(":")[0]
        await notice_letters.claim(session, customer.id, kind, earlier, facts.id, now)
    cards = await cards_of(session, [facts.id])
    card = cards.get(facts.id)
    context |= {
        "url": context["account_url"],
        "card": f"{card.brand.title()} ···· {card.last4}" if card else "",
        "is_over": _is_over(facts, now),
    }
    if price := await _coming_price(session, facts):
        context["price"] = price
    if notice.kind in LINKED:
        context["url"] = notice_letters.card_url(user.id, customer.id, notice.cause)
    template = TEMPLATES.get(notice.kind, notice.kind)
    await notice_letters.enqueue(session, template, user.email, context, notice.cause)
    return True


async def _coming_price(session: AsyncSession, facts: SubscriptionFacts) -> str | None:
    """What the next payment costs, if the member was told of another price for it."""
    charge_at = notices.next_charge_at(facts)
    if charge_at is None:
        return None
    found = await session.scalar(
        select(PlanPrice)
        .join(PriceMoveMember, PriceMoveMember.to_price_id == PlanPrice.stripe_price_id)
        .where(
            PriceMoveMember.subscription_id == facts.id,
            PriceMoveMember.state == "told",
            PriceMoveMember.first_at <= charge_at,
        )
    )
    return money(found.amount_cents, found.currency) if found is not None else None


def _is_over(facts: SubscriptionFacts, now: datetime) -> bool:
    since = facts.past_due_since_at
    return since is not None and since + queries.policy().past_due_grace <= now
