"""Promotion codes: what a customer types to get a coupon.

Source: https://docs.stripe.com/api/promotion_codes
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row, new_id

Json = dict[str, Any]


def create(call: Call) -> Json:
    """POST /v1/promotion_codes"""
    params, world = call.params, call.world
    promotion = params.take_hash("promotion")
    if promotion is None:
        raise StripeFault("Missing required param: promotion.", code="parameter_missing", param="promotion")
    promotion.take_choice("type", ("coupon",))
    coupon = world.reference("coupon", promotion.need_str("coupon"), "promotion[coupon]")
    code = params.take_str("code") or new_id("x", 8)[2:].upper()
    customer = params.take_str("customer")
    for other in world.store.select("promotion_code", {"active": True}):
        if other.body["code"].lower() == code.lower() and other.body["customer"] in (None, customer):
            raise StripeFault("An active promotion code with this code already exists.", param="code")
    body: Json = {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": bool(params.take_bool("active", True)),
        "code": code,
        "created": world.now,
        "customer": world.customer(customer).id if customer else None,
        "customer_account": None,
        "expires_at": params.take_int("expires_at"),
        "livemode": False,
        "max_redemptions": params.take_int("max_redemptions"),
        "metadata": params.merge_metadata(),
        "promotion": {"coupon": coupon.id, "type": "coupon"},
        "restrictions": _restrictions(params.take_hash("restrictions")),
        "times_redeemed": 0,
    }
    world.store.put(Row("promotion_code", body))
    emit(world, "promotion_code.created", body)
    return body


def retrieve(call: Call) -> Json:
    """GET /v1/promotion_codes/{promotion_code}"""
    return call.world.store.need("promotion_code", call.path["promotion_code"]).body


def update(call: Call) -> Json:
    """POST /v1/promotion_codes/{promotion_code}"""
    row, params = call.world.store.need("promotion_code", call.path["promotion_code"]), call.params
    before = copy.deepcopy(row.body)
    row.body["active"] = params.take_bool("active", row.body["active"])
    row.body["metadata"] = params.merge_metadata(row.body["metadata"])
    params.ignore("restrictions")
    save_and_emit(call.world, "promotion_code.updated", before, row)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/promotion_codes"""
    params = call.params
    where: Json = {}
    for name in ("code", "customer"):
        if (value := params.take_str(name)) is not None:
            where[name] = value
    if (coupon := params.take_str("coupon")) is not None:
        where["promotion.coupon"] = coupon
    if (active := params.take_bool("active")) is not None:
        where["active"] = active
    return answer_list(call, "promotion_code", "/v1/promotion_codes", where)


def _restrictions(params: Params | None) -> Json:
    if params is None:
        return {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    params.ignore("currency_options")
    return {
        "first_time_transaction": bool(params.take_bool("first_time_transaction", False)),
        "minimum_amount": params.take_int("minimum_amount"),
        "minimum_amount_currency": params.take_str("minimum_amount_currency"),
    }


OPERATIONS: list[Operation] = [
    ("POST", "/v1/promotion_codes", create),
    ("GET", "/v1/promotion_codes", list_all),
    ("GET", "/v1/promotion_codes/{promotion_code}", retrieve),
    ("POST", "/v1/promotion_codes/{promotion_code}", update),
]
