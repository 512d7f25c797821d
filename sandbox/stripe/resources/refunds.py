"""Refunds: money given back.

Source: https://docs.stripe.com/api/refunds
"""

from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.lists import answer_list
from sandbox.stripe.refunding import cancel, refund
from sandbox.stripe.store import Row

Json = dict[str, Any]

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(call: Call) -> Json:
    """POST /v1/refunds"""
    params = call.params
    charge = _charge(call)
    left = charge.body["amount_captured"] - charge.body["amount_refunded"]
    amount = params.take_int("amount", left)
    if charge.body["refunded"]:
        raise StripeFault(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
    if amount is None or amount <= 0:
        raise StripeFault("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        raise StripeFault(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    reason = params.take_choice("reason", _REASONS)
    params.ignore("reverse_transfer", "refund_application_fee", "instructions_email")
    row = refund(
        call.world.of(charge), charge, amount=amount, reason=reason, metadata=params.merge_metadata()
    )
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/refunds/{refund}"""
    return call.world.store.need("refund", call.path["refund"]).body


def update(call: Call) -> Json:
    """POST /v1/refunds/{refund}"""
    row = call.world.store.need("refund", call.path["refund"])
    row.body["metadata"] = call.params.merge_metadata(row.body["metadata"])
    return call.world.store.put(row).body


def cancel_one(call: Call) -> Json:
    """POST /v1/refunds/{refund}/cancel"""
    row = call.world.store.need("refund", call.path["refund"])
    if row.body["status"] not in ("pending", "requires_action"):
        raise StripeFault(f"This refund is {row.body['status']}, so it cannot be canceled.")
    cancel(call.world.of(row), row)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/refunds"""
    where: Json = {}
    for name in ("charge", "payment_intent"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    return answer_list(call, "refund", "/v1/refunds", where)


def _charge(call: Call) -> Row:
    charge_id, intent_id = call.params.take_str("charge"), call.params.take_str("payment_intent")
    if charge_id is None and intent_id is not None:
        charge_id = call.world.reference("payment_intent", intent_id, "payment_intent").body["latest_charge"]
    if charge_id is None:
        raise StripeFault(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    charge = call.world.reference("charge", charge_id, "charge")
    if charge.body["status"] != "succeeded":
        raise StripeFault("This charge has not succeeded, so it cannot be refunded.", param="charge")
    disputes = call.world.store.select("dispute", {"charge": charge.id})
    if any(one.body["status"] in ("needs_response", "under_review", "lost") for one in disputes):
        raise StripeFault(
            f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    return charge


OPERATIONS: list[Operation] = [
    ("POST", "/v1/refunds", create),
    ("GET", "/v1/refunds", list_all),
    ("GET", "/v1/refunds/{refund}", retrieve),
    ("POST", "/v1/refunds/{refund}", update),
    ("POST", "/v1/refunds/{refund}/cancel", cancel_one),
]
