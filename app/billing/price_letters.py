"""Mails about a plan's price that changes for those who pay already: what, when, and that it was called off.

Where discounts, tax or a quantity make a bill differ from the price, Stripe is asked what the first one will be, by
durable work; it says so, or the mail names no figure but the prices.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import db as database
from app import jobs
from app.accounts.models import User
from app.billing import notices, stripe_api
from app.billing.mirror import SubscriptionFacts, read_subscription
from app.billing.models import StripeCustomer, StripeSubscription
from app.billing.plan_models import Plan, PlanPrice, PriceMove, PriceMoveMember
from app.jobs import engine
from app.settings import get_settings
from app.templating import money

log = logging.getLogger("limber.billing")


async def tell(
    db: AsyncSession,
    move: PriceMove,
    plan: Plan,
    user_id: UUID,
    facts: SubscriptionFacts,
    amounts: tuple[int, int, str],
    first_at: datetime,
) -> None:
    """Write to a member now, or once Stripe has said what their bill will be."""
    if facts.is_plain:
        await moves(db, move, plan, user_id, facts.id, amounts, first_at)
        return
    work = {"move_id": str(move.id), "subscription_id": facts.id}
    await jobs.enqueue(db, "billing_price_letter", work, workflow_id=f"price-letter:{move.id}:{facts.id}")


async def moves(
    db: AsyncSession,
    move: PriceMove,
    plan: Plan,
    user_id: UUID,
    subscription_id: str,
    amounts: tuple[int, int, str],
    first_at: datetime,
    *,
    is_plain: bool = True,
    charged: str = "",
) -> None:
    """What it will cost, from which payment on. `amounts`: before and after, in the currency's minor unit.

    `is_plain` False: the bills differ from the price; `charged`: what the first one asks for, where that is known.
    """
    before_cents, after_cents, currency = amounts
    context = {
        "before": money(before_cents, currency),
        "after": money(after_cents, currency),
        "is_less": after_cents < before_cents,
        "first_at": first_at.isoformat(),
        "words": move.words,
        "is_plain": is_plain,
        "charged": charged,
    }
    await _send(db, "price_moves", move, plan, user_id, subscription_id, context)


async def stays(
    db: AsyncSession,
    move: PriceMove,
    plan: Plan,
    user_id: UUID,
    subscription_id: str,
    amount_cents: int,
    currency: str,
) -> None:
    """It was called off: the old price stays."""
    context = {"before": money(amount_cents, currency)}
    await _send(db, "price_stays", move, plan, user_id, subscription_id, context)


async def _send(
    db: AsyncSession,
    template: str,
    move: PriceMove,
    plan: Plan,
    user_id: UUID,
    subscription_id: str,
    context: Mapping[str, object],
) -> None:
    user = await db.get_one(User, user_id)
    shared = {
        "name": user.name,
        "plan": plan.name,
        "interval": plan.interval,
        "account_url": f"{get_settings().base_url}/account",
    }
    await jobs.enqueue(
        db,
        "send_mail",
        {"template": template, "to": user.email, "context": {**shared, **context}},
        workflow_id=f"mail:{template}:{move.id}:{subscription_id}",
    )


async def first_charge(move_id: UUID, subscription_id: str) -> str:
    """What the first bill of the new price asks for, in words; empty where a later one than the next is the first.

    Raises:
        StripeDown: when Stripe does not answer.
    """
    async with database.transaction() as session:
        member = await session.get_one(PriceMoveMember, (move_id, subscription_id))
        row = await session.get_one(StripeSubscription, subscription_id)
    if notices.next_charge_at(read_subscription(row.raw)) != member.first_at:
        return ""
    item = str(row.raw["items"]["data"][0]["id"]), member.to_price_id
    try:
        told = await stripe_api.coming(row.customer_id, subscription_id, item)
    except stripe_api.StripeRefused as refusal:
        log.warning("the first bill of %s is not told: %s", subscription_id, refusal.sentence)
        return ""
    return money(told.amount_cents, told.currency)


async def write(move_id: UUID, subscription_id: str, charged: str) -> None:
    """The mail to somebody whose bills differ from the price, unless the move was called off meanwhile."""
    async with database.transaction() as session:
        member = await session.get_one(PriceMoveMember, (move_id, subscription_id), with_for_update=True)
        row = await session.get_one(StripeSubscription, subscription_id)
        user_id = (await session.get_one(StripeCustomer, row.customer_id)).user_id
        if member.state != "told" or user_id is None:
            return
        move = await session.get_one(PriceMove, move_id)
        before = await session.get_one(PlanPrice, member.from_price_id)
        after = await session.get_one(PlanPrice, member.to_price_id)
        await moves(
            session,
            move,
            await session.get_one(Plan, move.plan_id),
            user_id,
            subscription_id,
            (before.amount_cents, after.amount_cents, after.currency),
            member.first_at,
            is_plain=False,
            charged=charged,
        )


@engine.step(tries=6, first_wait_s=2.0)
async def _first_charge_step(move_id: str, subscription_id: str) -> str:
    return await first_charge(UUID(move_id), subscription_id)


@engine.step(tries=5)
async def _write_step(move_id: str, subscription_id: str, charged: str) -> None:
    await write(UUID(move_id), subscription_id, charged)


@engine.workflow("billing_price_letter")
async def billing_price_letter(move_id: str, subscription_id: str) -> None:
    """Ask Stripe, and write; the mail does not wait for a Stripe that is away for long."""
    try:
        charged = await _first_charge_step(move_id, subscription_id)
    except Exception:
        log.exception("the first bill of %s is not told", subscription_id)
        charged = ""
    await _write_step(move_id, subscription_id, charged)
