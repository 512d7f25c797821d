"""A subscription's life: start, collect, renew, fail, end. What time does is in `due.py`, when in `cycle.py`."""

import copy
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import cycle
from sandbox.stripe.card_table import Decline
from sandbox.stripe.catalogue import amount_in
from sandbox.stripe.discounts import attach_discount, running, use_up
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.invoice_bodies import line_item, subscription_parent
from sandbox.stripe.invoicing import (
    create_invoice,
    finalize,
    invoices_of,
    pay,
    stop_collecting,
    subscription_of,
)
from sandbox.stripe.lists import envelope
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]


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


def save(world: World, row: Row) -> None:
    """Store a subscription, with the moment when it next does something by itself."""
    action = cycle.next_action(row.body, row.private)
    row.due_at = action[0] if action else None
    world.store.put(row)


def save_changed(
    world: World, before: Json, row: Row, event_type: str = "customer.subscription.updated"
) -> None:
    """Store a changed subscription and say so."""
    save(world, row)
    save_and_emit(world, event_type, before, row)


def start(world: World, customer: Row, terms: Terms) -> tuple[Row, Decline | None]:
    """Make a subscription with its first invoice, and try to collect that if the terms say so."""
    row = _new(world, customer, terms)
    row.body["discounts"] = [
        attach_discount(world, one, customer=customer.id, subscription=row.id).id for one in terms.discounts
    ]
    save(world, row)
    emit(world, "customer.subscription.created", row.body)
    invoice_id = new_id("in")
    invoice = create_invoice(
        world,
        customer,
        lines=[*first_lines(row.body, invoice_id), *_once_lines(world, invoice_id, terms, row.body)],
        currency=row.body["currency"],
        reason="subscription_create",
        subscription=row.body,
        invoice_id=invoice_id,
        auto_advance=False,
    )
    row.body["latest_invoice"] = invoice.id
    use_up(world, row, invoice.body)
    save(world, row)
    finalize(world, invoice)
    if invoice.body["amount_due"] == 0 or terms.collect:
        decline = collect(world, invoice, off_session=terms.off_session, proven=terms.proven)
    else:
        decline = None
    return world.store.need("subscription", row.id), decline


def collect(
    world: World, invoice: Row, *, off_session: bool, method: Row | None = None, proven: bool = False
) -> Decline | None:
    """Try to pay an open invoice once, and let its subscription follow; gives the decline."""
    decline = pay(world, invoice, off_session=off_session, method=method, proven=proven)
    follow(world, invoice, decline)
    return decline


def follow(world: World, invoice: Row, decline: Decline | None) -> None:
    """What an attempt to pay does to the subscription that the invoice is for."""
    subscription_id = subscription_of(invoice.body)
    row = world.store.find("subscription", subscription_id) if subscription_id else None
    if row is None or row.body["status"] in ("canceled", "incomplete_expired"):
        return
    if decline is None:
        _apply_pending(world, row, invoice)
        _after_payment(world, row)
    elif row.private.get("pending_invoice") != invoice.id:
        _after_failure(world, row, invoice)


def renew(world: World, row: Row) -> None:
    """Begin the next period at this moment, with a draft invoice for it."""
    before, body = copy.deepcopy(row.body), row.body
    was_trial = body["status"] == "trialing"
    if was_trial:
        body.update(status="active", billing_cycle_anchor=world.now)
    for item in body["items"]["data"]:
        recurring = item["price"]["recurring"]
        item["current_period_start"] = world.now
        item["current_period_end"] = cycle.period_end(
            body["billing_cycle_anchor"], recurring["interval"], recurring["interval_count"], world.now
        )
    customer = world.store.need("customer", body["customer"])
    body["discounts"] = running(world, body)
    pause = body["pause_collection"]
    invoice_id = new_id("in")
    lines = [*period_lines(body, invoice_id), *row.private.pop("pending_lines", [])]
    invoice = create_invoice(
        world,
        customer,
        lines=lines,
        currency=body["currency"],
        reason="subscription_cycle",
        subscription=body,
        invoice_id=invoice_id,
        auto_advance=not (pause and pause["behavior"] == "keep_as_draft"),
        period=(before["items"]["data"][0]["current_period_start"], world.now),
    )
    body["latest_invoice"] = invoice.id
    use_up(world, row, invoice.body)
    save_changed(world, before, row)


