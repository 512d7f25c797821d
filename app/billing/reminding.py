"""Looks for notices that time has made due, asks Stripe whether they are true still, and has them written."""

import logging
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access.entitlements import lock_user
from app.billing import notices, noticing, queries, receipts, stripe_api, sync
from app.billing.mirror import read_subscription
from app.billing.models import StripeCustomer, StripeSubscription
from app.billing.notice_models import BillingNotice, StripeCard
from app.errors import Unavailable
from app.jobs import engine
from app.settings import get_settings

AT_ONCE = 200

log = logging.getLogger("limber.billing")


async def remind(now: datetime) -> list[str]:
    """Write every notice that is due at that moment; answers their causes.

    Each customer is asked about at Stripe first: who has paid a minute ago is not reminded. Whom Stripe cannot tell
    about now is left to the next run.
    """
    written: list[str] = []
    async with db.transaction() as session:
        found = await candidates(session, now)
    for customer_id in found:
        try:
            await sync.sync(customer_id)
            for subscription_id, charge_at in await cards_to_look_at(customer_id, now):
                await look_at_card(subscription_id, charge_at, now)
            written += await remind_one(customer_id, now)
        except Unavailable as fault:
            log.warning("notices for %s wait: %s", customer_id, fault.sentence)
        except Exception:
            # One odd customer must not keep everybody else's mails back, at each run anew.
            log.exception("notices for %s failed", customer_id)
    return [*written, *await write_receipts(now)]


async def write_receipts(now: datetime) -> list[str]:
    """A mail for each payment that has none; answers their causes."""
    async with db.transaction() as session:
        found = await receipts.waiting(session, now)
    written = []
    for charge in found:
        try:
            if await receipts.write(charge, now):
                written.append(f"{receipts.KIND}:{charge.id}")
        except Unavailable as fault:
            log.warning("the receipt of %s waits: %s", charge.id, fault.sentence)
    return written


async def candidates(session: AsyncSession, now: datetime) -> list[str]:
    """Customers of whom the mirror says that something is due, or that their card should be looked at."""
    ends = StripeSubscription.current_period_end_at
    interval = StripeSubscription.raw["items"]["data"][0]["price"]["recurring"]["interval"].astext
    rows = (
        await session.execute(
            select(StripeSubscription, StripeCard.looked_for)
            .outerjoin(StripeCard, StripeCard.subscription_id == StripeSubscription.id)
            .join(StripeCustomer, StripeCustomer.id == StripeSubscription.customer_id)
            .where(
                StripeCustomer.user_id.is_not(None),
                or_(
                    StripeSubscription.status == "past_due",
                    StripeSubscription.raw["pause_collection"].astext.is_not(None),
                    and_(
                        StripeSubscription.status.in_(("active", "trialing")),
                        ends > now,
                        or_(
                            and_(ends <= now + notices.TRIAL_AHEAD, StripeSubscription.status == "trialing"),
                            and_(ends <= now + notices.RENEWAL_AHEAD, interval == "year"),
                            and_(
                                ends <= now + notices.CARD_AHEAD,
                                StripeCard.looked_for.is_distinct_from(ends),
                            ),
                        ),
                    ),
                ),
            )
            .order_by(ends)
        )
    ).all()
    facts = {row[0].id: read_subscription(row[0].raw, row[0].past_due_since_at) for row in rows}
    due = await noticing.due(session, list(facts.values()), now)
    written = set(
        await session.scalars(
            select(BillingNotice.cause).where(BillingNotice.cause.in_([one.cause for one in due]))
        )
    )
    wanted = {one.facts.id for one in due if one.cause not in written}
    wanted |= {row[0].id for row in rows if notices.wants_card_look(facts[row[0].id], row[1], now)}
    return list(dict.fromkeys(row[0].customer_id for row in rows if row[0].id in wanted))[:AT_ONCE]


async def look_at_card(subscription_id: str, charge_at: datetime, now: datetime) -> None:
    """Note which card will pay the next charge, asked of Stripe with no transaction open.

    Raises:
        StripeDown: when it does not answer.
    """
    card = await stripe_api.paying_card(subscription_id)
    async with db.transaction() as session:
        row = await session.get(StripeCard, subscription_id)
        if row is None:
            if await session.get(StripeSubscription, subscription_id) is None:
                return
            row = StripeCard(subscription_id=subscription_id, looked_for=charge_at)
            session.add(row)
        row.looked_for, row.looked_at = charge_at, now
        row.method_id = card.method_id if card else None
        row.brand, row.last4 = (card.brand, card.last4) if card else ("", "")
        row.exp_year, row.exp_month = (card.exp_year, card.exp_month) if card else (None, None)


async def remind_one(customer_id: str, now: datetime) -> list[str]:
    """What is due to one customer, from the mirror as it is at this moment; answers the causes written."""
    async with db.transaction() as session:
        customer = await session.get(StripeCustomer, customer_id)
        if customer is None or customer.user_id is None or customer.deleted_at is not None:
            return []
        await lock_user(session, customer.user_id)
        return await noticing.follow(session, customer, await queries.mirror_of(session, customer_id), now)


async def cards_to_look_at(customer_id: str, now: datetime) -> list[tuple[str, datetime]]:
    """Subscriptions of a customer whose card was not looked at for the charge that comes, and when that is."""
    async with db.transaction() as session:
        found = []
        for facts in await queries.mirror_of(session, customer_id):
            row = await session.get(StripeCard, facts.id)
            charge_at = notices.next_charge_at(facts)
            if charge_at and notices.wants_card_look(facts, row.looked_for if row else None, now):
                found.append((facts.id, charge_at))
        return found


@engine.step(tries=2, first_wait_s=30.0)
async def _remind_step() -> None:
    if get_settings().buying_enabled:
        await remind(await stripe_api.moment())


@engine.scheduled("billing_notices", "*/5 * * * *")
async def billing_notices(at: datetime, context: object) -> None:  # noqa: ARG001 (the engine passes it)
    """Every five minutes: what members should know about their money, they are told."""
    await _remind_step()
