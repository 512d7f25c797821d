"""Customers, and what is listed under one.

Source: https://docs.stripe.com/api/customers
"""

import copy
from typing import Any

from sandbox.stripe import lifecycle
from sandbox.stripe.api import Call, Operation
from sandbox.stripe.buyers import add_customer, blank_customer
from sandbox.stripe.credits import move_balance
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.expand import includable
from sandbox.stripe.lists import answer_list, envelope
from sandbox.stripe.methods import attach
from sandbox.stripe.params import Params
from sandbox.stripe.resources.payment_methods import ADDRESS_FIELDS, usable_method
from sandbox.stripe.search import search_answer
from sandbox.stripe.store import Row, Store
from sandbox.stripe.world import World

Json = dict[str, Any]

_TEXT_FIELDS = ("name", "email", "phone", "description")


def create(call: Call) -> Json:
    """POST /v1/customers"""
    params, clock = call.params, call.params.take_str("test_clock")
    if clock is not None:
        call.world.reference("test_helpers.test_clock", clock, "test_clock")
    world = call.world.on_clock(clock)
    body = blank_customer(world)
    _apply(params, body)
    row = add_customer(world, body)
    method_id = params.take_str("payment_method")
    settings = params.take_hash("invoice_settings")
    source = params.take_str("source")
    if method_id is not None:
        method = usable_method(world, method_id)
        attach(world, method, row)
        # A test token stands for the method that was just made of it.
        if settings is not None and settings.raw("default_payment_method") == method_id:
            settings.replace("default_payment_method", method.id)
    elif source is not None:
        attach(world, usable_method(world, source), row)
    _apply_settings(world, row, settings)
    return world.store.put(row).body


def retrieve(call: Call) -> Json:
    """GET /v1/customers/{customer}"""
    row = call.world.store.need("customer", call.path["customer"])
    return {"id": row.id, "object": "customer", "deleted": True} if row.deleted else row.body


def update(call: Call) -> Json:
    """POST /v1/customers/{customer}"""
    row = _living(call)
    world = call.world.of(row)
    before = copy.deepcopy(row.body)
    _apply(call.params, row.body)
    _apply_settings(world, row, call.params.take_hash("invoice_settings"))
    call.params.ignore("source", "default_source")
    save_and_emit(world, "customer.updated", before, row)
    return row.body


def delete(call: Call) -> Json:
    """DELETE /v1/customers/{customer}: cancels the customer's subscriptions first, as Stripe does."""
    row = _living(call)
    world = call.world.of(row)
    for subscription in world.store.select("subscription", {"customer": row.id}):
        if subscription.body["status"] not in ("canceled", "incomplete_expired"):
            lifecycle.cancel(world, subscription, "cancellation_requested")
    row.deleted = True
    world.store.put(row)
    emit(world, "customer.deleted", row.body)
    return {"id": row.id, "object": "customer", "deleted": True}


def list_all(call: Call) -> Json:
    """GET /v1/customers: those on a test clock show only when it is named."""
    where: Json = {"clock": call.params.take_str("test_clock")}
    if (email := call.params.take_str("email")) is not None:
        where["email"] = email
    return answer_list(call, "customer", "/v1/customers", where)


def search(call: Call) -> Json:
    """GET /v1/customers/search"""
    return search_answer(call, "customer", "/v1/customers/search")


def list_methods(call: Call) -> Json:
    """GET /v1/customers/{customer}/payment_methods"""
    row = _living(call)
    call.params.ignore("type", "allow_redisplay")
    url = f"/v1/customers/{row.id}/payment_methods"
    return answer_list(call, "payment_method", url, {"customer": row.id}, created=False)


def move(call: Call) -> Json:
    """POST /v1/customers/{customer}/balance_transactions"""
    row, params = _living(call), call.params
    moved = move_balance(
        call.world.of(row),
        row,
        params.take_int("amount") or 0,
        currency=params.need_str("currency").lower(),
        description=params.take_str("description"),
        metadata=params.merge_metadata(),
    )
    return moved.body


def list_moves(call: Call) -> Json:
    """GET /v1/customers/{customer}/balance_transactions"""
    row = _living(call)
    call.params.ignore("invoice")
    url = f"/v1/customers/{row.id}/balance_transactions"
    return answer_list(call, "customer_balance_transaction", url, {"customer": row.id})


@includable("customer", "subscriptions")
def subscriptions_of(store: Store, customer: Json) -> Json:
    """A customer's subscriptions that have not ended."""
    rows = store.select("subscription", {"customer": customer["id"]})
    living = [row.body for row in rows if row.body["status"] not in ("canceled", "incomplete_expired")]
    return envelope(living, f"/v1/customers/{customer['id']}/subscriptions")


def _living(call: Call) -> Row:
    row = call.world.store.need("customer", call.path["customer"])
    if row.deleted:
        raise StripeFault(f"No such customer: '{row.id}'", status=404, code="resource_missing", param="id")
    return row


def _apply(params: Params, body: Json) -> None:
    for name in _TEXT_FIELDS:
        if name in params:
            body[name] = params.take_str(name)
    email = body["email"]
    if email is not None and ("@" not in email or " " in email):
        raise StripeFault(f"Invalid email address: {email}", code="email_invalid", param="email")
    body["metadata"] = params.merge_metadata(body["metadata"])
    if "address" in params:
        address = params.take_hash("address")
        body["address"] = {name: address.take_str(name) for name in ADDRESS_FIELDS} if address else None
    if "preferred_locales" in params:
        body["preferred_locales"] = params.take_list("preferred_locales")
    body["tax_exempt"] = params.take_choice("tax_exempt", ("none", "exempt", "reverse"), body["tax_exempt"])
    body["balance"] = params.take_int("balance", body["balance"])
    body["invoice_prefix"] = params.take_str("invoice_prefix", body["invoice_prefix"])
    params.ignore("shipping", "tax", "validate")


def _apply_settings(world: World, row: Row, settings: Params | None) -> None:
    if settings is None:
        return
    settings.ignore("custom_fields", "footer", "rendering_options")
    if "default_payment_method" not in settings:
        return
    chosen = settings.take_str("default_payment_method")
    if chosen is not None:
        method = world.store.find("payment_method", chosen)
        if method is None or method.body["customer"] != row.id:
            raise StripeFault(
                f"No such PaymentMethod: '{chosen}'; it must first be attached to the customer.",
                code="resource_missing",
                param="invoice_settings[default_payment_method]",
            )
    row.body["invoice_settings"]["default_payment_method"] = chosen


OPERATIONS: list[Operation] = [
    ("POST", "/v1/customers", create),
    ("GET", "/v1/customers", list_all),
    ("GET", "/v1/customers/search", search),
    ("GET", "/v1/customers/{customer}", retrieve),
    ("POST", "/v1/customers/{customer}", update),
    ("DELETE", "/v1/customers/{customer}", delete),
    ("GET", "/v1/customers/{customer}/payment_methods", list_methods),
    ("POST", "/v1/customers/{customer}/balance_transactions", move),
    ("GET", "/v1/customers/{customer}/balance_transactions", list_moves),
]
