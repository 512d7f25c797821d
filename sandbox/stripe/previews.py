"""What an invoice would be: the renewal that comes, a change of plan, or a subscription that does not exist yet.

Nothing here stays: everything is done as it would be, looked at, and undone.
Source: https://docs.stripe.com/api/invoices/create_preview
"""

import copy
from typing import Any

from sandbox.stripe import cycle, lifecycle
from sandbox.stripe.credits import settle_balance
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.invoicing import create_invoice
from sandbox.stripe.plan_changes import Change, change_lines
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.subscription_bodies import Terms, first_lines, new_subscription, once_lines
from sandbox.stripe.world import World

Json = dict[str, Any]


def preview_new(world: World, customer: Row, terms: Terms) -> Json:
    """The first invoice of a subscription by these terms."""
    with world.store.rehearsal():
        row = new_subscription(world, customer, terms)
        lifecycle.redeem_terms(world, customer, row, terms)
        invoice_id = new_id("upcoming_in")
        lines = [*first_lines(row.body, invoice_id), *once_lines(world, invoice_id, terms, row.body)]
        return _shown(world, _draft(world, customer, row, lines, invoice_id), customer, None)


def preview_next(world: World, row: Row) -> Json:
    """The renewal that comes.

    Raises:
        StripeFault: 404 `invoice_upcoming_none`, if none comes.
    """
    with world.store.rehearsal():
        return _next(world, row)


def preview_change(world: World, row: Row, change: Change) -> Json:
    """What a change of items would cost: now, if it is invoiced at once, else with the renewal that comes."""
    with world.store.rehearsal():
        customer = world.store.need("customer", row.body["customer"])
        invoice_id = new_id("upcoming_in")
        lines, restart = change_lines(world, row, change, invoice_id)
        if restart or change.prorations == "always_invoice":
            return _shown(world, _draft(world, customer, row, lines, invoice_id), customer, None)
        row.private["pending_lines"] = [*row.private.get("pending_lines", []), *lines]
        world.store.put(row)
        return _next(world, row)


def _next(world: World, row: Row) -> Json:
    body = row.body
    ends = body["cancel_at"] is not None and body["cancel_at"] <= cycle.current_period_end(body)
    if ends or body["status"] not in ("active", "trialing", "past_due"):
        raise StripeFault(
            f"No upcoming invoices for customer: {body['customer']}", status=404, code="invoice_upcoming_none"
        )
    moment = body["trial_end"] if body["status"] == "trialing" else cycle.current_period_end(body)
    lifecycle.renew(world.at(moment), row)
    invoice = world.store.need("invoice", row.body["latest_invoice"])
    customer = world.store.need("customer", body["customer"])
    return _shown(world.at(moment), invoice, customer, moment + cycle.DRAFT_S)


def _draft(world: World, customer: Row, row: Row, lines: list[Json], invoice_id: str) -> Row:
    return create_invoice(
        world,
        customer,
        lines=lines,
        currency=row.body["currency"],
        reason="upcoming",
        subscription=row.body,
        invoice_id=invoice_id,
        auto_advance=False,
    )


def _shown(world: World, invoice: Row, customer: Row, attempt_at: int | None) -> Json:
    settle_balance(world, invoice, customer)
    shown = copy.deepcopy(invoice.body)
    shown_id = shown["id"] if shown["id"].startswith("upcoming") else new_id("upcoming_in")
    shown.update(
        id=shown_id,
        auto_advance=False,
        automatically_finalizes_at=None,
        billing_reason="upcoming",
        next_payment_attempt=attempt_at,
    )
    shown["lines"]["url"] = f"/v1/invoices/{shown_id}/lines"
    for line in shown["lines"]["data"]:
        line["invoice"] = shown_id
    return shown
