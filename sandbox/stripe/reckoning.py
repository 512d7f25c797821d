"""Add up an invoice: its lines, what discounts take off, what taxes add, and what is left to pay."""

from typing import Any

from sandbox.stripe.amounts import Off, Rate, taken_off, tax_on
from sandbox.stripe.discounts import off_of
from sandbox.stripe.lists import envelope
from sandbox.stripe.store import Row
from sandbox.stripe.taxes import automatic_rate, locate, named_rate
from sandbox.stripe.world import World

Json = dict[str, Any]


def set_lines(world: World, invoice: Row, lines: list[Json]) -> None:
    """Give a draft its lines and add them up. A negative sum is due as zero."""
    body = invoice.body
    offs = []
    for discount_id in body["discounts"]:
        coupon = world.store.need("discount", discount_id).body["source"]["coupon"]
        offs.append(off_of(world, discount_id, coupon, body["currency"]))
    discount_lines(lines, offs)
    _tax(world, body, lines)
    body["lines"] = envelope(lines, f"/v1/invoices/{body['id']}/lines")
    subtotal = sum(line["amount"] for line in lines)
    off = sum(one["amount"] for line in lines for one in line["discount_amounts"])
    added = _sum(lines, "exclusive")
    inside = _sum(lines, "inclusive")
    total = subtotal - off + added
    body.update(
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal - inside,
        total=total,
        total_excluding_tax=total - added - inside,
        total_discount_amounts=_by_key(
            [one for line in lines for one in line["discount_amounts"]], "discount"
        ),
        total_taxes=_taxes_by_rate([one for line in lines for one in line["taxes"]]),
        amount_due=max(0, total),
        amount_remaining=max(0, total),
    )


def discount_lines(lines: list[Json], offs: list[Off]) -> None:
    """Write into each line what each discount takes off it, one after the other."""
    left = [line["amount"] for line in lines]
    for line in lines:
        line["discount_amounts"] = []
    for off in offs:
        covered = [line["discountable"] and off.covers(_product(line)) for line in lines]
        shares = taken_off(left, covered, off)
        for index, share in enumerate(shares):
            if covered[index]:
                lines[index]["discount_amounts"].append({"amount": share, "discount": off.discount})
                left[index] -= share


def _tax(world: World, body: Json, lines: list[Json]) -> None:
    automatic = body["automatic_tax"]["enabled"]
    if automatic:
        missing = locate(body["customer_address"]) is None
        body["automatic_tax"].update(
            status="requires_location_inputs" if missing else "complete",
            liability={"type": "self"},
            provider="stripe",
        )
    for line in lines:
        amount = line["amount"] - sum(one["amount"] for one in line["discount_amounts"])
        rates = [named_rate(world, one["id"]) for one in body["default_tax_rates"]]
        if automatic:
            price = _price(world, line)
            exempt = body["customer_tax_exempt"]
            rates = [automatic_rate(world, body["customer_address"], exempt, price, line["currency"])]
        line["taxes"] = [tax_entry(amount, rate) for rate in rates]


def tax_entry(amount: int, rate: Rate) -> Json:
    """One tax on an amount, as invoices show it."""
    tax, base = tax_on(amount, rate)
    return {
        "amount": tax,
        "tax_behavior": "inclusive" if rate.inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": rate.rate} if rate.rate else None,
        "taxability_reason": rate.reason,
        "taxable_amount": base if rate.rate else 0,
        "type": "tax_rate_details",
    }


def _price(world: World, line: Json) -> Json | None:
    details = (line["pricing"] or {}).get("price_details")
    return world.store.need("price", details["price"]).body if details else None


def _product(line: Json) -> str | None:
    details = (line["pricing"] or {}).get("price_details")
    return str(details["product"]) if details else None


def _sum(lines: list[Json], behavior: str) -> int:
    return sum(one["amount"] for line in lines for one in line["taxes"] if one["tax_behavior"] == behavior)


def _by_key(entries: list[Json], key: str) -> list[Json]:
    sums: dict[str, int] = {}
    for one in entries:
        sums[one[key]] = sums.get(one[key], 0) + one["amount"]
    return [{"amount": amount, key: name} for name, amount in sums.items()]


def _taxes_by_rate(entries: list[Json]) -> list[Json]:
    merged: dict[tuple[str, str], Json] = {}
    for one in entries:
        key = (str(one["tax_rate_details"]), one["taxability_reason"])
        if key in merged:
            merged[key]["amount"] += one["amount"]
            merged[key]["taxable_amount"] += one["taxable_amount"]
        else:
            merged[key] = dict(one)
    return list(merged.values())
