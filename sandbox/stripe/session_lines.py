"""Read what a Checkout session is for from a call: its lines, and what its subscription or payment is to be."""

from typing import Any

from sandbox.stripe.catalogue import amount_in, price_from_data
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.params import Params
from sandbox.stripe.store import new_id
from sandbox.stripe.world import World

Json = dict[str, Any]


def new_line(world: World, params: Params, mode: str, wanted: str | None) -> Json:
    """One line of a call, in the currency that is wanted, or else in the price's own."""
    data = params.take_hash("price_data")
    if data is not None:
        price = price_from_data(world, data, active=False).body
    else:
        price = world.reference("price", params.need_str("price"), params.full_name("price")).body
        if not price["active"]:
            raise StripeFault(
                "The price specified is inactive. This field only accepts active prices.",
                param=params.full_name("price"),
            )
    if mode == "payment" and price["type"] == "recurring":
        raise StripeFault(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or "
            "use only one-time prices.",
            param=params.full_name("price"),
        )
    quantity = params.take_int("quantity", 1) or 1
    params.ignore("adjustable_quantity", "dynamic_tax_rates")
    currency = (wanted or price["currency"]).lower()
    amount = amount_in(price, currency) * quantity
    product = world.store.need("product", price["product"])
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": currency,
        "description": product.body["name"],
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def subscription_data(world: World, params: Params | None, mode: str) -> Json:
    """What a session's subscription is to be."""
    if params is None:
        return {}
    if mode != "subscription":
        raise StripeFault(
            "You can not pass `subscription_data` in `payment` mode.", param="subscription_data"
        )
    data: Json = {
        "metadata": params.merge_metadata(),
        "description": params.take_str("description"),
        "trial_period_days": params.take_int("trial_period_days"),
        "trial_end": params.take_int("trial_end"),
    }
    settings = params.take_hash("trial_settings")
    behavior = settings.take_hash("end_behavior") if settings is not None else None
    if behavior is not None:
        data["missing_payment_method"] = behavior.need_str("missing_payment_method")
    data["default_tax_rates"] = [
        world.reference("tax_rate", one, params.full_name("default_tax_rates")).body
        for one in params.take_list("default_tax_rates")
    ]
    params.ignore("billing_mode", "invoice_settings", "proration_behavior")
    return data


def intent_data(params: Params | None) -> Json:
    """What a session's payment intent is to say."""
    if params is None:
        return {}
    data: Json = {"metadata": params.merge_metadata()}
    for name in ("description", "setup_future_usage", "receipt_email"):
        data[name] = params.take_str(name)
    params.ignore("statement_descriptor", "statement_descriptor_suffix", "capture_method", "shipping")
    return data
