"""Which tax is due where: a few honest rates by address, or the rates that a call names.

Source: https://docs.stripe.com/tax/calculating and https://docs.stripe.com/api/tax_rates
"""

from decimal import Decimal
from typing import Any

from sandbox.stripe.amounts import Rate
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

# Where this account collects: (country, state or None) → (what it is called, per cent, kind). Hawaii's general
# excise tax on Oahu may be passed on at 4.712 %, which covers itself.
# Source: https://tax.hawaii.gov/geninfo/countysurcharge/
_PLACES: dict[tuple[str, str | None], tuple[str, str, str]] = {
    ("US", "HI"): ("General Excise Tax", "4.712", "sales_tax"),
    ("US", "WA"): ("Sales Tax", "6.5", "sales_tax"),
    ("DE", None): ("VAT", "19", "vat"),
    ("FR", None): ("VAT", "20", "vat"),
    ("AT", None): ("VAT", "20", "vat"),
    ("IE", None): ("VAT", "23", "vat"),
    ("GB", None): ("VAT", "20", "vat"),
    ("JP", None): ("Consumption Tax", "10", "jct"),
    ("CA", None): ("GST", "5", "gst"),
    ("AU", None): ("GST", "10", "gst"),
}
# Prices that do not say so are without tax in these currencies, with tax in the others.
# Source: https://docs.stripe.com/tax/products-prices-tax-codes-tax-behavior#tax-behavior
_EXCLUSIVE_BY_DEFAULT = ("usd", "cad")


def locate(address: Json | None) -> tuple[str, str | None] | None:
    """The country and, where it matters, the state of an address; None if it does not say enough."""
    if not address or not address.get("country"):
        return None
    country, state = str(address["country"]).upper(), address.get("state")
    if country != "US":
        return country, None
    return (country, str(state).upper()) if state else None


def automatic_rate(
    world: World, address: Json | None, exempt: str, price: Json | None, currency: str
) -> Rate:
    """The rate at an address; a place where nothing is collected has one of nothing."""
    behavior = (price or {}).get("tax_behavior", "unspecified")
    inclusive = behavior == "inclusive" or (
        behavior == "unspecified" and currency not in _EXCLUSIVE_BY_DEFAULT
    )
    place = locate(address)
    found = _PLACES.get(place) if place is not None else None
    if place is None or found is None:
        return Rate(None, Decimal(0), inclusive, "not_collecting")
    if exempt != "none":
        return Rate(
            None, Decimal(0), inclusive, "customer_exempt" if exempt == "exempt" else "reverse_charge"
        )
    name, percent, kind = found
    row = _rate_row(world, place, name, percent, kind, inclusive)
    return Rate(row.id, Decimal(percent), inclusive)


def named_rate(world: World, rate_id: str) -> Rate:
    """A rate that a call names."""
    body = world.store.need("tax_rate", rate_id).body
    return Rate(rate_id, Decimal(str(body["percentage"])), body["inclusive"])


def new_rate(world: World, *, name: str, percent: float, inclusive: bool, **more: Any) -> Row:
    """A tax rate; `more` are further fields of it."""
    body: Json = {
        "id": new_id("txr"),
        "object": "tax_rate",
        "active": True,
        "country": None,
        "created": world.now,
        "description": None,
        "display_name": name,
        "effective_percentage": percent,
        "flat_amount": None,
        "inclusive": inclusive,
        "jurisdiction": None,
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": {},
        "percentage": percent,
        "rate_type": "percentage",
        "state": None,
        "tax_type": None,
        **more,
    }
    return world.store.put(Row("tax_rate", body, clock=None))


def _rate_row(
    world: World, place: tuple[str, str | None], name: str, percent: str, kind: str, inclusive: bool
) -> Row:
    """Stripe's own rate for a place: made when it is first needed, and not active for calls to name."""
    country, state = place
    where = {
        "country": country,
        "state": state,
        "inclusive": inclusive,
        "active": False,
        "display_name": name,
    }
    found = world.store.select("tax_rate", where)
    if found:
        return found[0]
    return new_rate(
        world,
        name=name,
        percent=float(percent),
        inclusive=inclusive,
        active=False,
        country=country,
        state=state,
        jurisdiction=state or country,
        jurisdiction_level="state" if state else "country",
        tax_type=kind,
    )
