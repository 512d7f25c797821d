"""What a subscription consists of: its terms, its items, and the lines that they put on invoices.

Source: https://docs.stripe.com/api/subscriptions/object
"""

import copy
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import cycle
from sandbox.stripe.catalogue import amount_in
from sandbox.stripe.invoice_bodies import line_item, subscription_parent
from sandbox.stripe.lists import envelope
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_NOTHING = (
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "customer_account",
    "days_until_due",
    "default_source",
    "ended_at",
    "latest_invoice",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pause_collection",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "transfer_data",
)


@dataclass(frozen=True)
class Terms:
    """What a new subscription is to be. `items` are (price, quantity, metadata); instants are Unix seconds."""

    items: list[tuple[Json, int, Json]]
    trial_end: int | None = None
    default_payment_method: str | None = None
    metadata: Json = field(default_factory=dict)
    description: str | None = None
    cancel_at_period_end: bool = False
    cancel_at: int | None = None
    missing_payment_method: str = "create_invoice"
    off_session: bool = True
    collect: bool = True
    proven: bool = False
    discounts: list[tuple[str, str | None]] = field(default_factory=list)
    automatic_tax: bool = False
    default_tax_rates: list[Json] = field(default_factory=list)
    once: list[tuple[Json, int]] = field(default_factory=list)
    currency: str | None = None


def new_item(
    world: World, subscription_id: str, price: Json, quantity: int, period: tuple[int, int], metadata: Json
) -> Json:
    """A subscription item with its own period, where API versions since 2025-03-31 keep it."""
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "created": world.now,
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": dict(metadata),
        "price": copy.deepcopy(price),
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def period_lines(subscription: Json, invoice_id: str) -> list[Json]:
    """A line for each item's current period."""
    lines = []
    for item in subscription["items"]["data"]:
        price, quantity = item["price"], item["quantity"]
        lines.append(
            line_item(
                invoice_id,
                amount=amount_in(price, subscription["currency"]) * quantity,
                currency=subscription["currency"],
                description=f"{quantity} × {price['nickname'] or 'Subscription'}",
                price=price,
                quantity=quantity,
                period=(item["current_period_start"], item["current_period_end"]),
                parent=subscription_parent(subscription["id"], item["id"]),
                metadata=subscription["metadata"],
            )
        )
    return lines


def first_lines(subscription: Json, invoice_id: str) -> list[Json]:
    """The lines of the first invoice: a trial's cost nothing."""
    lines = period_lines(subscription, invoice_id)
    if subscription["status"] == "trialing":
        for line in lines:
            line.update(amount=0, subtotal=0, description="Trial period")
    return lines


def once_lines(world: World, invoice_id: str, terms: Terms, subscription: Json) -> list[Json]:
    """What is bought once, together with the subscription."""
    return [
        line_item(
            invoice_id,
            amount=amount_in(price, subscription["currency"]) * quantity,
            currency=subscription["currency"],
            description=f"{quantity} × {price['nickname'] or 'Once'}",
            price=price,
            quantity=quantity,
            period=(world.now, world.now),
            parent=None,
        )
        for price, quantity in terms.once
    ]


def schedule_cancel(world: World, row: Row, at_period_end: bool, details: Json | None = None) -> None:
    """Set or undo the end at the period's end; the caller stores and emits."""
    body = row.body
    body["cancel_at_period_end"] = at_period_end
    end = body["trial_end"] if body["status"] == "trialing" else cycle.current_period_end(body)
    body["cancel_at"] = end if at_period_end else None
    body["canceled_at"] = world.now if at_period_end else None
    requested = "cancellation_requested" if at_period_end else None
    kept = (
        {**body["cancellation_details"], **(details or {})}
        if at_period_end
        else {"comment": None, "feedback": None}
    )
    body["cancellation_details"] = {**kept, "reason": requested}


def new_subscription(world: World, customer: Row, terms: Terms) -> Row:
    """A subscription by these terms, not yet stored."""
    subscription_id = new_id("sub")
    trial = terms.trial_end is not None and terms.trial_end > world.now
    items = _first_items(world, subscription_id, terms, terms.trial_end if trial else None)
    body: Json = {
        "id": subscription_id,
        "object": "subscription",
        **dict.fromkeys(_NOTHING),
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": terms.automatic_tax,
            "liability": {"type": "self"} if terms.automatic_tax else None,
        },
        "billing_cycle_anchor": terms.trial_end if trial else world.now,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": terms.cancel_at,
        "cancel_at_period_end": False,
        "canceled_at": world.now if terms.cancel_at else None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": world.now,
        "currency": terms.currency or terms.items[0][0]["currency"],
        "customer": customer.id,
        "default_payment_method": terms.default_payment_method,
        "default_tax_rates": list(terms.default_tax_rates),
        "description": terms.description,
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": envelope(items, f"/v1/subscription_items?subscription={subscription_id}"),
        "livemode": False,
        "metadata": dict(terms.metadata),
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": world.now,
        "status": "trialing" if trial else "incomplete",
        "test_clock": world.clock,
        "trial_end": terms.trial_end if trial else None,
        "trial_settings": {"end_behavior": {"missing_payment_method": terms.missing_payment_method}},
        "trial_start": world.now if trial else None,
    }
    row = Row("subscription", body, clock=world.clock)
    if terms.cancel_at_period_end:
        schedule_cancel(world, row, True)
    return row


def _first_items(world: World, subscription_id: str, terms: Terms, trial_end: int | None) -> list[Json]:
    items = []
    for price, quantity, metadata in terms.items:
        recurring = price["recurring"]
        end = cycle.add_intervals(world.now, recurring["interval"], recurring["interval_count"])
        period = (world.now, end if trial_end is None else trial_end)
        items.append(new_item(world, subscription_id, price, quantity, period, metadata))
    return items
