"""The inbox of Stripe's events: verify, store and enqueue in one transaction; nothing else happens here."""

import json
import logging
from datetime import datetime
from typing import Any, cast

from sqlalchemy import case, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.billing import stripe_api
from app.billing.mirror import instant, storable
from app.billing.models import StripeCharge, StripeEvent, StripeSync
from app.errors import BadInput
from app.i18n import _
from app.settings import get_settings

MAX_EVENT_BYTES = 1024 * 1024

log = logging.getLogger("limber.billing")


async def receive(db: AsyncSession, raw: bytes, signature: str, now: datetime) -> str:
    """Take one delivery; answers what became of it: received, ignored or quarantined.

    Every delivery, duplicates and replays too, raises the customer's `wanted_seq`: Stripe is asked again what is
    true now, so a replay heals whatever was missed.

    Raises:
        BadSignature: when Stripe did not sign these bytes just now.
        BadInput: when they are no event.
    """
    stripe_api.verify(raw, signature, get_settings().webhook_secrets, now)
    return await _take(db, _parse(raw), now)


async def take_missed(db: AsyncSession, event: dict[str, Any], now: datetime) -> bool:
    """Take an event that Stripe told when asked, and never could deliver; False when it has come meanwhile."""
    if await db.get(StripeEvent, event["id"]) is not None:
        return False
    await _take(db, event, now)
    return True


async def _take(db: AsyncSession, event: dict[str, Any], now: datetime) -> str:
    settings = get_settings()
    thing = (event.get("data") or {}).get("object")
    thing = thing if isinstance(thing, dict) else {}
    complaint = _complaint(event, live=stripe_api.is_live_key(settings.stripe_secret_key))
    customer_id = None if complaint else stripe_api.customer_of(thing) or await _payer(db, thing)
    is_nobodys = customer_id is None and not stripe_api.is_about_money(thing)
    state = "quarantined" if complaint else "ignored" if is_nobodys else "received"
    # One lock order for everybody: the customer's sync row before its events.
    if customer_id is not None:
        await want(db, customer_id, now)
    await _keep(db, event, thing, state, complaint, customer_id, now)
    if state == "received" and customer_id is None:
        await jobs.enqueue(
            db,
            "billing_find_payer",
            {"event_id": event["id"]},
            queue=jobs.BILLING,
            key=f"payer:{event['id']}",
        )
    if complaint:
        log.error("stripe event %s set aside: %s", event["id"], complaint)
    return state


async def _payer(db: AsyncSession, thing: dict[str, Any]) -> str | None:
    """The customer of a refund, a dispute or a warning, by the charge that the mirror knows."""
    charge_id, intent_id = stripe_api.money_of(thing)
    # What is not said must not be asked for: charges without an intent are many people's.
    named = []
    if charge_id is not None:
        named.append(StripeCharge.id == charge_id)
    if intent_id is not None:
        named.append(StripeCharge.payment_intent_id == intent_id)
    if not named:
        return None
    found: str | None = await db.scalar(select(StripeCharge.customer_id).where(or_(*named)).limit(1))
    return found


async def want(db: AsyncSession, customer_id: str, now: datetime, *, again: bool = False) -> int:
    """Ask for the customer to be synced, inside the caller's transaction; answers the new `wanted_seq`.

    Work is enqueued only when none stands in the queue: one fetch serves every delivery that came before it began,
    and 6,000 deliveries for 200 members once left 3,659 needless pieces that a new payer had to wait behind.
    `again` enqueues whatever stands there, for those who look after work that was lost.
    """
    row = insert(StripeSync).values(
        customer_id=customer_id,
        wanted_seq=1,
        done_seq=0,
        queued_seq=1,
        fence=0,
        applied_fence=0,
        changed_at=now,
    )
    next_seq = StripeSync.wanted_seq + 1
    asked = await db.execute(
        row.on_conflict_do_update(
            index_elements=[StripeSync.customer_id],
            set_={
                "wanted_seq": next_seq,
                "queued_seq": next_seq
                if again
                else case((StripeSync.queued_seq == 0, next_seq), else_=StripeSync.queued_seq),
                "changed_at": now,
            },
        ).returning(StripeSync.wanted_seq, StripeSync.queued_seq)
    )
    seq, queued_seq = asked.one()
    if queued_seq == seq:
        await jobs.enqueue(
            db,
            "billing_sync",
            {"customer_id": customer_id, "seq": seq},
            queue=jobs.BILLING,
            key=customer_id,
            workflow_id=f"sync:{customer_id}:{seq}",
        )
    return int(seq)


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        event = json.loads(raw)
    except ValueError as fault:
        raise BadInput(_("This is not an event of Stripe’s.")) from fault
    if not isinstance(event, dict) or not isinstance(event.get("id"), str) or not 0 < len(event["id"]) <= 64:
        raise BadInput(_("This is not an event of Stripe’s."))
    # What cannot be stored comes as an escape only, and most events have none.
    return cast("dict[str, Any]", storable(event)) if b"\\u" in raw else event


def _complaint(event: dict[str, Any], *, live: bool) -> str | None:
    """Why this event must not be acted on, for the operator; None when it is one of ours."""
    if event.get("object") != "event":
        return f"it is a {event.get('object')!r}: point Stripe's classic (snapshot) events at this address"
    if event.get("account"):
        return f"it is about the connected account {event['account']}"
    if bool(event.get("livemode")) != live:
        return "it is from live mode and our key is for test mode, or the other way round"
    if event.get("api_version") != stripe_api.API_VERSION:
        return (
            f"it is of API version {event.get('api_version')}; set the endpoint to {stripe_api.API_VERSION}"
        )
    return None


async def _keep(
    db: AsyncSession,
    event: dict[str, Any],
    thing: dict[str, Any],
    state: str,
    complaint: str | None,
    customer_id: str | None,
    now: datetime,
) -> None:
    created = event.get("created")
    object_id = thing.get("id")
    row = insert(StripeEvent).values(
        event_id=event["id"],
        type=str(event.get("type", ""))[:80],
        api_version=str(event["api_version"])[:40] if event.get("api_version") else None,
        livemode=bool(event.get("livemode")),
        created_at=(instant(created) if isinstance(created, int) else None) or now,
        customer_id=customer_id,
        object_id=object_id[:64] if isinstance(object_id, str) else None,
        payload=event,
        state=state,
        error=complaint,
        received_at=now,
        deliveries=1,
    )
    await db.execute(
        row.on_conflict_do_update(
            index_elements=[StripeEvent.event_id],
            set_={
                "deliveries": StripeEvent.deliveries + 1,
                "state": row.excluded.state,
                "error": row.excluded.error,
                "customer_id": func.coalesce(row.excluded.customer_id, StripeEvent.customer_id),
            },
        )
    )
