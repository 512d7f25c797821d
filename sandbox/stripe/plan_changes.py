"""Change what a subscription is for, with the prorations that follow.

Source: https://docs.stripe.com/billing/subscriptions/prorations
"""

import copy
from dataclasses import dataclass
from typing import Any

from sandbox.stripe import cycle, lifecycle
from sandbox.stripe.cards import card_fault
from sandbox.stripe.catalogue import amount_in
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import save_and_emit
from sandbox.stripe.invoice_bodies import line_item, subscription_parent
from sandbox.stripe.invoicing import create_invoice, finalize, pay, void
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.subscription_bodies import new_item, period_lines
from sandbox.stripe.world import World

Json = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """What is asked of a subscription's items. `prorate_at`: the difference is counted for then (Unix seconds; None:
    now). `anchor_now`: the period begins anew."""

    items: list[Params]
    prorations: str
    anchor_now: bool = False
    prorate_at: int | None = None


def change_items(world: World, row: Row, before: Json, change: Change, *, payment_behavior: str) -> None:
    """Apply changes of items, and invoice or keep the difference.

    Raises:
        StripeFault: for an unknown item or price; 402 with `error_if_incomplete` when the card declines.
    """
    invoice_id = new_id("in")
    lines, restart = change_lines(world, row, change, invoice_id)
    if row.body["status"] == "trialing":
        lifecycle.save_changed(world, before, row)
        return
    if lines and (restart or change.prorations == "always_invoice"):
        _invoice_now(world, row, before, lines, invoice_id, payment_behavior)
        return
    if lines:
        row.private["pending_lines"] = [*row.private.get("pending_lines", []), *lines]
    lifecycle.save_changed(world, before, row)


def change_lines(world: World, row: Row, change: Change, invoice_id: str) -> tuple[list[Json], bool]:
    """Change the items, in memory only; gives the lines that follow, and whether the period starts anew.

    Raises:
        StripeFault: where `prorate_at` lies outside the period that runs.
    """
    body = row.body
    counted = world if change.prorate_at is None else world.at(_in_period(body, change.prorate_at))
    old_items = copy.deepcopy(body["items"]["data"])
    new_items = plan_items(world, body, change.items)
    same_rhythm = _rhythm(old_items) == _rhythm(new_items)
    restart = body["status"] in ("active", "past_due") and (change.anchor_now or not same_rhythm)
    if restart:
        _restart(world, body, new_items)
    body["items"]["data"] = new_items
    if restart and body["cancel_at_period_end"]:
        body["cancel_at"] = cycle.current_period_end(body)
    if body["status"] == "trialing":
        return [], restart
    lines = (
        []
        if change.prorations == "none"
        else proration_lines(counted, body, old_items, new_items, invoice_id, restart)
    )
    return [*lines, *(period_lines(body, invoice_id) if restart else [])], restart


def _in_period(body: Json, moment: int) -> int:
    """Source: https://docs.stripe.com/billing/subscriptions/prorations#preview-proration"""
    items = body["items"]["data"]
    begin, end = min(one["current_period_start"] for one in items), cycle.current_period_end(body)
    if body["status"] != "trialing" and not begin <= moment <= end:
        raise StripeFault(
            f"The proration date {moment} lies outside the current period, {begin} to {end}.",
            param="proration_date",
        )
    return moment


def plan_items(world: World, body: Json, changes: list[Params]) -> list[Json]:
    """The items after the changes; each keeps its period, which a restart replaces afterwards."""
    items = {item["id"]: copy.deepcopy(item) for item in body["items"]["data"]}
    first = body["items"]["data"][0]
    period = (first["current_period_start"], first["current_period_end"])
    for change in changes:
        item_id, price_id = change.take_str("id"), change.take_str("price")
        quantity = change.take_int("quantity")
        price = world.reference("price", price_id, change.full_name("price")).body if price_id else None
        change.ignore("tax_rates", "discounts", "billing_thresholds", "clear_usage")
        if price is not None and (price["type"] != "recurring" or not price["active"]):
            raise StripeFault(
                "This field only accepts active, recurring prices.", param=change.full_name("price")
            )
        if item_id is None:
            if price is None:
                full = change.full_name("price")
                raise StripeFault(f"Missing required param: {full}.", code="parameter_missing", param=full)
            added = new_item(world, body["id"], price, quantity or 1, period, change.merge_metadata())
            items[added["id"]] = added
            continue
        item = items.get(item_id)
        if item is None:
            raise StripeFault(
                f"No such subscription item: '{item_id}'",
                code="resource_missing",
                param=change.full_name("id"),
            )
        if change.take_bool("deleted", False):
            del items[item_id]
            continue
        item["price"] = copy.deepcopy(price) if price is not None else item["price"]
        item["quantity"] = quantity if quantity is not None else item["quantity"]
        item["metadata"] = change.merge_metadata(item["metadata"])
    if not items:
        raise StripeFault(
            "A subscription must have at least one active plan. Cancel it instead.", param="items"
        )
    return list(items.values())


