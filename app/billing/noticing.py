"""Notices about money: written once when they are due, withdrawn when they are not true any more."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.accounts.models import User
from app.billing import notice_letters, notices, offers, queries
from app.billing.letters import context_of
from app.billing.mirror import SubscriptionFacts, read_subscription
from app.billing.models import StripeCustomer, StripeSubscription
from app.billing.notice_models import BillingNotice, StripeCard
from app.billing.notices import CardFacts, Notice
from app.billing.plan_models import PriceMoveMember
from app.billing.stripe_api import Coming
from app.templating import money

LINKED = frozenset({*notices.DUNNING, notices.RESTS, notices.CARD})
TEMPLATES = {notices.RENEWAL_SOON: notices.RENEWAL}


async def follow(
    session: AsyncSession,
    customer: StripeCustomer,
    mirror: Sequence[SubscriptionFacts],
    now: datetime,
    amounts: Mapping[str, Coming] | None = None,
) -> list[str]:
    """Withdraw what is not true any more, and write what is due and was not written; answers the causes written.

    In the transaction that learned the facts, with the member locked. `amounts`: what the next bill of a subscription
    asks for, where Stripe has said it; None: it was not asked, and what names a figure waits for whoever does.
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
    if amounts is None:
        await _ask_first(session, customer, fresh)
        fresh = [one for one in fresh if one.kind not in notices.PRICED]
    told = amounts or {}
    return [
        one.cause for one in fresh if await _write(session, customer, user, one, now, told.get(one.facts.id))
    ]


async def _ask_first(session: AsyncSession, customer: StripeCustomer, fresh: Sequence[Notice]) -> None:
    """What names a figure is written by work of its own, which asks Stripe for it (`reminding.tell`)."""
    for one in fresh:
        if one.kind in notices.PRICED:
            work = {"customer_id": customer.id}
            await jobs.enqueue(session, "billing_tell", work, workflow_id=f"tell:{one.cause}")


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
    session: AsyncSession,
    customer: StripeCustomer,
    user: User,
    notice: Notice,
    now: datetime,
    coming: Coming | None,
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
    if notice.kind in notices.PRICED:
        context["price"] = money(coming.amount_cents, coming.currency) if coming else ""
    context["needs_card"] = notice.kind == notices.TRIAL and await _needs_card(session, facts)
    if notice.kind in LINKED or context["needs_card"]:
        context["url"] = notice_letters.card_url(user.id, customer.id, notice.cause)
    template = TEMPLATES.get(notice.kind, notice.kind)
    await notice_letters.enqueue(session, template, user.email, context, notice.cause)
    return True


async def _needs_card(session: AsyncSession, facts: SubscriptionFacts) -> bool:
    """Whether a trial ends without anything that could be charged, as far as was looked."""
    if facts.after_trial not in ("cancel", "pause"):
        return False
    looked = await session.get(StripeCard, facts.id)
    return not facts.has_method if looked is None else looked.method_id is None


async def coming_item(session: AsyncSession, subscription_id: str, now: datetime) -> tuple[str, str] | None:
    """(item, Price) of the next payment, if the member was told of another price for it; None: as it is."""
    row = await session.get(StripeSubscription, subscription_id)
    charge_at = notices.next_charge_at(read_subscription(row.raw)) if row is not None else None
    if row is None or charge_at is None or charge_at < now:
        return None
    price_id = await session.scalar(
        select(PriceMoveMember.to_price_id).where(
            PriceMoveMember.subscription_id == subscription_id,
            PriceMoveMember.state == "told",
            PriceMoveMember.first_at <= charge_at,
        )
    )
    return (str(row.raw["items"]["data"][0]["id"]), price_id) if price_id is not None else None


def _is_over(facts: SubscriptionFacts, now: datetime) -> bool:
    since = facts.past_due_since_at
    return since is not None and since + queries.policy().past_due_grace <= now
