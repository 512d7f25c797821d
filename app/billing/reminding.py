"""Looks for notices that time has made due, asks Stripe whether they are true still, and has them written."""

import logging
from collections.abc import Mapping
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
            written += await tell(customer_id, now)
        except Unavailable as fault:
            log.warning("notices for %s wait: %s", customer_id, fault.sentence)
        except Exception:
            # One odd customer must not keep everybody else's mails back, at each run anew.
            log.exception("notices for %s failed", customer_id)
    return [*written, *await write_receipts(now)]


async def tell(customer_id: str, now: datetime) -> list[str]:
    """Write what is due to one customer, after asking Stripe what it takes; answers the causes written.

    Raises:
        StripeDown: when Stripe does not answer.
    """
    for subscription_id, charge_at in await cards_to_look_at(customer_id, now):
        await look_at_card(subscription_id, charge_at, now)
    return await remind_one(customer_id, now, await amounts_to_tell(customer_id, now))


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
    found = await stripe_api.what_pays(subscription_id)
    card = found.card
    async with db.transaction() as session:
        row = await session.get(StripeCard, subscription_id)
        if row is None:
            if await session.get(StripeSubscription, subscription_id) is None:
                return
            row = StripeCard(subscription_id=subscription_id, looked_for=charge_at)
            session.add(row)
        row.looked_for, row.looked_at = charge_at, now
        row.method_id = found.method_id
        row.brand, row.last4 = (card.brand, card.last4) if card else ("", "")
        row.exp_year, row.exp_month = (card.exp_year, card.exp_month) if card else (None, None)


async def amounts_to_tell(customer_id: str, now: datetime) -> dict[str, stripe_api.Coming]:
    """What the next bill of each subscription asks for of which a mail is due that says so.

    Stripe is asked, with no transaction open: a price knows nothing of discounts, tax and credit. Where it cannot say,
    the mail names no figure.
    """
    async with db.transaction() as session:
        mirror = await queries.mirror_of(session, customer_id)
        wanted = {
            one.facts.id for one in await noticing.due(session, mirror, now) if one.kind in notices.PRICED
        }
        items = {one: await noticing.coming_item(session, one, now) for one in wanted}
    told = {}
    for subscription_id, item in items.items():
        try:
            told[subscription_id] = await stripe_api.coming(customer_id, subscription_id, item)
        except Unavailable as fault:
            log.warning("the next bill of %s is not told: %s", subscription_id, fault.sentence)
    return told


async def remind_one(customer_id: str, now: datetime, amounts: Mapping[str, stripe_api.Coming]) -> list[str]:
    """What is due to one customer, from the mirror as it is at this moment; answers the causes written."""
    async with db.transaction() as session:
        customer = await session.get(StripeCustomer, customer_id)
        if customer is None or customer.user_id is None or customer.deleted_at is not None:
            return []
        await lock_user(session, customer.user_id)
        mirror = await queries.mirror_of(session, customer_id)
        return await noticing.follow(session, customer, mirror, now, amounts)


async def cards_to_look_at(customer_id: str, now: datetime) -> list[tuple[str, datetime]]:
    """Subscriptions of a customer whose card was not looked at for the charge that comes, and when that is."""
    async with db.transaction() as session:
        found = []
        for facts in await queries.mirror_of(session, customer_id):
            row = await session.get(StripeCard, facts.id)
            charge_at = notices.next_charge_at(facts)
            # A trial's mail says whether a card is needed: one that was given since the first look counts.
            is_asked = facts.wants_card and charge_at and charge_at - notices.TRIAL_AHEAD <= now
            looked_for = row.looked_for if row and not is_asked else None
            if charge_at and notices.wants_card_look(facts, looked_for, now):
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


@engine.step(tries=4, first_wait_s=2.0)
async def _tell_step(customer_id: str) -> None:
    await tell(customer_id, await stripe_api.moment())


@engine.workflow("billing_tell")
async def billing_tell(customer_id: str) -> None:
    """Work of a sync that found something due; what it leaves, the next run of `billing_notices` does."""
    await _tell_step(customer_id)
