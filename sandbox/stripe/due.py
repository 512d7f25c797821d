"""What time does: run everything that has become due on a clock, in order, each at its own moment."""

import copy
from collections.abc import Callable
from typing import Any

from sandbox.stripe import checkout, cycle, disputes, lifecycle, refunding, schedules, settlements
from sandbox.stripe.events import emit
from sandbox.stripe.invoicing import finalize, void
from sandbox.stripe.methods import paying_method
from sandbox.stripe.plan_changes import drop_pending
from sandbox.stripe.store import Row
from sandbox.stripe.world import World

Json = dict[str, Any]


def run_due(world: World, until: int) -> int:
    """Do what is due on this world's clock up to a moment (Unix seconds); gives the number of things done."""
    done = 0
    while (row := world.store.next_due(world.clock, until)) is not None:
        moment = row.due_at if row.due_at is not None else until
        _RUNNERS[row.kind](world.at(moment), row)
        done += 1
    return done


def _run_subscription(world: World, row: Row) -> None:
    action = cycle.next_action(row.body, row.private)
    if action is None or action[0] > world.now:
        lifecycle.save(world, row)
        return
    _ACTIONS[action[1]](world, row)


def _cancel(world: World, row: Row) -> None:
    lifecycle.cancel(world, row, "cancellation_requested")


def _trial_notice(world: World, row: Row) -> None:
    row.private["trial_notice_sent"] = True
    lifecycle.save(world, row)
    emit(world, "customer.subscription.trial_will_end", row.body)


def _end_trial(world: World, row: Row) -> None:
    customer = world.store.need("customer", row.body["customer"])
    wanted = row.body["trial_settings"]["end_behavior"]["missing_payment_method"]
    if wanted == "create_invoice" or paying_method(world, customer, row.body) is not None:
        lifecycle.renew(world, row)
    elif wanted == "cancel":
        lifecycle.cancel(world, row, "cancellation_requested")
    else:
        before = copy.deepcopy(row.body)
        row.body["status"] = "paused"
        lifecycle.save_changed(world, before, row)
        emit(world, "customer.subscription.paused", row.body)


def _expire(world: World, row: Row) -> None:
    before = copy.deepcopy(row.body)
    row.body.update(status="incomplete_expired", ended_at=world.now, canceled_at=world.now)
    lifecycle.save_changed(world, before, row)
    invoice = world.store.find("invoice", row.body["latest_invoice"])
    if invoice is not None and invoice.body["status"] == "open":
        void(world, invoice)


def _resume(world: World, row: Row) -> None:
    before = copy.deepcopy(row.body)
    row.body["pause_collection"] = None
    lifecycle.save_changed(world, before, row)


def _run_invoice(world: World, row: Row) -> None:
    if row.body["status"] == "draft":
        finalize(world, row)
        subscription = _pausing(world, row)
        if subscription is not None:
            void(
                world,
                row,
                "void" if subscription["pause_collection"]["behavior"] == "void" else "uncollectible",
            )
            return
    if row.body["status"] == "open" and row.body["collection_method"] == "charge_automatically":
        lifecycle.collect(world, row, off_session=True, scheduled=True)
        return
    row.due_at = None
    world.store.put(row)


def _pausing(world: World, invoice: Row) -> Json | None:
    parent = invoice.body["parent"]
    found = (
        world.store.find("subscription", parent["subscription_details"]["subscription"]) if parent else None
    )
    return found.body if found is not None and found.body["pause_collection"] else None


_ACTIONS: dict[str, Callable[[World, Row], None]] = {
    cycle.CANCEL: _cancel,
    cycle.TRIAL_NOTICE: _trial_notice,
    cycle.END_TRIAL: _end_trial,
    cycle.RENEW: lifecycle.renew,
    cycle.RESUME: _resume,
    cycle.EXPIRE: _expire,
    cycle.DROP_UPDATE: drop_pending,
}
_RUNNERS: dict[str, Callable[[World, Row], None]] = {
    "subscription": _run_subscription,
    "invoice": _run_invoice,
    "checkout.session": checkout.expire,
    "dispute": disputes.run_deadline,
    "refund": refunding.settle,
    "subscription_schedule": schedules.follow,
    "payment_intent": settlements.settle,
}
