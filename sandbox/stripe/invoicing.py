"""Invoices: draft, finalize, pay, void; and what each does to the subscription that it is for."""

import copy
from typing import Any

from sandbox.stripe import cycle
from sandbox.stripe.card_table import Decline
from sandbox.stripe.cards import NEEDS_ACTION
from sandbox.stripe.credits import settle_balance
from sandbox.stripe.discounts import running
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.expand import includable
from sandbox.stripe.intents import attempt, create_intent
from sandbox.stripe.invoice_bodies import draft_body, invoice_payment
from sandbox.stripe.lists import envelope
from sandbox.stripe.methods import paying_method
from sandbox.stripe.reckoning import set_lines
from sandbox.stripe.store import Row, Store, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

NO_METHOD = Decline(
    "invoice_payment_intent_requires_action",
    None,
    "This customer has no attached payment source or default payment method.",
)
_DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def create_invoice(
    world: World,
    customer: Row,
    *,
    lines: list[Json],
    currency: str,
    reason: str,
    subscription: Json | None = None,
    invoice_id: str | None = None,
    auto_advance: bool = True,
    period: tuple[int, int] | None = None,
    description: str | None = None,
    metadata: Json | None = None,
    settings: Json | None = None,
) -> Row:
    """A draft with these lines, which finalizes itself in an hour when `auto_advance` is set; `settings` are
    further fields of the invoice, such as its due date."""
    body = draft_body(world, customer.body, invoice_id or new_id("in"), currency, reason)
    body["period_start"], body["period_end"] = period or (world.now, world.now)
    body["description"] = description
    body["metadata"] = dict(metadata or {})
    body.update(settings or {})
    body["auto_advance"] = auto_advance
    body["automatically_finalizes_at"] = world.now + cycle.DRAFT_S if auto_advance else None
    if subscription is not None:
        body["discounts"] = running(world, subscription)
        body["automatic_tax"]["enabled"] = subscription["automatic_tax"]["enabled"]
        body["default_tax_rates"] = list(subscription["default_tax_rates"])
        details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
        body["parent"] = {
            "quote_details": None,
            "subscription_details": details,
            "type": "subscription_details",
        }
    row = Row("invoice", body, clock=world.clock)
    set_lines(world, row, lines)
    row.due_at = body["automatically_finalizes_at"]
    world.store.put(row)
    emit(world, "invoice.created", body)
    return row


def finalize(world: World, invoice: Row) -> None:
    """Number the invoice and open it; its payment intent is made now."""
    body = invoice.body
    customer = world.store.need("customer", body["customer"])
    sequence = customer.body["next_invoice_sequence"]
    customer.body["next_invoice_sequence"] = sequence + 1
    world.store.put(customer)
    settle_balance(world, invoice, customer)
    body.update(
        status="open",
        number=f"{customer.body['invoice_prefix']}-{sequence:04d}",
        effective_at=world.now,
        automatically_finalizes_at=None,
        hosted_invoice_url=f"{world.base_url}/i/{invoice.id}",
        invoice_pdf=f"{world.base_url}/i/{invoice.id}/pdf",
    )
    body["status_transitions"]["finalized_at"] = world.now
    invoice.due_at = None
    if body["amount_due"] > 0:
        intent = create_intent(
            world,
            amount=body["amount_due"],
            currency=body["currency"],
            customer=body["customer"],
            description=_DESCRIPTIONS.get(body["billing_reason"], f"Payment for Invoice {body['number']}"),
            setup_future_usage="off_session" if body["parent"] else None,
        )
        intent.private["invoice"] = invoice.id
        world.store.put(intent)
        payment = invoice_payment(world, body, intent.id)
        world.store.put(Row("invoice_payment", payment, clock=invoice.clock))
        invoice.private.update(intent=intent.id, payment=payment["id"])
    world.store.put(invoice)
    emit(world, "invoice.finalized", body)


