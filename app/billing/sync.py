"""Sync of one customer: fetch what is true at Stripe now, mirror it, and bring the entitlements in line."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import db
from app.access import entitlements
from app.access.models import Entitlement
from app.billing import queries, stripe_api
from app.billing.inbox import want
from app.billing.letters import write_letters
from app.billing.mirror import SubscriptionFacts, read_subscription
from app.billing.models import StripeCustomer, StripeEvent, StripeSubscription, StripeSync
from app.billing.rules import entitlements_due
from app.clock import utcnow
from app.errors import Unavailable
from app.jobs import engine
from app.settings import get_settings

INLINE_S = 3.0
LAPSING = timedelta(hours=24)
SYNCED_LATELY = timedelta(hours=6)
STUCK = timedelta(minutes=2)
RECONCILE_AT_ONCE = 500

log = logging.getLogger("limber.billing")


@dataclass(frozen=True)
class Fence:
    """A number drawn before a fetch: `seq` is what the fetch will have covered, `events` the deliveries it answers."""

    customer_id: str
    number: int
    seq: int
    events: tuple[str, ...]


@dataclass(frozen=True)
class Fetched:
    """Everything that Stripe told: subscriptions as it wrote them, each with its oldest unpaid invoice's instant.

    `is_known` False: this account has no such customer at all (another account's key, say), so nothing is concluded.
    """

    fence: Fence
    subscriptions: tuple[tuple[dict[str, Any], datetime | None], ...]
    owner_id: str | None = None
    is_deleted: bool = False
    is_known: bool = True


async def sync(customer_id: str, at_least: int | None = None) -> bool:
    """Sync a customer; with `at_least`, only if that `wanted_seq` is not covered yet. False: nothing was written.

    No transaction is open while Stripe is asked.

    Raises:
        StripeDown: when Stripe does not answer; nothing changed.
    """
    fence = await draw_fence(customer_id, at_least)
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


async def draw_fence(customer_id: str, at_least: int | None = None) -> Fence | None:
    """Draw the number of the next fetch; None when `at_least` is covered already."""
    async with db.transaction() as session:
        await session.execute(
            insert(StripeSync)
            .values(customer_id=customer_id, wanted_seq=0, done_seq=0, fence=0, applied_fence=0)
            .on_conflict_do_nothing()
        )
        row = await session.get_one(StripeSync, customer_id, with_for_update=True)
        if at_least is not None and row.done_seq >= at_least:
            return None
        row.fence += 1
        events = await session.scalars(
            select(StripeEvent.event_id).where(
                StripeEvent.customer_id == customer_id, StripeEvent.state == "received"
            )
        )
        return Fence(customer_id, row.fence, row.wanted_seq, tuple(events))


async def fetch(fence: Fence) -> Fetched:
    """Ask Stripe for everything about the customer.

    Raises:
        StripeDown: when it does not answer.
    """
    owner_id = None
    async with db.transaction() as session:
        is_ours = await session.get(StripeCustomer, fence.customer_id) is not None
    try:
        raws = await stripe_api.list_subscriptions(fence.customer_id)
    except stripe_api.StripeRefused as refusal:
        if not refusal.is_missing:
            raise
        raws = []
    if not raws or not is_ours:
        # An empty list may also mean that our key is another account's: nobody loses anything by that.
        found = await stripe_api.find_customer(fence.customer_id)
        if found is None or found.is_deleted:
            return Fetched(fence, (), is_deleted=found is not None, is_known=found is not None)
        owner_id = found.user_id
    told = []
    for raw in raws:
        unpaid = await stripe_api.first_unpaid_at(raw["id"]) if raw["status"] == "past_due" else None
        told.append((raw, unpaid))
    return Fetched(fence, tuple(told), owner_id=owner_id)


async def apply(fetched: Fetched) -> bool:
    """Write what a fetch found, in one transaction; False when a later fetch has written already."""
    now = utcnow()
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
        doubts = await _write(session, customer, fetched, now)
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


async def _write(
    session: AsyncSession, customer: StripeCustomer, fetched: Fetched, now: datetime
) -> tuple[str, ...]:
    before = {one.id: one for one in await queries.mirror_of(session, customer.id)}
    if fetched.is_deleted:
        customer.deleted_at = customer.deleted_at or now
        await session.execute(delete(StripeSubscription).where(StripeSubscription.customer_id == customer.id))
    mirror: list[SubscriptionFacts] = []
    doubts: list[str] = []
    for raw, unpaid_at in fetched.subscriptions:
        facts = read_subscription(raw, _past_due_since(raw, unpaid_at, before, now))
        mirror.append(facts)
        await _mirror(session, customer.id, facts, raw, fetched.fence.number, now)
    if not fetched.is_deleted:
        # Stripe lists every subscription for ever; one that is gone from a complete list gives nothing.
        gone = set(before) - {facts.id for facts in mirror}
        doubts += [f"subscription {one} has vanished from Stripe's list" for one in sorted(gone)]
        await session.execute(delete(StripeSubscription).where(StripeSubscription.id.in_(gone)))
    if customer.user_id is None:
        return tuple(doubts)
    due = entitlements_due(mirror, await queries.catalogue(session), queries.policy(), now)
    await entitlements.settle(
        session, customer.user_id, "subscription", due.due, _cause(fetched), now, keep=due.keep
    )
    await write_letters(session, customer.user_id, before, mirror, now)
    return (*doubts, *due.doubts)


def _past_due_since(
    raw: dict[str, Any], unpaid_at: datetime | None, before: dict[str, SubscriptionFacts], now: datetime
) -> datetime | None:
    """The oldest unpaid invoice; where Stripe shows none, when we first saw the subscription past due."""
    if raw["status"] != "past_due":
        return None
    known = before.get(raw["id"])
    return unpaid_at or (known.past_due_since_at if known is not None else None) or now


async def _mirror(
    session: AsyncSession,
    customer_id: str,
    facts: SubscriptionFacts,
    raw: dict[str, Any],
    fence: int,
    now: datetime,
) -> None:
    values = {
        "customer_id": customer_id,
        "status": facts.status,
        "fence": fence,
        "current_period_end_at": facts.current_period_end_at,
        "cancel_at": facts.cancel_at,
        "cancel_at_period_end": facts.cancel_at_period_end,
        "ended_at": facts.ended_at,
        "past_due_since_at": facts.past_due_since_at,
        "raw": raw,
        "synced_at": now,
    }
    await session.execute(
        insert(StripeSubscription)
        .values(id=facts.id, **values)
        .on_conflict_do_update(
            index_elements=[StripeSubscription.id], set_=values, where=StripeSubscription.fence < fence
        )
    )


def _cause(fetched: Fetched) -> str:
    """What made us ask: the events, or our own look."""
    events = fetched.fence.events
    return f"Stripe: {', '.join(events[:5])}" if events else "Stripe: our own look"


async def _finish(session: AsyncSession, fence: Fence, state: str, error: str | None) -> None:
    await session.execute(
        update(StripeEvent)
        .where(StripeEvent.event_id.in_(fence.events), StripeEvent.state == "received")
        .values(state=state, error=error)
    )


@engine.step(tries=8, first_wait_s=1.0)
async def _sync_step(customer_id: str, seq: int) -> None:
    await sync(customer_id, at_least=seq)


@engine.workflow("billing_sync")
async def billing_sync(customer_id: str, seq: int) -> None:
    """Work of one delivery; ends at once when a later fetch has covered it. Retried for about two minutes, and
    then, as long as it is behind, again by `billing_reconcile`."""
    await _sync_step(customer_id, seq)


async def reconcile(now: datetime) -> list[str]:
    """Ask again for customers that are behind, and for those whose right to watch is about to lapse."""
    async with db.transaction() as session:
        behind = select(StripeSync.customer_id).where(
            StripeSync.wanted_seq > StripeSync.done_seq, StripeSync.changed_at < now - STUCK
        )
        lapsing = (
            select(StripeSubscription.customer_id)
            .join(Entitlement, Entitlement.source_id == StripeSubscription.id)
            .where(
                Entitlement.source_kind == "subscription",
                Entitlement.revoked_at.is_(None),
                Entitlement.ends_at > now - LAPSING,
                Entitlement.ends_at < now + LAPSING + queries.policy().late_webhook,
                StripeSubscription.synced_at < now - SYNCED_LATELY,
            )
        )
        found = sorted(set(await session.scalars(behind.union(lapsing).limit(RECONCILE_AT_ONCE))))
        for customer_id in found:
            await want(session, customer_id, now)
    return found


@engine.scheduled("billing_reconcile", "*/10 * * * *")
async def billing_reconcile(at: datetime, context: object) -> None:  # noqa: ARG001 (the engine passes it)
    """Every ten minutes: nothing that was missed stays missed for long."""
    await _reconcile_step()


@engine.step(tries=3)
async def _reconcile_step() -> list[str]:
    return await reconcile(utcnow())
