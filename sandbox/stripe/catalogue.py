"""Make products and prices, from calls of their own or from `product_data` and `price_data` inside others."""

from typing import Any

from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_INTERVALS = ("day", "week", "month", "year")


def new_product(world: World, params: Params) -> Row:
    """Make a product from `name` and what else is given."""
    product_id = params.take_str("id") or new_id("prod", 14)
    if world.store.find("product", product_id) is not None:
        raise StripeFault(f"Product already exists: {product_id}", code="resource_already_exists", param="id")
    body: Json = {
        "id": product_id,
        "object": "product",
        "active": True,
        "created": world.now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": params.need_str("name"),
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "unit_label": None,
        "updated": world.now,
        "url": None,
    }
    apply_product(params, body)
    row = world.store.put(Row("product", body))
    emit(world, "product.created", body)
    return row


def apply_product(params: Params, body: Json) -> None:
    """Set the fields of a product that are given."""
    for name in ("description", "statement_descriptor", "tax_code", "unit_label", "url"):
        if name in params:
            body[name] = params.take_str(name)
    for name in ("active", "shippable"):
        if name in params:
            body[name] = params.take_bool(name)
    if "images" in params:
        body["images"] = params.take_list("images")
    if "marketing_features" in params:
        body["marketing_features"] = [
            {"name": one.need_str("name")} for one in params.take_hashes("marketing_features")
        ]
    body["metadata"] = params.merge_metadata(body["metadata"])
    params.ignore("package_dimensions", "type")


def price_from_data(world: World, data: Params, product: Row | None = None, *, active: bool = True) -> Row:
    """Make a price from `price_data` or from the parameters of a call; `product` overrides the parameter."""
    owner = product or _product(world, data)
    amount = data.take_int("unit_amount")
    decimal = data.take_str("unit_amount_decimal")
    if amount is None and decimal is not None:
        amount = round(float(decimal))
    if amount is None or amount < 0:
        full = data.full_name("unit_amount")
        raise StripeFault(f"Missing required param: {full}.", code="parameter_missing", param=full)
    currency = data.need_str("currency").lower()
    if len(currency) != 3 or not currency.isalpha():
        raise StripeFault(
            f"Invalid currency: {currency}", code="parameter_invalid", param=data.full_name("currency")
        )
    recurring = _recurring(data.take_hash("recurring"))
    body: Json = {
        "id": new_id("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": world.now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": data.merge_metadata(),
        "nickname": data.take_str("nickname"),
        "product": owner.id,
        "recurring": recurring,
        "tax_behavior": data.take_str("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    take_currency_options(data, body)
    row = world.store.put(Row("price", body))
    emit(world, "price.created", body)
    return row


def amount_in(price: Json, currency: str) -> int:
    """What a price costs in this currency, in that currency's minor unit.

    Raises:
        StripeFault: if it has no amount in it.
    """
    if price["currency"] == currency:
        return int(price["unit_amount"])
    option = price.get("currency_options", {}).get(currency)
    if option is None:
        raise StripeFault(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
            f"`{currency}`.",
            param="currency",
        )
    return int(option["unit_amount"])


def take_currency_options(data: Params, body: Json) -> None:
    """Keep what a price costs in other currencies; shown only where there are any."""
    options = data.take_hash("currency_options")
    if options is None:
        return
    kept = dict(body.get("currency_options", {}))
    for currency in list(data.raw("currency_options")):
        one = options.take_hash(currency)
        if one is None:
            kept.pop(currency, None)
            continue
        amount = one.take_int("unit_amount") or 0
        one.ignore("unit_amount_decimal", "tiers")
        kept[currency] = {
            "custom_unit_amount": None,
            "tax_behavior": one.take_str("tax_behavior", "unspecified"),
            "unit_amount": amount,
            "unit_amount_decimal": str(amount),
        }
    body["currency_options"] = kept


def _product(world: World, data: Params) -> Row:
    nested = data.take_hash("product_data")
    if nested is not None:
        return new_product(world, nested)
    return world.reference("product", data.need_str("product"), data.full_name("product"))


def _recurring(params: Params | None) -> Json | None:
    if params is None:
        return None
    interval = params.need_str("interval")
    if interval not in _INTERVALS:
        raise StripeFault(f"Invalid interval: {interval}", param=params.full_name("interval"))
    params.ignore("usage_type", "trial_period_days")
    return {
        "interval": interval,
        "interval_count": params.take_int("interval_count", 1),
        "meter": None,
        "usage_type": "licensed",
    }
