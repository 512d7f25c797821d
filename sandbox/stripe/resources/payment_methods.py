"""Payment methods: cards, made from a number or from one of Stripe's test tokens.

Source: https://docs.stripe.com/api/payment_methods
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.cards import find_card, token_card
from sandbox.stripe.debits import ACH, KINDS, SEPA, TOKENS, find_debit
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.methods import attach, create_debit, create_method
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]

ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")


def usable_method(world: World, method_id: str, param: str = "payment_method") -> Row:
    """The method of this id; a test token such as `pm_card_visa` makes a new one.

    Raises:
        StripeFault: 400 `resource_missing`.
    """
    card = token_card(method_id)
    if card is not None:
        return create_method(world, card)
    if method_id in TOKENS:
        return create_debit(world, find_debit(TOKENS[method_id], ACH))
    return world.reference("payment_method", method_id, param)


def create(call: Call) -> Json:
    """POST /v1/payment_methods"""
    params = call.params
    kind = params.take_choice("type", ("card", *KINDS), "card") or ""
    row = _new_card(call.world, params) if kind == "card" else _new_debit(call.world, params, kind)
    row.body["metadata"] = params.merge_metadata()
    row.body["allow_redisplay"] = params.take_str("allow_redisplay", "unspecified")
    return call.world.store.put(row).body


def _new_debit(world: World, params: Params, kind: str) -> Row:
    hash_ = params.take_hash(kind)
    if hash_ is None:
        raise StripeFault(f"Missing required param: {kind}.", code="parameter_missing", param=kind)
    hash_.ignore("account_holder_type", "account_type", "routing_number")
    account = hash_.need_str("iban" if kind == SEPA else "account_number")
    return create_debit(world, find_debit(account, kind), details=_billing_details(params))


def _new_card(world: World, params: Params) -> Row:
    hash_ = params.take_hash("card")
    if hash_ is None:
        raise StripeFault("Missing required param: card.", code="parameter_missing", param="card")
    hash_.ignore("cvc", "networks")
    token = hash_.take_str("token")
    card = token_card(token) if token else find_card(hash_.need_str("number"))
    if card is None:
        raise StripeFault(f"No such token: '{token}'", code="resource_missing", param="card[token]")
    month, year = hash_.take_int("exp_month"), hash_.take_int("exp_year")
    exp = (month, year) if month and year else None
    return create_method(world, card, details=_billing_details(params), exp=exp)


def retrieve(call: Call) -> Json:
    """GET /v1/payment_methods/{payment_method}"""
    return call.world.store.need("payment_method", call.path["payment_method"]).body


def update(call: Call) -> Json:
    """POST /v1/payment_methods/{payment_method}"""
    row = call.world.store.need("payment_method", call.path["payment_method"])
    before = copy.deepcopy(row.body)
    card = call.params.take_hash("card")
    if card is not None:
        for name in ("exp_month", "exp_year"):
            row.body["card"][name] = card.take_int(name, row.body["card"][name])
    row.body["billing_details"].update(_billing_details(call.params))
    row.body["metadata"] = call.params.merge_metadata(row.body["metadata"])
    row.body["allow_redisplay"] = call.params.take_str("allow_redisplay", row.body["allow_redisplay"])
    save_and_emit(call.world.of(row), "payment_method.updated", before, row)
    return row.body


def attach_to(call: Call) -> Json:
    """POST /v1/payment_methods/{payment_method}/attach"""
    method = usable_method(call.world, call.path["payment_method"])
    customer = call.world.customer(call.params.need_str("customer"))
    if method.body["customer"] not in (None, customer.id):
        raise StripeFault("The payment method you provided has already been attached to a customer.")
    if method.body["customer"] is None:
        attach(call.world.of(customer), method, customer)
    return method.body


def detach(call: Call) -> Json:
    """POST /v1/payment_methods/{payment_method}/detach"""
    row = call.world.store.need("payment_method", call.path["payment_method"])
    owner = row.body["customer"]
    if owner is None:
        raise StripeFault(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    world = call.world.of(row)
    row.body["customer"] = None
    world.store.put(row)
    emit(world, "payment_method.detached", row.body, {"customer": owner})
    customer = world.store.need("customer", owner)
    if customer.body["invoice_settings"]["default_payment_method"] == row.id:
        before = copy.deepcopy(customer.body)
        customer.body["invoice_settings"]["default_payment_method"] = None
        save_and_emit(world, "customer.updated", before, customer)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/payment_methods"""
    call.params.ignore("type", "allow_redisplay")
    customer = call.params.take_str("customer")
    where = {"customer": call.world.customer(customer).id} if customer else {}
    return answer_list(call, "payment_method", "/v1/payment_methods", where, created=False)


def _billing_details(params: Params) -> Json:
    details = params.take_hash("billing_details")
    if details is None:
        return {}
    found: Json = {name: details.take_str(name) for name in ("email", "name", "phone") if name in details}
    address = details.take_hash("address")
    if address is not None:
        found["address"] = {name: address.take_str(name) for name in ADDRESS_FIELDS}
    details.ignore("tax_id")
    return found


OPERATIONS: list[Operation] = [
    ("POST", "/v1/payment_methods", create),
    ("GET", "/v1/payment_methods", list_all),
    ("GET", "/v1/payment_methods/{payment_method}", retrieve),
    ("POST", "/v1/payment_methods/{payment_method}", update),
    ("POST", "/v1/payment_methods/{payment_method}/attach", attach_to),
    ("POST", "/v1/payment_methods/{payment_method}/detach", detach),
]
