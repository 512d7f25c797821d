"""Subscription schedules.

Source: https://docs.stripe.com/api/subscription_schedules
"""

import copy
from typing import Any

from sandbox.stripe import cycle, lifecycle
from sandbox.stripe.api import Call, Operation
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.lists import answer_list
from sandbox.stripe.params import Params
from sandbox.stripe.schedules import begin, cancel, keep, phase_body, release, schedule_body
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]

_KIND = "subscription_schedule"
_ENDS = ("cancel", "release")
_IGNORED = (
    "add_invoice_items",
    "automatic_tax",
    "billing_cycle_anchor",
    "collection_method",
    "currency",
    "default_payment_method",
    "default_tax_rates",
    "description",
    "discounts",
    "invoice_settings",
    "trial",
    "trial_end",
)


def create(call: Call) -> Json:
    """POST /v1/subscription_schedules: of a subscription that there is, or of one to come."""
    params = call.params
    origin = params.take_str("from_subscription")
    if origin is not None:
        return _from_subscription(call, origin).body
    customer = call.world.customer(params.need_str("customer"))
    world = call.world.of(customer)
    start = world.now if params.take_str("start_date") == "now" else params.take_int("start_date")
    if start is None:
        raise StripeFault("Missing required param: start_date.", code="parameter_missing", param="start_date")
    phases = _phases(world, params.take_hashes("phases"), start)
    if not phases:
        raise StripeFault("Missing required param: phases.", code="parameter_missing", param="phases")
    end = params.take_choice("end_behavior", _ENDS, "release") or ""
    params.ignore("billing_mode", "default_settings")
    body = schedule_body(world, customer.id, phases, end)
    body["metadata"] = params.merge_metadata()
    row = keep(world, Row(_KIND, body, clock=world.clock))
    emit(world, "subscription_schedule.created", body)
    if start <= world.now:
        begin(world, row)
    return row.body


def retrieve(call: Call) -> Json:
    """GET /v1/subscription_schedules/{schedule}"""
    return call.world.store.need(_KIND, call.path["schedule"]).body


def update(call: Call) -> Json:
    """POST /v1/subscription_schedules/{schedule}: new phases replace the old ones; the current one is the first."""
    row, params = call.world.store.need(_KIND, call.path["schedule"]), call.params
    _refuse_ended(row)
    world, before = call.world.of(row), copy.deepcopy(row.body)
    row.body["metadata"] = params.merge_metadata(row.body["metadata"])
    row.body["end_behavior"] = params.take_choice("end_behavior", _ENDS, row.body["end_behavior"])
    params.ignore("default_settings", "proration_behavior")
    given = params.take_hashes("phases")
    if given:
        row.body["phases"] = _phases(world, given, row.body["phases"][0]["start_date"])
        current = row.body["current_phase"]
        if current is not None:
            phase = next((one for one in row.body["phases"] if one["end_date"] > world.now), None)
            if phase is None:
                raise StripeFault("The current phase must be among the phases.", param="phases")
            row.body["current_phase"] = {name: phase[name] for name in ("end_date", "start_date")}
    keep(world, row)
    save_and_emit(world, "subscription_schedule.updated", before, row)
    return row.body


def release_one(call: Call) -> Json:
    """POST /v1/subscription_schedules/{schedule}/release"""
    row = call.world.store.need(_KIND, call.path["schedule"])
    call.params.ignore("preserve_cancel_date")
    _refuse_ended(row)
    release(call.world.of(row), row)
    return row.body


def cancel_one(call: Call) -> Json:
    """POST /v1/subscription_schedules/{schedule}/cancel"""
    row = call.world.store.need(_KIND, call.path["schedule"])
    call.params.ignore("invoice_now", "prorate")
    _refuse_ended(row)
    cancel(call.world.of(row), row)
    return row.body


def list_all(call: Call) -> Json:
    """GET /v1/subscription_schedules"""
    customer = call.params.take_str("customer")
    call.params.ignore("scheduled")
    where = {"customer": customer} if customer else {}
    return answer_list(call, _KIND, "/v1/subscription_schedules", where)


def _from_subscription(call: Call, origin: str) -> Row:
    subscription = call.world.reference("subscription", origin, "from_subscription")
    world, body = call.world.of(subscription), subscription.body
    if body["schedule"] is not None or body["status"] not in cycle.LIVE:
        raise StripeFault(
            "You cannot migrate a subscription that is already attached to a schedule, or has ended.",
            param="from_subscription",
        )
    items = [{"price": one["price"]["id"], "quantity": one["quantity"]} for one in body["items"]["data"]]
    first = body["items"]["data"][0]
    start, end = first["current_period_start"], cycle.current_period_end(body)
    phase = phase_body(body["currency"], items, start, end)
    made = schedule_body(world, body["customer"], [phase], "release")
    made.update(status="active", subscription=subscription.id)
    made["current_phase"] = {"end_date": end, "start_date": start}
    row = keep(world, Row(_KIND, made, clock=world.clock))
    emit(world, "subscription_schedule.created", made)
    before = copy.deepcopy(body)
    body["schedule"] = row.id
    lifecycle.save_changed(world, before, subscription)
    return row


def _phases(world: World, given: list[Params], start: int) -> list[Json]:
    phases = []
    for one in given:
        begins = one.take_str("start_date")
        at = start if begins is None else (world.now if begins == "now" else int(begins))
        items, price = [], None
        for item in one.take_hashes("items"):
            price = world.reference("price", item.need_str("price"), item.full_name("price")).body
            items.append({"price": price["id"], "quantity": item.take_int("quantity", 1)})
            item.ignore("metadata", "discounts", "tax_rates", "billing_thresholds")
        if price is None:
            raise StripeFault("A phase needs items.", code="parameter_missing", param=one.full_name("items"))
        end = _end_of(world, one, at, price)
        behavior = one.take_choice("proration_behavior", ("always_invoice", "create_prorations", "none"))
        more = {"metadata": one.merge_metadata(), "proration_behavior": behavior or "create_prorations"}
        one.ignore(*_IGNORED)
        phases.append(phase_body(price["currency"], items, at, end, **more))
        start = end
    return phases


def _end_of(world: World, phase: Params, start: int, price: Json) -> int:
    duration, given = phase.take_hash("duration"), phase.take_str("end_date")
    if given is not None:
        return world.now if given == "now" else int(given)
    if duration is not None:
        return cycle.add_intervals(
            start, duration.need_str("interval"), duration.take_int("interval_count", 1) or 1
        )
    return cycle.add_intervals(start, price["recurring"]["interval"], price["recurring"]["interval_count"])


def _refuse_ended(row: Row) -> None:
    if row.body["status"] not in ("active", "not_started"):
        raise StripeFault(
            f"This subscription schedule is {row.body['status']}, so it cannot be changed.", param="schedule"
        )


OPERATIONS: list[Operation] = [
    ("POST", "/v1/subscription_schedules", create),
    ("GET", "/v1/subscription_schedules", list_all),
    ("GET", "/v1/subscription_schedules/{schedule}", retrieve),
    ("POST", "/v1/subscription_schedules/{schedule}", update),
    ("POST", "/v1/subscription_schedules/{schedule}/release", release_one),
    ("POST", "/v1/subscription_schedules/{schedule}/cancel", cancel_one),
]
