"""What a Checkout session costs: its lines with their discount and their tax, and their sum.

Source: https://docs.stripe.com/api/checkout/sessions/object
"""

from typing import Any

from sandbox.stripe.amounts import Rate, taken_off, tax_on
from sandbox.stripe.discounts import find_code, off_of
from sandbox.stripe.store import Row
from sandbox.stripe.taxes import automatic_rate, locate, named_rate
from sandbox.stripe.world import World

Json = dict[str, Any]


def redeem_code(world: World, session: Row, text: str) -> None:
    """Put a promotion code that the customer typed on the session.

    Raises:
        StripeFault: in words for the customer.
    """
    body = session.body
    source = find_code(world, text, body["customer"], body["amount_subtotal"], body["currency"])
    session.private["discount"] = list(source)
    reckon(world, session)


def reckon(world: World, session: Row) -> None:
    """Add the session up anew, and store it."""
    body, lines = session.body, session.private["line_items"]
    trial = bool(
        session.private["subscription_data"].get("trial_period_days")
        or session.private["subscription_data"].get("trial_end")
    )
    charged = [not (trial and line["price"]["type"] == "recurring") for line in lines]
    _discount(world, session, charged)
    for line in lines:
        _tax(world, session, line)
    paid = [line for line, now in zip(lines, charged, strict=True) if now]
    total = sum(line["amount_total"] for line in paid)
    body["amount_subtotal"] = sum(line["amount_subtotal"] for line in paid)
    body["amount_total"] = total
    body["total_details"] = {
        "amount_discount": sum(line["amount_discount"] for line in paid),
        "amount_shipping": 0,
        "amount_tax": sum(line["amount_tax"] for line in paid),
    }
    if body["automatic_tax"]["enabled"]:
        missing = locate(_address(world, session)) is None
        body["automatic_tax"]["status"] = "requires_location_inputs" if missing else "complete"
    world.store.put(session)


def _discount(world: World, session: Row, charged: list[bool]) -> None:
    lines, source = session.private["line_items"], session.private.get("discount")
    shares = [0] * len(lines)
    session.body["discounts"] = []
    if source is not None:
        coupon, code = source
        off = off_of(world, "", coupon, session.body["currency"])
        covered = [
            now and off.covers(line["price"]["product"]) for line, now in zip(lines, charged, strict=True)
        ]
        shares = taken_off([line["amount_subtotal"] for line in lines], covered, off)
        session.body["discounts"] = [{"coupon": coupon, "promotion_code": code}]
    for line, share in zip(lines, shares, strict=True):
        line["amount_discount"] = share


def _tax(world: World, session: Row, line: Json) -> None:
    amount = line["amount_subtotal"] - line["amount_discount"]
    line["taxes"], added, line["amount_tax"] = [], 0, 0
    for rate in _rates(world, session, line):
        tax, base = tax_on(amount, rate)
        line["amount_tax"] += tax
        added += 0 if rate.inclusive else tax
        if rate.rate is not None:
            row = world.store.need("tax_rate", rate.rate)
            line["taxes"].append(
                {
                    "amount": tax,
                    "rate": row.body,
                    "taxability_reason": rate.reason,
                    "taxable_amount": base,
                }
            )
    line["amount_total"] = amount + added


def _rates(world: World, session: Row, line: Json) -> list[Rate]:
    if not session.body["automatic_tax"]["enabled"]:
        named = session.private.get("tax_rates", {}).get(line["id"], [])
        shared = session.private["subscription_data"].get("default_tax_rates", [])
        return [named_rate(world, one) for one in named or [body["id"] for body in shared]]
    address = _address(world, session)
    if locate(address) is None:
        return []
    exempt = "none"
    if session.body["customer"] is not None:
        exempt = world.store.need("customer", session.body["customer"]).body["tax_exempt"]
    return [automatic_rate(world, address, exempt, line["price"], line["currency"])]


def _address(world: World, session: Row) -> Json | None:
    details = session.private.get("details") or {}
    if details.get("address"):
        return dict(details["address"])
    if session.body["customer"] is None:
        return None
    address: Json | None = world.store.need("customer", session.body["customer"]).body["address"]
    return address
