"""Subscriptions: make, change, cancel.

Source: https://docs.stripe.com/api/subscriptions
"""

import copy
from typing import Any

from sandbox.stripe import lifecycle
from sandbox.stripe.api import Call, Operation
from sandbox.stripe.cards import card_fault
from sandbox.stripe.catalogue import price_from_data
from sandbox.stripe.discounts import take_discounts
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.plan_changes import Change, change_items
from sandbox.stripe.resources.payment_methods import usable_method
from sandbox.stripe.resources.subscription_changes import (
    apply_discounts,
    apply_end,
    apply_method,
    apply_pause,
    apply_trial,
    own,
    refuse_ended,
)
from sandbox.stripe.resources.tax_rates import take_tax
from sandbox.stripe.search import search_answer
from sandbox.stripe.subscription_bodies import Terms
from sandbox.stripe.world import World

Json = dict[str, Any]

_DAY_S = 86400
_ENDED = ("canceled", "incomplete_expired")
_IGNORED = (
    "billing_mode",
    "collection_method",
    "payment_settings",
    "invoice_settings",
    "proration_date",
    "trial_from_plan",
    "backdate_start_date",
    "default_source",
)


def create(call: Call) -> Json:
    """POST /v1/subscriptions"""
    params = call.params
    customer = call.world.customer(params.need_str("customer"))
    world = call.world.of(customer)
    items = [item_of(world, one) for one in params.take_hashes("items")]
    if not items:
        raise StripeFault("Missing required param: items.", code="parameter_missing", param="items")
    behavior = params.take_str("payment_behavior", "allow_incomplete")
    method_id = params.take_str("default_payment_method")
    if method_id is not None:
        method = usable_method(world, method_id, "default_payment_method")
        own(method, customer)
    settings = params.take_hash("trial_settings")
    end = settings.take_hash("end_behavior") if settings is not None else None
    off_session = params.take_bool("off_session", True)
    terms = Terms(
        items=items,
        trial_end=_trial_end(world, params),
        default_payment_method=method_id,
        metadata=params.merge_metadata(),
        description=params.take_str("description"),
        cancel_at_period_end=bool(params.take_bool("cancel_at_period_end", False)),
        cancel_at=params.take_int("cancel_at"),
        missing_payment_method=end.need_str("missing_payment_method")
        if end is not None
        else "create_invoice",
        off_session=bool(off_session),
        collect=behavior != "default_incomplete",
        currency=params.take_str("currency"),
        discounts=take_discounts(world, params, customer.id),
        **_tax_terms(world, params),
    )
    params.ignore(*_IGNORED, "billing_cycle_anchor", "proration_behavior", "add_invoice_items")
    row, decline = lifecycle.start(world, customer, terms)
    if decline is not None and behavior == "error_if_incomplete":
        raise card_fault(decline)
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/subscriptions/{subscription_exposed_id}"""
    return call.world.store.need("subscription", call.path["subscription_exposed_id"]).body


def update(call: Call) -> Json:
    """POST /v1/subscriptions/{subscription_exposed_id}"""
    params, row = call.params, call.world.store.need("subscription", call.path["subscription_exposed_id"])
    world, body, before = call.world.of(row), row.body, copy.deepcopy(row.body)
    if body["status"] in _ENDED:
        refuse_ended(params)
    body["metadata"] = params.merge_metadata(body["metadata"])
    body["description"] = params.take_str("description", body["description"])
    apply_method(world, params, body)
    apply_pause(params, body)
    apply_discounts(world, params, body)
    body.update(take_tax(world, params, {"liability": None}))
    apply_end(world, params, row)
    if "trial_end" in params:
        apply_trial(world, params, row)
    items = params.take_hashes("items")
    behavior = params.take_str("payment_behavior", "allow_incomplete") or ""
    prorations = (
        params.take_choice(
            "proration_behavior", ("always_invoice", "create_prorations", "none"), "create_prorations"
        )
        or ""
    )
    anchor_now = params.take_choice("billing_cycle_anchor", ("now", "unchanged"), "unchanged") == "now"
    prorate_at = params.take_int("proration_date")
    params.ignore(*_IGNORED, "currency", "off_session", "trial_settings", "add_invoice_items")
    if items or anchor_now:
        change = Change(items, prorations, anchor_now, prorate_at)
        change_items(world, row, before, change, payment_behavior=behavior)
    else:
        lifecycle.save_changed(world, before, row)
    return world.store.need("subscription", row.id).body


def cancel(call: Call) -> Json:
    """DELETE /v1/subscriptions/{subscription_exposed_id}"""
    row = call.world.store.need("subscription", call.path["subscription_exposed_id"])
    if row.body["status"] in _ENDED:
        raise StripeFault(
            f"No such subscription: '{row.id}'", status=404, code="resource_missing", param="id"
        )
    details = call.params.take_hash("cancellation_details")
    call.params.ignore("invoice_now", "prorate")
    given = (
        {name: details.take_str(name) for name in ("comment", "feedback")} if details is not None else None
    )
    lifecycle.cancel(call.world.of(row), row, "cancellation_requested", given)
    return row.body


def resume(call: Call) -> Json:
    """POST /v1/subscriptions/{subscription}/resume: out of `paused`, with a new period from now."""
    row = call.world.store.need("subscription", call.path["subscription"])
    if row.body["status"] != "paused":
        raise StripeFault("Only paused subscriptions can be resumed.")
    call.params.ignore("billing_cycle_anchor", "proration_behavior", "proration_date")
    world = call.world.of(row)
    row.body.update(status="active", billing_cycle_anchor=world.now)
    lifecycle.renew(world, row)
    emit(world, "customer.subscription.resumed", row.body)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/subscriptions: those that have not ended, unless `status` says otherwise."""
    params, extra = call.params, ""
    where: Json = {}
    customer, status = params.take_str("customer"), params.take_str("status")
    price, clock = params.take_str("price"), params.take_str("test_clock")
    if customer is not None:
        where["customer"] = customer
    else:
        where["clock"] = clock
    values: tuple[object, ...] = ()
    if status is None:
        extra = "json_extract(body, '$.status') NOT IN ('canceled', 'incomplete_expired')"
    elif status == "ended":
        extra = "json_extract(body, '$.status') IN ('canceled', 'incomplete_expired')"
    elif status != "all":
        where["status"] = status
    if price is not None:
        extra = " AND ".join(part for part in (extra, "instr(body, ?) > 0") if part)
        values = (f'"{price}"',)
    params.ignore("collection_method", "current_period_end", "current_period_start", "automatic_tax")
    return answer_list(call, "subscription", "/v1/subscriptions", where, extra=extra, extra_values=values)


