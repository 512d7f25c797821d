"""What an update of a subscription may set, field by field; what it is for is changed in `plan_changes`.

Source: https://docs.stripe.com/api/subscriptions/update
"""

from typing import Any

from sandbox.stripe.discounts import attach_discount, end_discount, take_discounts
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row
from sandbox.stripe.subscription_bodies import schedule_cancel
from sandbox.stripe.world import World

Json = dict[str, Any]


def own(method: Row, customer: Row) -> None:
    """Refuse a payment method of somebody else's."""
    if method.body["customer"] != customer.id:
        raise StripeFault(
            f"The customer does not have a payment method with the ID {method.id}. The payment method must be "
            "attached to the customer.",
            code="resource_missing",
            param="default_payment_method",
        )


def refuse_ended(params: Params) -> None:
    """Raise for what an ended subscription does not take any more."""
    if any(
        name in params
        for name in ("items", "cancel_at_period_end", "cancel_at", "trial_end", "pause_collection")
    ):
        raise StripeFault(
            "A canceled subscription can only update its cancellation_details and metadata.", param="id"
        )


def apply_method(world: World, params: Params, body: Json) -> None:
    """The method that pays it."""
    chosen = params.take_str("default_payment_method")
    if chosen is not None:
        own(
            world.reference("payment_method", chosen, "default_payment_method"),
            world.customer(body["customer"]),
        )
        body["default_payment_method"] = chosen
    elif "default_payment_method" in params:
        body["default_payment_method"] = None


def apply_discounts(world: World, params: Params, body: Json) -> None:
    """A list replaces the discounts, an empty value takes them all away; none leaves them."""
    if "discounts" not in params:
        return
    for discount_id in body["discounts"]:
        end_discount(world, discount_id)
    body["discounts"] = [
        attach_discount(world, one, customer=body["customer"], subscription=body["id"]).id
        for one in take_discounts(world, params, body["customer"])
    ]


def apply_pause(params: Params, body: Json) -> None:
    """Pause collecting, or go on."""
    pause = params.take_hash("pause_collection")
    if pause is not None:
        behavior = pause.take_choice("behavior", ("keep_as_draft", "mark_uncollectible", "void"))
        body["pause_collection"] = {"behavior": behavior, "resumes_at": pause.take_int("resumes_at")}
    elif "pause_collection" in params:
        body["pause_collection"] = None


def apply_end(world: World, params: Params, row: Row) -> None:
    """When it is to end, and why."""
    wanted, at = params.take_bool("cancel_at_period_end"), params.take_int("cancel_at")
    details = params.take_hash("cancellation_details")
    given = {name: details.take_str(name) for name in ("comment", "feedback")} if details is not None else {}
    if wanted is not None and wanted != row.body["cancel_at_period_end"]:
        schedule_cancel(world, row, wanted, given)
    elif given:
        row.body["cancellation_details"] = {**row.body["cancellation_details"], **given}
    if at is not None:
        if at <= world.now:
            raise StripeFault("`cancel_at` must be in the future.", param="cancel_at")
        row.body.update(cancel_at=at, canceled_at=world.now, cancel_at_period_end=False)
        row.body["cancellation_details"]["reason"] = "cancellation_requested"
    elif "cancel_at" in params:
        row.body.update(cancel_at=None, canceled_at=None, cancel_at_period_end=False)
        row.body["cancellation_details"]["reason"] = None


def apply_trial(world: World, params: Params, row: Row) -> None:
    """When its trial ends."""
    body = row.body
    if params.take_str("trial_end") == "now":
        if body["status"] == "trialing":
            body["trial_end"] = world.now
        return
    end = params.take_int("trial_end")
    if end is None or end <= world.now:
        raise StripeFault("Invalid trial_end: must be in the future.", param="trial_end")
    body.update(
        status="trialing",
        trial_end=end,
        trial_start=body["trial_start"] or world.now,
        billing_cycle_anchor=end,
    )
    for item in body["items"]["data"]:
        item.update(current_period_start=world.now, current_period_end=end)
    row.private.pop("trial_notice_sent", None)
