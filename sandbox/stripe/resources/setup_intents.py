"""Setup intents: make a payment method ready for later.

Source: https://docs.stripe.com/api/setup_intents
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.cards import NEEDS_ACTION, card_fault
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.resources.payment_methods import usable_method
from sandbox.stripe.setups import cancel_setup, confirm_setup, create_setup
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]

_IGNORED = (
    "automatic_payment_methods",
    "payment_method_options",
    "mandate_data",
    "use_stripe_sdk",
    "client_secret",
)
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(call: Call) -> Json:
    """POST /v1/setup_intents"""
    params = call.params
    customer_id, method_id = params.take_str("customer"), params.take_str("payment_method")
    customer = call.world.customer(customer_id) if customer_id else None
    world = call.world.of(customer) if customer is not None else call.world
    method = usable_method(world, method_id) if method_id else None
    row = create_setup(
        world,
        customer=customer_id,
        description=params.take_str("description"),
        metadata=params.merge_metadata(),
        payment_method=method.id if method else None,
        usage=params.take_choice("usage", ("off_session", "on_session"), "off_session") or "",
        types=params.take_list("payment_method_types"),
    )
    params.ignore(*_IGNORED)
    if params.take_bool("confirm", False):
        _confirm(world, row, method, params)
    params.ignore("return_url")
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/setup_intents/{intent}"""
    call.params.ignore("client_secret")
    return call.world.store.need("setup_intent", call.path["intent"]).body


def update(call: Call) -> Json:
    """POST /v1/setup_intents/{intent}"""
    row, params = call.world.store.need("setup_intent", call.path["intent"]), call.params
    row.body["metadata"] = params.merge_metadata(row.body["metadata"])
    row.body["description"] = params.take_str("description", row.body["description"])
    return call.world.store.put(row).body


def confirm(call: Call) -> Json:
    """POST /v1/setup_intents/{intent}/confirm"""
    row, params = call.world.store.need("setup_intent", call.path["intent"]), call.params
    world = call.world.of(row)
    method_id = params.take_str("payment_method", row.body["payment_method"])
    params.ignore(*_IGNORED)
    _confirm(world, row, usable_method(world, method_id) if method_id else None, params)
    return row.body


def cancel(call: Call) -> Json:
    """POST /v1/setup_intents/{intent}/cancel"""
    row = call.world.store.need("setup_intent", call.path["intent"])
    reason = call.params.take_choice(
        "cancellation_reason", ("abandoned", "duplicate", "requested_by_customer")
    )
    if row.body["status"] not in _OPEN:
        raise _unexpected(row, "canceled")
    cancel_setup(call.world.of(row), row, reason)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/setup_intents"""
    where: Json = {}
    for name in ("customer", "payment_method"):
        if (value := call.params.take_str(name)) is not None:
            where[name] = value
    return answer_list(call, "setup_intent", "/v1/setup_intents", where)


def _confirm(world: World, row: Row, method: Row | None, params: Params) -> None:
    if row.body["status"] not in _OPEN:
        raise _unexpected(row, "confirmed")
    if method is None:
        raise StripeFault(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            code="setup_intent_unexpected_state",
            param="payment_method",
        )
    row.private["return_url"] = params.take_str("return_url")
    decline = confirm_setup(world, row, method)
    if decline is not None and decline is not NEEDS_ACTION:
        raise card_fault(decline, {"setup_intent": copy.deepcopy(row.body)}, keep=True)


def _unexpected(row: Row, verb: str) -> StripeFault:
    return StripeFault(
        f"This SetupIntent's status is {row.body['status']}, so it cannot be {verb}.",
        code="setup_intent_unexpected_state",
        extra={"setup_intent": copy.deepcopy(row.body)},
    )


OPERATIONS: list[Operation] = [
    ("POST", "/v1/setup_intents", create),
    ("GET", "/v1/setup_intents", list_all),
    ("GET", "/v1/setup_intents/{intent}", retrieve),
    ("POST", "/v1/setup_intents/{intent}", update),
    ("POST", "/v1/setup_intents/{intent}/confirm", confirm),
    ("POST", "/v1/setup_intents/{intent}/cancel", cancel),
]
