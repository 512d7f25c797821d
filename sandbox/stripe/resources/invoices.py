"""Invoices, and the payments made towards them.

Source: https://docs.stripe.com/api/invoices and https://docs.stripe.com/api/invoice-payment
"""

import copy
from dataclasses import replace
from typing import Any

from sandbox.stripe import lifecycle
from sandbox.stripe.api import Call, Operation
from sandbox.stripe.cards import NEEDS_ACTION, card_fault
from sandbox.stripe.errors import StripeFault, missing
from sandbox.stripe.events import save_and_emit
from sandbox.stripe.invoicing import NO_METHOD, finalize, void
from sandbox.stripe.lists import answer_list
from sandbox.stripe.resources.payment_methods import usable_method
from sandbox.stripe.store import Row

Json = dict[str, Any]


def retrieve(call: Call) -> Json:
    """GET /v1/invoices/{invoice}"""
    return _row(call).body


def list_all(call: Call) -> Json:
    """GET /v1/invoices"""
    where: Json = {}
    for name in ("customer", "status", "collection_method"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    if (subscription := call.params.take_str("subscription")) is not None:
        where["parent.subscription_details.subscription"] = subscription
    call.params.ignore("due_date", "customer_account")
    return answer_list(call, "invoice", "/v1/invoices", where)


def list_lines(call: Call) -> Json:
    """GET /v1/invoices/{invoice}/lines"""
    call.params.ignore("limit", "starting_after", "ending_before")
    return dict(_row(call).body["lines"])


def update(call: Call) -> Json:
    """POST /v1/invoices/{invoice}"""
    row = _row(call)
    before = copy.deepcopy(row.body)
    row.body["metadata"] = call.params.merge_metadata(row.body["metadata"])
    row.body["description"] = call.params.take_str("description", row.body["description"])
    advance = call.params.take_bool("auto_advance", row.body["auto_advance"])
    row.body["auto_advance"] = advance
    save_and_emit(call.world.of(row), "invoice.updated", before, row)
    return row.body


def finalize_one(call: Call) -> Json:
    """POST /v1/invoices/{invoice}/finalize"""
    row = _row(call)
    call.params.ignore("auto_advance")
    if row.body["status"] != "draft":
        raise StripeFault(
            f"This invoice is already finalized, you can't finalize a {row.body['status']} invoice."
        )
    finalize(call.world.of(row), row)
    return row.body


def pay_one(call: Call) -> Json:
    """POST /v1/invoices/{invoice}/pay"""
    row, params = _row(call), call.params
    world = call.world.of(row)
    if row.body["status"] == "draft":
        finalize(world, row)
    if row.body["status"] == "paid":
        raise StripeFault("Invoice is already paid", code="invoice_already_paid")
    if row.body["status"] != "open":
        raise StripeFault(f"You can't pay an invoice that is {row.body['status']}.")
    method_id = params.take_str("payment_method")
    off_session = bool(params.take_bool("off_session", True))
    params.ignore("forgive", "mandate", "source")
    if params.take_bool("paid_out_of_band", False):
        raise StripeFault("This stand-in does not know payments out of band.", param="paid_out_of_band")
    method = usable_method(world, method_id) if method_id else None
    decline = lifecycle.collect(world, row, off_session=off_session, method=method)
    if decline is NO_METHOD:
        raise StripeFault(decline.message, code="resource_missing")
    if decline is NEEDS_ACTION:
        raise card_fault(replace(decline, code="invoice_payment_intent_requires_action"), keep=True)
    if decline is not None:
        raise card_fault(decline, keep=True)
    return row.body


def void_one(call: Call) -> Json:
    """POST /v1/invoices/{invoice}/void"""
    return _close(call, "void")


def mark_uncollectible(call: Call) -> Json:
    """POST /v1/invoices/{invoice}/mark_uncollectible"""
    return _close(call, "uncollectible")


def list_payments(call: Call) -> Json:
    """GET /v1/invoice_payments: how a payment intent leads back to its invoice."""
    where: Json = {}
    for name in ("invoice", "status"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    payment = call.params.take_hash("payment")
    if payment is not None:
        payment.ignore("type", "charge", "payment_record")
        where["payment.payment_intent"] = payment.take_str("payment_intent")
    return answer_list(call, "invoice_payment", "/v1/invoice_payments", where)


def retrieve_payment(call: Call) -> Json:
    """GET /v1/invoice_payments/{invoice_payment}"""
    return call.world.store.need("invoice_payment", call.path["invoice_payment"]).body


def _row(call: Call) -> Row:
    row = call.world.store.need("invoice", call.path["invoice"])
    if row.deleted:
        raise missing("invoice", row.id)
    return row


def _close(call: Call, status: str) -> Json:
    row = _row(call)
    if row.body["status"] not in ("open", "uncollectible"):
        raise StripeFault(f"You can only do this to an open invoice; this one is {row.body['status']}.")
    void(call.world.of(row), row, status)
    return row.body


OPERATIONS: list[Operation] = [
    ("GET", "/v1/invoices", list_all),
    ("GET", "/v1/invoices/{invoice}", retrieve),
    ("POST", "/v1/invoices/{invoice}", update),
    ("GET", "/v1/invoices/{invoice}/lines", list_lines),
    ("POST", "/v1/invoices/{invoice}/finalize", finalize_one),
    ("POST", "/v1/invoices/{invoice}/pay", pay_one),
    ("POST", "/v1/invoices/{invoice}/void", void_one),
    ("POST", "/v1/invoices/{invoice}/mark_uncollectible", mark_uncollectible),
    ("GET", "/v1/invoice_payments", list_payments),
    ("GET", "/v1/invoice_payments/{invoice_payment}", retrieve_payment),
]
