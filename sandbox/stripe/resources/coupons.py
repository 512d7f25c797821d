"""Coupons: what is taken off, and for how long.

Source: https://docs.stripe.com/api/coupons
"""

import copy
from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.errors import StripeFault, missing
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.expand import includable
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row, Store, new_id

Json = dict[str, Any]


def create(call: Call) -> Json:
    """POST /v1/coupons"""
    params, world = call.params, call.world
    coupon_id = params.take_str("id") or new_id("x", 8)[2:]
    if world.store.find("coupon", coupon_id) is not None:
        raise StripeFault("Coupon already exists.", code="resource_already_exists", param="id")
    amount, percent = params.take_int("amount_off"), params.take_str("percent_off")
    duration = params.take_choice("duration", ("forever", "once", "repeating"), "once")
    months = params.take_int("duration_in_months")
    _check(amount, percent, duration, months)
    currency = params.take_str("currency")
    if amount is not None and currency is None:
        raise StripeFault("You must pass currency when passing amount_off.", param="currency")
    body: Json = {
        "id": coupon_id,
        "object": "coupon",
        "amount_off": amount,
        "created": world.now,
        "currency": currency.lower() if currency else None,
        "duration": duration,
        "duration_in_months": months,
        "livemode": False,
        "max_redemptions": params.take_int("max_redemptions"),
        "metadata": params.merge_metadata(),
        "name": params.take_str("name"),
        "percent_off": float(percent) if percent is not None else None,
        "redeem_by": params.take_int("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    _apply_limits(params, body)
    row = world.store.put(Row("coupon", body))
    emit(world, "coupon.created", body)
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/coupons/{coupon}"""
    return _living(call).body


def update(call: Call) -> Json:
    """POST /v1/coupons/{coupon}: only its name and metadata; what it is worth never changes."""
    row = _living(call)
    before = copy.deepcopy(row.body)
    row.body["name"] = call.params.take_str("name", row.body["name"])
    row.body["metadata"] = call.params.merge_metadata(row.body["metadata"])
    call.params.ignore("currency_options")
    save_and_emit(call.world, "coupon.updated", before, row)
    return row.body


def delete(call: Call) -> Json:
    """DELETE /v1/coupons/{coupon}: who has it keeps it; nobody gets it any more."""
    row = _living(call)
    row.deleted, row.body["valid"] = True, False
    call.world.store.put(row)
    emit(call.world, "coupon.deleted", row.body)
    return {"id": row.id, "object": "coupon", "deleted": True}


def list_all(call: Call) -> Json:
    """GET /v1/coupons"""
    return answer_list(call, "coupon", "/v1/coupons", {})


@includable("coupon", "applies_to")
def applies_to(_store: Store, coupon: Json) -> Json:
    """Which products a coupon is for; this stand-in shows it always where there is such a limit."""
    return {"products": coupon.get("applies_to", {}).get("products", [])}


def _check(amount: int | None, percent: str | None, duration: str | None, months: int | None) -> None:
    if (amount is None) == (percent is None):
        raise StripeFault("You must pass exactly one of amount_off and percent_off.", param="percent_off")
    if percent is not None and not 0 < float(percent) <= 100:
        raise StripeFault("`percent_off` must lie between 0 and 100.", param="percent_off")
    if amount is not None and amount <= 0:
        raise StripeFault("Invalid positive integer", code="parameter_invalid_integer", param="amount_off")
    if (duration == "repeating") != (months is not None):
        raise StripeFault("`duration_in_months` goes with `duration=repeating`.", param="duration_in_months")


def _apply_limits(params: Params, body: Json) -> None:
    limit = params.take_hash("applies_to")
    if limit is not None:
        body["applies_to"] = {"products": limit.take_list("products")}
    options = params.take_hash("currency_options")
    if options is not None:
        body["currency_options"] = {
            currency: {"amount_off": int(values["amount_off"])}
            for currency, values in (params.raw("currency_options") or {}).items()
        }
        options.ignore(*body["currency_options"])


def _living(call: Call) -> Row:
    row = call.world.store.need("coupon", call.path["coupon"])
    if row.deleted:
        raise missing("coupon", row.id)
    return row


OPERATIONS: list[Operation] = [
    ("POST", "/v1/coupons", create),
    ("GET", "/v1/coupons", list_all),
    ("GET", "/v1/coupons/{coupon}", retrieve),
    ("POST", "/v1/coupons/{coupon}", update),
    ("DELETE", "/v1/coupons/{coupon}", delete),
]
