"""The Checkout page as its own script calls it: undocumented, but the official CLI pays through it.

Source: the CLI's script for `stripe trigger checkout.session.completed`
"""

from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.cards import card_fault
from sandbox.stripe.checkout import complete
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.resources.payment_methods import usable_method

Json = dict[str, Any]


def retrieve(call: Call) -> Json:
    """GET /v1/payment_pages/{session}"""
    return call.world.store.need("checkout.session", call.path["session"]).body


def confirm(call: Call) -> Json:
    """POST /v1/payment_pages/{session}/confirm: pay the session with a payment method."""
    row, params = call.world.store.need("checkout.session", call.path["session"]), call.params
    method = usable_method(call.world, params.need_str("payment_method"))
    expected = params.take_int("expected_amount", row.body["amount_total"])
    params.ignore("return_url", "key", "eid")
    if row.body["status"] != "open":
        raise StripeFault(f"This Checkout Session is {row.body['status']}.")
    if expected != row.body["amount_total"]:
        raise StripeFault("The amount has changed; reload the page.", param="expected_amount")
    details = method.body["billing_details"]
    email = row.body["customer_email"] or details["email"]
    if email is None:
        raise StripeFault("Your email address is incomplete.", param="payment_method")
    decline = complete(call.world.of(row), row, method, email, details["name"] or "Test Member")
    if decline is not None:
        raise card_fault(decline, keep=True)
    return row.body


OPERATIONS: list[Operation] = [
    ("GET", "/v1/payment_pages/{session}", retrieve),
    ("POST", "/v1/payment_pages/{session}/confirm", confirm),
]