def search(call: Call) -> Json:
    """GET /v1/subscriptions/search"""
    return search_answer(call, "subscription", "/v1/subscriptions/search")


def list_items(call: Call) -> Json:
    """GET /v1/subscription_items"""
    call.params.ignore("limit", "starting_after", "ending_before")
    return dict(
        call.world.reference("subscription", call.params.need_str("subscription"), "subscription").body[
            "items"
        ]
    )


def item_of(world: World, params: Params) -> tuple[Json, int, Json]:
    """The (price, quantity, metadata) of an item that a call names."""
    data = params.take_hash("price_data")
    if data is not None:
        price = price_from_data(world, data, active=False).body
    else:
        price = world.reference("price", params.need_str("price"), params.full_name("price")).body
    if price["type"] != "recurring":
        raise StripeFault(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            param=params.full_name("price"),
        )
    if not price["active"] and data is None:
        raise StripeFault(
            "The price specified is inactive. This field only accepts active prices.",
            param=params.full_name("price"),
        )
    params.ignore("tax_rates", "discounts", "billing_thresholds")
    return price, params.take_int("quantity", 1) or 1, params.merge_metadata()


def _trial_end(world: World, params: Params) -> int | None:
    days = params.take_int("trial_period_days")
    if days is not None:
        return world.now + days * _DAY_S
    return None if params.take_str("trial_end") == "now" else params.take_int("trial_end")


def _tax_terms(world: World, params: Params) -> Json:
    taken = take_tax(world, params, {"liability": None})
    return {
        "automatic_tax": taken["automatic_tax"]["enabled"] if "automatic_tax" in taken else False,
        "default_tax_rates": taken.get("default_tax_rates", []),
    }


OPERATIONS: list[Operation] = [
    ("POST", "/v1/subscriptions", create),
    ("GET", "/v1/subscriptions", list_all),
    ("GET", "/v1/subscriptions/search", search),
    ("GET", "/v1/subscriptions/{subscription_exposed_id}", retrieve),
    ("POST", "/v1/subscriptions/{subscription_exposed_id}", update),
    ("DELETE", "/v1/subscriptions/{subscription_exposed_id}", cancel),
    ("POST", "/v1/subscriptions/{subscription}/resume", resume),
    ("GET", "/v1/subscription_items", list_items),
]