def cancel(world: World, row: Row, reason: str, details: Json | None = None) -> None:
    """End the subscription at this moment; what it still owes is not collected any more."""
    body = row.body
    body["status"] = "canceled"
    body["ended_at"] = world.now
    if not (reason == "cancellation_requested" and body["cancel_at"] == world.now):
        body["canceled_at"] = world.now
        body.update(cancel_at=None, cancel_at_period_end=False)
    body["cancellation_details"] = {**body["cancellation_details"], **(details or {}), "reason": reason}
    body["pending_update"] = None
    row.private.pop("pending_lines", None)
    row.private.pop("pending_invoice", None)
    save(world, row)
    emit(world, "customer.subscription.deleted", body)
    for invoice in invoices_of(world, row.id, "draft", "open"):
        stop_collecting(world, invoice)


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


def new_item(
    world: World, subscription_id: str, price: Json, quantity: int, period: tuple[int, int], metadata: Json
) -> Json:
    """A subscription item with its own period, where API versions since 2025-03-31 keep it."""
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
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


def _once_lines(world: World, invoice_id: str, terms: Terms, subscription: Json) -> list[Json]:
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


def _new(world: World, customer: Row, terms: Terms) -> Row:
    subscription_id = new_id("sub")
    trial = terms.trial_end is not None and terms.trial_end > world.now
    items = []
    for price, quantity, metadata in terms.items:
        recurring = price["recurring"]
        end = cycle.add_intervals(world.now, recurring["interval"], recurring["interval_count"])
        period = (world.now, terms.trial_end if trial and terms.trial_end is not None else end)
        items.append(new_item(world, subscription_id, price, quantity, period, metadata))
    body: Json = {
        "id": subscription_id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": terms.automatic_tax,
            "liability": {"type": "self"} if terms.automatic_tax else None,
        },
        "billing_cycle_anchor": terms.trial_end if trial else world.now,
        "billing_cycle_anchor_config": None,
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
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": terms.default_payment_method,
        "default_source": None,
        "default_tax_rates": list(terms.default_tax_rates),
        "description": terms.description,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": envelope(items, f"/v1/subscription_items?subscription={subscription_id}"),
        "latest_invoice": None,
        "livemode": False,
        "metadata": dict(terms.metadata),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": world.now,
        "status": "trialing" if trial else "incomplete",
        "test_clock": world.clock,
        "transfer_data": None,
        "trial_end": terms.trial_end if trial else None,
        "trial_settings": {"end_behavior": {"missing_payment_method": terms.missing_payment_method}},
        "trial_start": world.now if trial else None,
    }
    row = Row("subscription", body, clock=world.clock)
    if terms.cancel_at_period_end:
        schedule_cancel(world, row, True)
    return row


def _apply_pending(world: World, row: Row, invoice: Row) -> None:
    """A change that waited for this invoice's payment happens now."""
    if row.private.get("pending_invoice") != invoice.id or row.body["pending_update"] is None:
        return
    before = copy.deepcopy(row.body)
    row.body["items"]["data"] = row.body["pending_update"]["subscription_items"]
    row.body["pending_update"] = None
    del row.private["pending_invoice"]
    save_changed(world, before, row, "customer.subscription.pending_update_applied")


def _after_payment(world: World, row: Row) -> None:
    if row.body["status"] not in ("incomplete", "past_due", "unpaid"):
        return
    owed = [
        one
        for one in invoices_of(world, row.id, "open")
        if one.body["attempted"] and not _under_way(world, one)
    ]
    if owed:
        return
    before = copy.deepcopy(row.body)
    row.body["status"] = "active"
    save_changed(world, before, row)


def _under_way(world: World, invoice: Row) -> bool:
    """Whether a bank debit for it has been sent: until it fails, the subscription counts as paid."""
    intent = world.store.find("payment_intent", invoice.private.get("intent", ""))
    return intent is not None and intent.body["status"] == "processing"


def _after_failure(world: World, row: Row, invoice: Row) -> None:
    body = row.body
    given_up = (
        invoice.body["billing_reason"] == "subscription_cycle"
        and invoice.body["next_payment_attempt"] is None
    )
    if body["status"] in ("active", "trialing", "past_due"):
        if given_up and invoice.body["attempt_count"] > len(cycle.RETRY_AFTER_S):
            cancel(world, row, "payment_failed")
        elif body["status"] != "past_due":
            before = copy.deepcopy(body)
            body["status"] = "past_due"
            save_changed(world, before, row)
