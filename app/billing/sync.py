"""Sync of one customer: fetch what is true at Stripe now, mirror it, and bring the entitlements in line."""

import asyncio
import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access import entitlements
from app.billing import mirroring, stripe_api
from app.billing.fetching import Fence, Fetched, fetch
from app.billing.inbox import want
from app.billing.models import StripeCustomer, StripeEvent, StripeSync
from app.clock import utcnow
from app.errors import Unavailable
from app.jobs import engine
from app.settings import get_settings

INLINE_S = 3.0

log = logging.getLogger("limber.billing")


async def sync(customer_id: str, *, queued: bool = False) -> bool:
    """Sync a customer; as `queued` work, only while it is behind. False: nothing was written.

    No transaction is open while Stripe is asked.

    Raises:
        StripeDown: when Stripe does not answer; nothing changed.
    """
    fence = await draw_fence(customer_id, queued=queued)
    if fence is None:
        return False
    return await apply(await fetch(fence))


async def sync_now(customer_id: str, limit_s: float = INLINE_S) -> bool:
    """The same, inside a request that must not wait longer than `limit_s` seconds; True when it is done."""
    try:
        async with asyncio.timeout(limit_s):
            await sync(customer_id)
    except (TimeoutError, Unavailable) as fault:
        log.warning("sync of %s inside a request: %s", customer_id, type(fault).__name__)
        return False
    return True


async def draw_fence(customer_id: str, *, queued: bool = False) -> Fence | None:
    """Draw the number of the next fetch; None when this is `queued` work and all that was wanted is done.

    Queued work leaves the queue here, in the transaction that reads `wanted_seq`: a delivery that comes later finds
    none standing there and enqueues the next.
    """
    async with db.transaction() as session:
        await session.execute(
            insert(StripeSync)
            .values(customer_id=customer_id, wanted_seq=0, done_seq=0, queued_seq=0, fence=0, applied_fence=0)
            .on_conflict_do_nothing()
        )
        row = await session.get_one(StripeSync, customer_id, with_for_update=True)
        if queued:
            row.queued_seq = 0
            if row.done_seq >= row.wanted_seq:
                return None
        row.fence += 1
        events = await session.scalars(
            select(StripeEvent.event_id).where(
                StripeEvent.customer_id == customer_id, StripeEvent.state == "received"
            )
        )
        return Fence(customer_id, row.fence, row.wanted_seq, tuple(events))


async def apply(fetched: Fetched) -> bool:
    """Write what a fetch found, in one transaction; False when a later fetch has written already."""
    now, told_at = utcnow(), await stripe_api.moment()
    fence = fetched.fence
    async with db.transaction() as session:
        customer = await _customer(session, fetched, now)
        if customer is not None and customer.user_id is not None:
            await entitlements.lock_user(session, customer.user_id)
        row = await session.get_one(
            StripeSync, fence.customer_id, with_for_update=True, populate_existing=True
        )
        if row.applied_fence > fence.number:
            return False
        row.applied_fence = fence.number
        row.done_seq = max(row.done_seq, fence.seq)
        row.error = None
        if customer is None or not fetched.is_known:
            row.error = (
                "Stripe's account of our key has no such customer: is the key another account's?"
                if customer is not None
                else "no member has this customer"
            )
            await _finish(session, fence, "quarantined", row.error)
            return True
        doubts = await mirroring.write(session, customer, fetched, now, told_at)
        row.error = "; ".join(doubts) or None
        if doubts:
            log.error("customer %s: %s", customer.id, row.error)
        await _finish(session, fence, "applied", row.error)
    return True


async def _customer(session: AsyncSession, fetched: Fetched, now: datetime) -> StripeCustomer | None:
    """Our row of the customer; one that was created at Stripe, but whose row was lost to a crash, is adopted."""
    known = await session.get(StripeCustomer, fetched.fence.customer_id)
    if known is not None or fetched.owner_id is None:
        return known
    try:
        user_id = UUID(fetched.owner_id)
    except ValueError:
        return None
    if await entitlements.lock_user(session, user_id) is None:
        return None
    await session.execute(
        insert(StripeCustomer)
        .values(
            id=fetched.fence.customer_id,
            user_id=user_id,
            livemode=stripe_api.is_live_key(get_settings().stripe_secret_key),
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    # None when the member has another customer: two for one person is for a human to look at.
    return await session.get(StripeCustomer, fetched.fence.customer_id)


async def _finish(session: AsyncSession, fence: Fence, state: str, error: str | None) -> None:
    await session.execute(
        update(StripeEvent)
        .where(StripeEvent.event_id.in_(fence.events), StripeEvent.state == "received")
        .values(state=state, error=error)
    )


async def find_payer(event_id: str) -> str | None:
    """Whose an event about a refund, a dispute or a warning is, asked of Stripe; that customer is synced next.

    Raises:
        StripeDown: when it does not answer.
    """
    async with db.transaction() as session:
        event = await session.get(StripeEvent, event_id)
    if event is None or event.customer_id is not None:
        return None
    thing = event.payload["data"]["object"]
    try:
        customer_id = await stripe_api.find_charge_customer(*stripe_api.money_of(thing))
    except stripe_api.StripeRefused as refusal:
        if not refusal.is_missing:
            raise
        customer_id = None
    async with db.transaction() as session:
        if customer_id is not None:
            await want(session, customer_id, utcnow())
        await session.execute(
            update(StripeEvent)
            .where(StripeEvent.event_id == event_id)
            .values(customer_id=customer_id, state="received" if customer_id else "ignored")
        )
    return customer_id


@engine.step(tries=8, first_wait_s=1.0)
async def _find_payer_step(event_id: str) -> None:
    await find_payer(event_id)


@engine.workflow("billing_find_payer")
async def billing_find_payer(event_id: str) -> None:
    """Work of an event that does not name its customer."""
    await _find_payer_step(event_id)


@engine.step(tries=8, first_wait_s=1.0)
async def _sync_step(customer_id: str) -> None:
    await sync(customer_id, queued=True)


@engine.workflow("billing_sync")
async def billing_sync(customer_id: str, seq: int) -> None:  # noqa: ARG001 (says in the queue what it is for)
    """Work of all deliveries until it begins; ends at once when a fetch has covered them. Retried for about two
    minutes, and then, as long as it is behind, again by `billing_catch_up`."""
    await _sync_step(customer_id)
