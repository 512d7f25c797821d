"""A subscription's life: start, collect, renew, fail, end. What time does is in `due.py`, when in `cycle.py`."""

import copy
from typing import Any

from sandbox.stripe import cycle
from sandbox.stripe.card_table import Decline
from sandbox.stripe.discounts import attach_discount, running, use_up
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.invoicing import (
    create_invoice,
    finalize,
    invoices_of,
    pay,
    stop_collecting,
    subscription_of,
)
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.subscription_bodies import Terms, first_lines, new_subscription, once_lines, period_lines
from sandbox.stripe.world import World

Json = dict[str, Any]

# The account's setting for a renewal that was never paid: cancel, unpaid or past_due.
AFTER_RETRIES = "after_retries"


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
    row = new_subscription(world, customer, terms)
    redeem_terms(world, customer, row, terms)
    save(world, row)
    emit(world, "customer.subscription.created", row.body)
    invoice_id = new_id("in")
    invoice = create_invoice(
        world,
        customer,
        lines=[*first_lines(row.body, invoice_id), *once_lines(world, invoice_id, terms, row.body)],
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


def redeem_terms(world: World, customer: Row, row: Row, terms: Terms) -> None:
    """Give a new subscription the discounts of its terms."""
    row.body["discounts"] = [
        attach_discount(world, one, customer=customer.id, subscription=row.id).id for one in terms.discounts
    ]


def collect(
    world: World,
    invoice: Row,
    *,
    off_session: bool,
    method: Row | None = None,
    proven: bool = False,
    scheduled: bool = False,
) -> Decline | None:
    """Try to pay an open invoice once, and let its subscription follow; gives the decline. `scheduled`: it is
    one of the tries by which Stripe counts."""
    decline = pay(world, invoice, off_session=off_session, method=method, proven=proven, scheduled=scheduled)
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
            _give_up(world, row)
        elif body["status"] != "past_due":
            before = copy.deepcopy(body)
            body["status"] = "past_due"
            save_changed(world, before, row)


def _give_up(world: World, row: Row) -> None:
    """After the last try: cancel, or what the account's settings say instead.

    Source: https://docs.stripe.com/billing/revenue-recovery/smart-retries#failed-payments-for-subscriptions
    """
    wanted = world.store.setting(AFTER_RETRIES) or "cancel"
    if wanted == "cancel":
        cancel(world, row, "payment_failed")
    elif wanted == "unpaid":
        before = copy.deepcopy(row.body)
        row.body["status"] = "unpaid"
        save_changed(world, before, row)
