"""Is money coming in as it should? What staff are shown, and the hourly look at Stripe's side of it."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.accounts.models import User
from app.billing import inbox, stripe_api
from app.billing.models import StripeAccount, StripeCharge, StripeCustomer, StripeEvent, StripeSync
from app.billing.rules import DISPUTE_OPEN
from app.clock import utcnow
from app.errors import NotFound, Unavailable
from app.jobs import engine
from app.settings import get_settings

UNDELIVERED_SINCE = timedelta(days=3)
BEHIND = timedelta(minutes=10)
INCOME_OF = timedelta(days=30)
SHOWN = 50

log = logging.getLogger("limber.billing")


@dataclass(frozen=True)
class Payment:
    """A charge with its member. Amounts in the currency's minor unit."""

    charge_id: str
    user_id: UUID
    name: str
    amount_cents: int
    refunded_cents: int
    currency: str
    paid_at: datetime
    dispute_status: str | None
    description: str
    dispute_due_at: datetime | None = None


@dataclass(frozen=True)
class DeadLetter:
    """An event that was set aside, or a customer who cannot be brought in line: `says` why."""

    id: str
    kind: str
    at: datetime
    says: str


@dataclass(frozen=True)
class Income:
    """What was paid in one currency in the last thirty days, and how much of it went back, in its minor unit."""

    currency: str
    payments: int
    taken_cents: int
    returned_cents: int


@dataclass(frozen=True)
class Overview:
    """`last_event_at`: when Stripe was heard of last; `account` None: it was never looked at."""

    account: StripeAccount | None
    last_event_at: datetime | None
    disputes: list[Payment]
    dead: list[DeadLetter]
    payments: list[Payment]
    income: list[Income]


async def overview(session: AsyncSession, now: datetime) -> Overview:
    """Everything about money that staff should see at a glance."""
    return Overview(
        account=await session.scalar(select(StripeAccount).limit(1)),
        last_event_at=await session.scalar(select(func.max(StripeEvent.received_at))),
        disputes=await payments(session, StripeCharge.dispute_status.in_(DISPUTE_OPEN)),
        dead=await dead_letters(session, now),
        payments=await payments(session),
        income=await income(session, now),
    )


async def income(session: AsyncSession, now: datetime) -> list[Income]:
    """Of the last thirty days, a line for each currency, the one with the most payments first."""
    often = func.count(StripeCharge.id)
    rows = await session.execute(
        select(
            StripeCharge.currency,
            often,
            func.sum(StripeCharge.amount_cents),
            func.sum(StripeCharge.refunded_cents),
        )
        .where(StripeCharge.paid_at > now - INCOME_OF)
        .group_by(StripeCharge.currency)
        .order_by(often.desc(), StripeCharge.currency)
    )
    return [Income(currency, count, int(taken), int(back)) for currency, count, taken, back in rows]


async def needing_staff(session: AsyncSession, now: datetime) -> tuple[int, int]:
    """How many payments a bank asks back, and how much else about money needs a person (as far as it is listed)."""
    disputed = await session.scalar(
        select(func.count(StripeCharge.id))
        .join(StripeCustomer, StripeCustomer.id == StripeCharge.customer_id)
        .where(StripeCharge.dispute_status.in_(DISPUTE_OPEN), StripeCustomer.user_id.is_not(None))
    )
    return disputed or 0, len(await dead_letters(session, now))


async def payments(session: AsyncSession, *conditions: Any) -> list[Payment]:
    """The latest charges of members, the newest first."""
    rows = await session.execute(
        select(StripeCharge, User.id, User.name)
        .join(StripeCustomer, StripeCustomer.id == StripeCharge.customer_id)
        .join(User, User.id == StripeCustomer.user_id)
        .where(*conditions)
        .order_by(StripeCharge.paid_at.desc(), StripeCharge.id)
        .limit(SHOWN)
    )
    return [
        Payment(
            row[0].id,
            row[1],
            row[2],
            row[0].amount_cents,
            row[0].refunded_cents,
            row[0].currency,
            row[0].paid_at,
            row[0].dispute_status,
            row[0].description,
            row[0].dispute_due_at,
        )
        for row in rows
    ]


async def payments_of(session: AsyncSession, user_id: UUID) -> list[Payment]:
    """A member's charges, the newest first."""
    return await payments(session, StripeCustomer.user_id == user_id)


async def dead_letters(session: AsyncSession, now: datetime) -> list[DeadLetter]:
    """What needs a person: events that were set aside, customers that are behind or odd."""
    events = await session.scalars(
        select(StripeEvent)
        .where(StripeEvent.state == "quarantined")
        .order_by(StripeEvent.received_at.desc())
        .limit(SHOWN)
    )
    found = [
        DeadLetter(one.event_id, "event", one.received_at, f"{one.type}: {one.error or ''}") for one in events
    ]
    customers = await session.scalars(
        select(StripeSync)
        .where(
            StripeSync.error.is_not(None)
            | ((StripeSync.wanted_seq > StripeSync.done_seq) & (StripeSync.changed_at < now - BEHIND))
        )
        .order_by(StripeSync.changed_at.desc())
        .limit(SHOWN)
    )
    found += [
        DeadLetter(one.customer_id, "customer", one.changed_at, one.error or "Stripe was not asked yet")
        for one in customers
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)


async def replay(session: AsyncSession, letter_id: str, now: datetime) -> None:
    """Ask Stripe again about the customer of an event, or about a customer.

    Raises:
        NotFound: when neither is known, or the event is nobody's.
    """
    event = await session.get(StripeEvent, letter_id)
    customer_id = event.customer_id if event is not None else letter_id
    if event is not None and customer_id is None:
        customer_id = stripe_api.customer_of(event.payload.get("data", {}).get("object", {}))
    if customer_id is None or (event is None and await session.get(StripeSync, letter_id) is None):
        raise NotFound
    if event is not None and event.error is not None and event.state == "quarantined":
        event.state, event.error, event.customer_id = "received", None, customer_id
    await inbox.want(session, customer_id, now, again=True)


async def look(now: datetime) -> str | None:
    """Whether Stripe can tell us what happens, and what it could not tell; answers the problem in words.

    What no endpoint has taken is taken here, so that a site that was down for a day has missed nothing.

    Raises:
        StripeDown: when Stripe does not answer.
    """
    url = f"{get_settings().base_url}/webhooks/stripe"
    problem = stripe_api.endpoint_problem(await stripe_api.endpoints(), url)
    missed = 0
    for event in await stripe_api.undelivered(now - UNDELIVERED_SINCE):
        async with db.transaction() as session:
            missed += await inbox.take_missed(session, event, now)
    if missed:
        log.warning("%s events of Stripe's had not arrived and were fetched", missed)
        problem = problem or f"{missed} events had not arrived by themselves in the last days"
    async with db.transaction() as session:
        await session.execute(update(StripeAccount).values(endpoint_problem=problem, endpoint_checked_at=now))
    return problem


@engine.step(tries=2, first_wait_s=30.0)
async def _look_step() -> None:
    if not get_settings().buying_enabled:
        return
    try:
        await look(utcnow())
    except Unavailable as fault:
        # A key may be restricted to less than this; what it is for goes on all the same.
        log.warning("Stripe's endpoints and events could not be looked at: %s", fault.sentence)


@engine.scheduled("billing_watch", "*/10 * * * *")
async def billing_watch(at: datetime, context: object) -> None:  # noqa: ARG001 (the engine passes it)
    """Every ten minutes: is Stripe heard, and what was missed?"""
    await _look_step()
