"""Subscription schedules: a subscription that changes by itself from phase to phase.

Source: https://docs.stripe.com/billing/subscriptions/subscription-schedules
"""

import copy
from typing import Any

from sandbox.stripe import cycle, lifecycle
from sandbox.stripe.events import emit, save_and_emit
from sandbox.stripe.params import Params
from sandbox.stripe.plan_changes import Change, change_items
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.subscription_bodies import Terms
from sandbox.stripe.world import World

Json = dict[str, Any]

_KIND = "subscription_schedule"


def schedule_body(world: World, customer_id: str, phases: list[Json], end_behavior: str) -> Json:
    """A schedule that has not started."""
    nothing = ("application", "canceled_at", "completed_at", "current_phase", "customer_account")
    return {
        "id": new_id("sub_sched"),
        "object": _KIND,
        **dict.fromkeys((*nothing, "released_at", "released_subscription", "subscription")),
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "created": world.now,
        "customer": customer_id,
        "default_settings": {
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": "automatic",
            "billing_thresholds": None,
            "collection_method": "charge_automatically",
            "default_payment_method": None,
            "description": None,
            "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": {"type": "self"}},
            "on_behalf_of": None,
            "transfer_data": None,
        },
        "end_behavior": end_behavior,
        "livemode": False,
        "metadata": {},
        "phases": phases,
        "status": "not_started",
        "test_clock": world.clock,
    }


def phase_body(currency: str, items: list[Json], start: int, end: int, **more: Any) -> Json:
    """A phase; `items` are {"price": id, "quantity": n}, instants Unix seconds."""
    nothing = (
        "application_fee_percent",
        "billing_cycle_anchor",
        "billing_thresholds",
        "collection_method",
        "default_payment_method",
        "description",
        "invoice_settings",
        "on_behalf_of",
        "transfer_data",
        "trial_end",
    )
    return {
        **dict.fromkeys(nothing),
        "add_invoice_items": [],
        "currency": currency,
        "default_tax_rates": [],
        "discounts": [],
        "end_date": end,
        "items": [
            {"billing_thresholds": None, "discounts": [], "metadata": {}, "tax_rates": [], **item}
            for item in items
        ],
        "metadata": {},
        "proration_behavior": "create_prorations",
        "start_date": start,
        **more,
    }


def keep(world: World, row: Row) -> Row:
    """Store a schedule with the moment when it next does something."""
    body = row.body
    row.due_at = None
    if body["status"] == "not_started":
        row.due_at = body["phases"][0]["start_date"]
    elif body["status"] == "active" and body["current_phase"] is not None:
        row.due_at = body["current_phase"]["end_date"]
    return world.store.put(row)


def follow(world: World, row: Row) -> None:
    """A phase begins, or the last one ends."""
    body, before = row.body, copy.deepcopy(row.body)
    if body["status"] == "not_started":
        begin(world, row)
        return
    following = [one for one in body["phases"] if one["start_date"] >= world.now]
    if not following:
        _end(world, row, before)
        return
    phase = following[0]
    body["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
    keep(world, row)
    subscription = world.store.need("subscription", body["subscription"])
    if subscription.body["status"] in cycle.LIVE:
        _apply(world, subscription, phase)
    save_and_emit(world, "subscription_schedule.updated", before, row)


def begin(world: World, row: Row) -> None:
    """Start the subscription of the first phase."""
    body, before = row.body, copy.deepcopy(row.body)
    phase = body["phases"][0]
    customer = world.store.need("customer", body["customer"])
    items: list[tuple[Json, int, Json]] = [
        (world.store.need("price", one["price"]).body, one["quantity"], {}) for one in phase["items"]
    ]
    made, _ = lifecycle.start(world, customer, Terms(items=items, metadata=phase["metadata"]))
    made.body["schedule"] = row.id
    lifecycle.save(world, made)
    body.update(status="active", subscription=made.id)
    body["current_phase"] = {"end_date": phase["end_date"], "start_date": phase["start_date"]}
    keep(world, row)
    save_and_emit(world, "subscription_schedule.updated", before, row)


def release(world: World, row: Row) -> None:
    """Leave the subscription as it is, on its own."""
    body, before = row.body, copy.deepcopy(row.body)
    _let_go(world, row)
    body.update(
        status="released",
        released_at=world.now,
        released_subscription=body["subscription"],
        subscription=None,
        current_phase=None,
    )
    keep(world, row)
    save_and_emit(world, "subscription_schedule.released", before, row)


def cancel(world: World, row: Row) -> None:
    """End the schedule and its subscription."""
    body, before = row.body, copy.deepcopy(row.body)
    body.update(status="canceled", canceled_at=world.now, current_phase=None)
    keep(world, row)
    subscription = world.store.find("subscription", body["subscription"] or "")
    if subscription is not None and subscription.body["status"] in cycle.LIVE:
        lifecycle.cancel(world, subscription, "cancellation_requested")
    save_and_emit(world, "subscription_schedule.canceled", before, row)


def _end(world: World, row: Row, before: Json) -> None:
    if row.body["end_behavior"] == "release":
        release(world, row)
        return
    row.body.update(status="completed", completed_at=world.now, current_phase=None)
    keep(world, row)
    subscription = world.store.need("subscription", row.body["subscription"])
    if subscription.body["status"] in cycle.LIVE:
        lifecycle.cancel(world, subscription, "cancellation_requested")
    save_and_emit(world, "subscription_schedule.completed", before, row)


def _apply(world: World, subscription: Row, phase: Json) -> None:
    before = copy.deepcopy(subscription.body)
    old = subscription.body["items"]["data"]
    changes: list[Json] = []
    for index, item in enumerate(phase["items"]):
        change: Json = {"price": item["price"], "quantity": str(item["quantity"])}
        if index < len(old):
            change["id"] = old[index]["id"]
        changes.append(change)
    changes += [{"id": one["id"], "deleted": "true"} for one in old[len(phase["items"]) :]]
    if phase["metadata"]:
        subscription.body["metadata"] = {**subscription.body["metadata"], **phase["metadata"]}
    asked = Change([Params(one) for one in changes], phase["proration_behavior"])
    change_items(world, subscription, before, asked, payment_behavior="allow_incomplete")


def _let_go(world: World, row: Row) -> None:
    subscription = world.store.find("subscription", row.body["subscription"] or "")
    if subscription is not None:
        before = copy.deepcopy(subscription.body)
        subscription.body["schedule"] = None
        lifecycle.save(world, subscription)
        emit_change = subscription.body["status"] in cycle.LIVE
        if emit_change:
            emit(world, "customer.subscription.updated", subscription.body, {"schedule": before["schedule"]})
