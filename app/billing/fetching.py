"""Ask Stripe for everything about one customer, with no transaction open."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import db
from app.billing import stripe_api
from app.billing.mirror import ChargeFacts, id_of, read_charge
from app.billing.models import StripeCustomer

Json = dict[str, Any]


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
    subscriptions: tuple[tuple[Json, datetime | None], ...] = ()
    purchases: tuple[Json, ...] = ()
    charges: tuple[ChargeFacts, ...] = ()
    owner_id: str | None = None
    is_deleted: bool = False
    is_known: bool = True


async def fetch(fence: Fence) -> Fetched:
    """Ask Stripe for everything about the customer.

    Raises:
        StripeDown: when it does not answer.
    """
    owner_id = None
    async with db.transaction() as session:
        is_ours = await session.get(StripeCustomer, fence.customer_id) is not None
    subscriptions, purchases, charges = await _lists(fence.customer_id)
    if not subscriptions or not is_ours:
        # An empty list may also mean that our key is another account's: nobody loses anything by that.
        found = await stripe_api.find_customer(fence.customer_id)
        if found is None or found.is_deleted:
            return Fetched(fence, is_deleted=found is not None, is_known=found is not None)
        owner_id = found.user_id
    told = []
    for raw in subscriptions:
        unpaid = await stripe_api.first_unpaid_at(raw["id"]) if raw["status"] == "past_due" else None
        told.append((raw, unpaid))
    bought = {id_of(one.get("payment_intent")) for one in purchases}
    facts = [await charge_facts(one, pays_once=id_of(one.get("payment_intent")) in bought) for one in charges]
    return Fetched(fence, tuple(told), tuple(purchases), tuple(facts), owner_id)


async def _lists(customer_id: str) -> tuple[list[Json], list[Json], list[Json]]:
    try:
        return await asyncio.gather(
            stripe_api.list_subscriptions(customer_id),
            stripe_api.list_purchases(customer_id),
            stripe_api.list_charges(customer_id),
        )
    except stripe_api.StripeRefused as refusal:
        if not refusal.is_missing:
            raise
        return [], [], []


async def charge_facts(raw: Json, *, pays_once: bool) -> ChargeFacts:
    """Most charges are as they were taken; what more there is to know is asked for the few that are not."""
    is_plain = not raw["disputed"] and not raw["amount_refunded"] and not raw["refunds"]["data"]
    if is_plain:
        return read_charge(raw)
    if raw["refunds"].get("has_more"):
        raw = {**raw, "refunds": {"data": await stripe_api.list_refunds(raw["id"])}}
    disputes = await stripe_api.list_disputes(raw["id"]) if raw["disputed"] else []
    intent = id_of(raw.get("payment_intent"))
    invoice = await stripe_api.invoice_paid_by(intent) if intent is not None and not pays_once else None
    return read_charge(raw, disputes, invoice)