def pay(
    world: World,
    invoice: Row,
    *,
    off_session: bool,
    method: Row | None = None,
    proven: bool = False,
    scheduled: bool = False,
) -> Decline | None:
    """Try to pay an open invoice once; gives the decline, or None when it is paid. `proven` says that the
    card's holder has just authenticated. Only the first try and `scheduled` ones count for what is tried next.

    Source: https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count
    """
    body = invoice.body
    counts = scheduled or not body["attempted"]
    customer = world.store.need("customer", body["customer"])
    body["attempted"] = True
    decline: Decline | None = None
    if body["amount_due"] > 0:
        preferred = body if body["default_payment_method"] else _subscription_body(world, invoice)
        chosen = method or paying_method(world, customer, preferred)
        body["attempt_count"] += counts
        intent = world.store.need("payment_intent", invoice.private["intent"])
        decline = (
            attempt(world, intent, chosen, off_session=off_session, proven=proven)
            if chosen is not None
            else NO_METHOD
        )
        if intent.body["status"] == "processing":
            invoice.due_at, body["next_payment_attempt"] = None, None
            world.store.put(invoice)
            return None
    if decline is None:
        mark_paid(world, invoice)
    else:
        if decline is NEEDS_ACTION:
            emit(world, "invoice.payment_action_required", body)
        mark_failed(world, invoice, counts=counts)
    return decline


def void(world: World, invoice: Row, status: str = "void") -> None:
    """Void an open invoice, or mark it uncollectible."""
    before, body = copy.deepcopy(invoice.body), invoice.body
    body.update(status=status, next_payment_attempt=None, auto_advance=False)
    body["status_transitions"]["voided_at" if status == "void" else "marked_uncollectible_at"] = world.now
    invoice.due_at = None
    save_and_emit(
        world, "invoice.voided" if status == "void" else "invoice.marked_uncollectible", before, invoice
    )


def stop_collecting(world: World, invoice: Row) -> None:
    """Leave a draft or open invoice as it is, and do nothing more about it."""
    before = copy.deepcopy(invoice.body)
    invoice.body.update(auto_advance=False, next_payment_attempt=None, automatically_finalizes_at=None)
    invoice.due_at = None
    save_and_emit(world, "invoice.updated", before, invoice)


def invoices_of(world: World, subscription_id: str, *statuses: str) -> list[Row]:
    """A subscription's invoices in these states, oldest first."""
    where = {"parent.subscription_details.subscription": subscription_id}
    found = world.store.select("invoice", where, oldest_first=True)
    return [row for row in found if row.body["status"] in statuses]


def subscription_of(invoice: Json) -> str | None:
    """The id of the subscription that an invoice is for."""
    parent = invoice["parent"]
    return str(parent["subscription_details"]["subscription"]) if parent else None


@includable("invoice", "payments")
def payments_of(store: Store, invoice: Json) -> Json:
    """An invoice's payments, as `expand[]=payments` shows them."""
    rows = store.select("invoice_payment", {"invoice": invoice["id"]})
    return envelope([row.body for row in rows], "/v1/invoice_payments")


@includable("invoice", "confirmation_secret")
def confirmation_secret_of(store: Store, invoice: Json) -> Json | None:
    """What lets a page of the caller's own confirm the invoice's payment."""
    intent = store.find("payment_intent", store.need("invoice", invoice["id"]).private.get("intent", ""))
    return {"client_secret": intent.body["client_secret"], "type": "payment_intent"} if intent else None


def mark_paid(world: World, invoice: Row) -> None:
    """The money is here."""
    body = invoice.body
    body.update(
        status="paid",
        amount_paid=body["amount_due"],
        amount_remaining=0,
        next_payment_attempt=None,
        auto_advance=False,
    )
    body["status_transitions"]["paid_at"] = world.now
    invoice.due_at = None
    world.store.put(invoice)
    payment = world.store.find("invoice_payment", invoice.private.get("payment", ""))
    if payment is not None:
        payment.body.update(status="paid", amount_paid=body["amount_due"])
        payment.body["status_transitions"]["paid_at"] = world.now
        world.store.put(payment)
        emit(world, "invoice_payment.paid", payment.body)
    emit(world, "invoice.paid", body)
    emit(world, "invoice.payment_succeeded", body)


def mark_failed(world: World, invoice: Row, *, counts: bool = True) -> None:
    """It was not paid this time; a renewal says when it is tried again, unless the try does not count."""
    body = invoice.body
    if counts:
        renewal = body["billing_reason"] == "subscription_cycle"
        again = cycle.retry_at(body["attempt_count"], world.now) if renewal and body["auto_advance"] else None
        body["next_payment_attempt"] = again
        invoice.due_at = again
    world.store.put(invoice)
    emit(world, "invoice.payment_failed", body)


def _subscription_body(world: World, invoice: Row) -> Json | None:
    subscription_id = subscription_of(invoice.body)
    row = world.store.find("subscription", subscription_id) if subscription_id else None
    return row.body if row is not None else None
