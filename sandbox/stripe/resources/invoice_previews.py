"""Preview invoices: what a subscription, or a change of one, would cost.

Source: https://docs.stripe.com/api/invoices/create_preview
"""

from typing import Any

from sandbox.stripe.api import Call, Operation
from sandbox.stripe.discounts import take_discounts
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.params import Params
from sandbox.stripe.plan_changes import Change
from sandbox.stripe.previews import preview_change, preview_new, preview_next
from sandbox.stripe.resources.subscriptions import item_of
from sandbox.stripe.store import Row
from sandbox.stripe.subscription_bodies import Terms, schedule_cancel
from sandbox.stripe.world import World

Json = dict[str, Any]

_PRORATIONS = ("always_invoice", "create_prorations", "none")


def create(call: Call) -> Json:
    """POST /v1/invoices/create_preview"""
    params = call.params
    subscription_id, customer_id = params.take_str("subscription"), params.take_str("customer")
    details = params.take_hash("subscription_details")
    automatic = params.take_hash("automatic_tax")
    taxed = bool(automatic.take_bool("enabled", False)) if automatic is not None else False
    if automatic is not None:
        automatic.ignore("liability")
    params.ignore("preview_mode", "currency")
    if subscription_id is not None:
        params.ignore("discounts")
        row = call.world.reference("subscription", subscription_id, "subscription")
        return _of_existing(call.world.of(row), row, details)
    if customer_id is None or details is None:
        raise StripeFault("Missing required param: subscription or customer.", code="parameter_missing")
    customer = call.world.customer(customer_id)
    world = call.world.of(customer)
    terms = Terms(
        items=[item_of(world, one) for one in details.take_hashes("items")],
        trial_end=None if details.take_str("trial_end") == "now" else details.take_int("trial_end"),
        discounts=take_discounts(world, params, customer.id),
        automatic_tax=taxed,
    )
    if not terms.items:
        raise StripeFault("Missing required param: subscription_details[items].", code="parameter_missing")
    return preview_new(world, customer, terms)


def _of_existing(world: World, row: Row, details: Params | None) -> Json:
    if details is None:
        return preview_next(world, row)
    prorations = details.take_choice("proration_behavior", _PRORATIONS, "create_prorations") or ""
    anchor_now = details.take_str("billing_cycle_anchor") == "now"
    moment = details.take_int("proration_date")
    if details.take_bool("cancel_at_period_end", False):
        schedule_cancel(world, row, True)
    details.ignore("billing_mode", "default_tax_rates")
    changes = details.take_hashes("items")
    if not changes and not anchor_now:
        return preview_next(world, row)
    return preview_change(world, row, Change(changes, prorations, anchor_now, moment))


OPERATIONS: list[Operation] = [("POST", "/v1/invoices/create_preview", create)]
