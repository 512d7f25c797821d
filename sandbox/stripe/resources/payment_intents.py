"""Payment intents: one wish to be paid, however many tries it takes.

Source: https://docs.stripe.com/api/payment_intents
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.cards import NEEDS_ACTION, card_fault
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit
from sandbox.stripe.intents import attempt, capture, create_intent
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.resources.payment_methods import usable_method
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]

_IGNORED = (
    "payment_method_options",
    "shipping",
    "statement_descriptor",
    "confirmation_method",
    "mandate_data",
    "use_stripe_sdk",
)


def create(call: Call) -> Json:
    """POST /v1/payment_intents"""
    params = call.params
    amount = params.take_int("amount")
    if amount is None or amount <= 0:
        raise StripeFault("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    customer_id, method_id = params.take_str("customer"), params.take_str("payment_method")
    customer = call.world.customer(customer_id) if customer_id else None
    world = call.world.of(customer) if customer is not None else call.world
    automatic = params.take_hash("automatic_payment_methods")
    if automatic is not None:
        automatic.ignore("enabled", "allow_redirects")
    method = usable_method(world, method_id) if method_id else None
    row = create_intent(
        world,
        amount=amount,
        currency=params.need_str("currency").lower(),
        customer=customer_id,
        description=params.take_str("description"),
        metadata=params.merge_metadata(),
        payment_method=method.id if method else None,
        automatic=automatic is not None,
        setup_future_usage=params.take_str("setup_future_usage"),
        receipt_email=params.take_str("receipt_email"),
        types=[str(one) for one in params.take_list("payment_method_types")],
        capture_method=params.take_str("capture_method", "automatic_async") or "",
    )
    params.ignore(*_IGNORED)
    if params.take_bool("confirm", False):
        _confirm(world, row, method, params)
    params.ignore("off_session", "return_url", "error_on_requires_action")
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/payment_intents/{intent}"""
    call.params.ignore("client_secret")
    return call.world.store.need("payment_intent", call.path["intent"]).body


def update(call: Call) -> Json:
    """POST /v1/payment_intents/{intent}"""
    row, params = call.world.store.need("payment_intent", call.path["intent"]), call.params
    row.body["metadata"] = params.merge_metadata(row.body["metadata"])
    row.body["description"] = params.take_str("description", row.body["description"])
    row.body["receipt_email"] = params.take_str("receipt_email", row.body["receipt_email"])
    row.body["amount"] = params.take_int("amount", row.body["amount"])
    return call.world.store.put(row).body


def confirm(call: Call) -> Json:
    """POST /v1/payment_intents/{intent}/confirm"""
    row, params = call.world.store.need("payment_intent", call.path["intent"]), call.params
    world = call.world.of(row)
    method_id = params.take_str("payment_method", row.body["payment_method"])
    params.ignore(*_IGNORED, "payment_method_types", "setup_future_usage", "receipt_email", "client_secret")
    _confirm(world, row, usable_method(world, method_id) if method_id else None, params)
    return row.body


def capture_one(call: Call) -> Json:
    """POST /v1/payment_intents/{intent}/capture"""
    row = call.world.store.need("payment_intent", call.path["intent"])
    call.params.ignore("amount_to_capture")
    if row.body["status"] != "requires_capture":
        raise _unexpected(row, "captured")
    capture(call.world.of(row), row)
    return row.body


def cancel(call: Call) -> Json:
    """POST /v1/payment_intents/{intent}/cancel"""
    row = call.world.store.need("payment_intent", call.path["intent"])
    reasons = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
    reason = call.params.take_choice("cancellation_reason", reasons)
    if row.body["status"] in ("succeeded", "canceled"):
        raise _unexpected(row, "canceled")
    world = call.world.of(row)
    row.body.update(status="canceled", canceled_at=world.now, cancellation_reason=reason, amount_capturable=0)
    world.store.put(row)
    emit(world, "payment_intent.canceled", row.body)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/payment_intents"""
    customer = call.params.take_str("customer")
    where = {"customer": customer} if customer is not None else {}
    return answer_list(call, "payment_intent", "/v1/payment_intents", where)


def _confirm(world: World, row: Row, method: Row | None, params: Params) -> None:
    if row.body["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        raise _unexpected(row, "confirmed")
    if method is None:
        raise StripeFault(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
            param="payment_method",
        )
    off_session = bool(params.take_bool("off_session", False))
    row.private["return_url"] = params.take_str("return_url")
    ask = not (off_session or params.take_bool("error_on_requires_action", False))
    decline = attempt(world, row, method, off_session=off_session, ask=ask)
    if decline is not None and decline is not NEEDS_ACTION:
        shown = {"charge": row.body["latest_charge"], "payment_intent": copy.deepcopy(row.body)}
        raise card_fault(decline, shown, keep=True)


def _unexpected(row: Row, verb: str) -> StripeFault:
    return StripeFault(
        f"This PaymentIntent's status is {row.body['status']}, so it cannot be {verb}.",
        code="payment_intent_unexpected_state",
        extra={"payment_intent": copy.deepcopy(row.body)},
    )


OPERATIONS: list[Operation] = [
    ("POST", "/v1/payment_intents", create),
    ("GET", "/v1/payment_intents", list_all),
    ("GET", "/v1/payment_intents/{intent}", retrieve),
    ("POST", "/v1/payment_intents/{intent}", update),
    ("POST", "/v1/payment_intents/{intent}/confirm", confirm),
    ("POST", "/v1/payment_intents/{intent}/capture", capture_one),
    ("POST", "/v1/payment_intents/{intent}/cancel", cancel),
]