def proration_lines(
    world: World, body: Json, old_items: list[Json], new_items: list[Json], invoice_id: str, restart: bool
) -> list[Json]:
    """Credits for the unused rest of the old items, and, within the same period, charges for the new ones."""
    lines = []
    for item in old_items:
        kept = next((one for one in new_items if one["id"] == item["id"]), None)
        if (
            not restart
            and kept is not None
            and _worth(kept, body["currency"]) == _worth(item, body["currency"])
        ):
            continue
        lines.append(_proration(world, body, item, invoice_id, -1, "Unused time on"))
    if restart:
        return lines
    for item in new_items:
        former = next((one for one in old_items if one["id"] == item["id"]), None)
        if former is None or _worth(former, body["currency"]) != _worth(item, body["currency"]):
            lines.append(_proration(world, body, item, invoice_id, 1, "Remaining time on"))
    return lines


def _proration(world: World, body: Json, item: Json, invoice_id: str, sign: int, words: str) -> Json:
    start, end = item["current_period_start"], item["current_period_end"]
    amount = sign * cycle.prorated(_worth(item, body["currency"])[1], start, end, world.now)
    return line_item(
        invoice_id,
        amount=amount,
        currency=body["currency"],
        description=f"{words} {item['quantity']} × {item['price']['nickname'] or 'Subscription'}",
        price=item["price"],
        quantity=item["quantity"],
        period=(world.now, end),
        parent=subscription_parent(body["id"], item["id"], True),
    )


def _invoice_now(
    world: World, row: Row, before: Json, lines: list[Json], invoice_id: str, payment_behavior: str
) -> None:
    customer = world.store.need("customer", row.body["customer"])
    invoice = create_invoice(
        world,
        customer,
        lines=lines,
        currency=row.body["currency"],
        reason="subscription_update",
        subscription=row.body,
        invoice_id=invoice_id,
        auto_advance=False,
    )
    row.body["latest_invoice"] = invoice.id
    if payment_behavior == "pending_if_incomplete":
        _pend_or_apply(world, row, before, invoice)
        return
    lifecycle.save_changed(world, before, row)
    finalize(world, invoice)
    decline = lifecycle.collect(world, invoice, off_session=True)
    if decline is not None and payment_behavior == "error_if_incomplete":
        raise card_fault(decline)


def _pend_or_apply(world: World, row: Row, before: Json, invoice: Row) -> None:
    """Change only if the invoice gets paid; otherwise leave the old items and a `pending_update` for 23 hours."""
    wanted = copy.deepcopy(row.body)
    row.body = copy.deepcopy(before)
    row.body["latest_invoice"] = invoice.id
    lifecycle.save(world, row)
    finalize(world, invoice)
    if pay(world, invoice, off_session=True) is None:
        row.body = wanted
        lifecycle.save_changed(world, before, row)
        return
    row.body["pending_update"] = {
        "billing_cycle_anchor": None,
        "expires_at": world.now + cycle.INCOMPLETE_S,
        "subscription_items": copy.deepcopy(wanted["items"]["data"]),
        "trial_end": None,
        "trial_from_plan": None,
    }
    row.private["pending_invoice"] = invoice.id
    lifecycle.save_changed(world, before, row)


def drop_pending(world: World, row: Row) -> None:
    """Forget a change that was never paid for, and void its invoice."""
    before = copy.deepcopy(row.body)
    row.body["pending_update"] = None
    invoice = world.store.find("invoice", row.private.pop("pending_invoice", ""))
    if invoice is not None and invoice.body["status"] == "open":
        void(world, invoice)
    lifecycle.save(world, row)
    save_and_emit(world, "customer.subscription.pending_update_expired", before, row)


def _restart(world: World, body: Json, items: list[Json]) -> None:
    body["billing_cycle_anchor"] = world.now
    for item in items:
        recurring = item["price"]["recurring"]
        item["current_period_start"] = world.now
        item["current_period_end"] = cycle.add_intervals(
            world.now, recurring["interval"], recurring["interval_count"]
        )


def _worth(item: Json, currency: str) -> tuple[str, int]:
    return item["price"]["id"], amount_in(item["price"], currency) * item["quantity"]


def _rhythm(items: list[Json]) -> set[tuple[str, int]]:
    return {
        (item["price"]["recurring"]["interval"], item["price"]["recurring"]["interval_count"])
        for item in items
    }
