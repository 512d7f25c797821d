"""Coupons and promotion codes become discounts: who may have one, on what, and for how long.

Source: https://docs.stripe.com/billing/subscriptions/coupons
"""

from decimal import Decimal
from typing import Any

from sandbox.stripe import cycle
from sandbox.stripe.amounts import Off
from sandbox.stripe.errors import StripeFault
from sandbox.stripe.events import emit
from sandbox.stripe.params import Params
from sandbox.stripe.store import Row, new_id
from sandbox.stripe.world import World

Json = dict[str, Any]

_REFUSED = "This promotion code cannot be redeemed"


def take_discounts(
    world: World, params: Params, customer_id: str | None, name: str = "discounts"
) -> list[tuple[str, str | None]]:
    """The (coupon, promotion code) of each entry of a call's `discounts`, checked; both are ids.

    Raises:
        StripeFault: for one that names nothing, or cannot be redeemed.
    """
    found: list[tuple[str, str | None]] = []
    for one in params.take_hashes(name):
        coupon_id, code_id = one.take_str("coupon"), one.take_str("promotion_code")
        discount_id = one.take_str("discount")
        if discount_id is not None:
            kept = world.reference("discount", discount_id, one.full_name("discount")).body
            found.append((kept["source"]["coupon"], kept["promotion_code"]))
        elif code_id is not None:
            code = world.reference("promotion_code", code_id, one.full_name("promotion_code"))
            found.append((check_code(world, code, customer_id), code.id))
        elif coupon_id is not None:
            check_coupon(world, world.reference("coupon", coupon_id, one.full_name("coupon")))
            found.append((coupon_id, None))
    return found


def find_code(
    world: World, text: str, customer_id: str | None, amount: int, currency: str
) -> tuple[str, str]:
    """The (coupon, promotion code) behind what a customer typed.

    Raises:
        StripeFault: in words for the customer.
    """
    rows = world.store.select("promotion_code")
    for row in rows:
        if row.body["code"].lower() == text.strip().lower() and row.body["active"]:
            coupon = check_code(world, row, customer_id)
            _check_minimum(row.body["restrictions"], amount, currency)
            return coupon, row.id
    raise StripeFault("This code is invalid.", code="resource_missing", param="promotion_code")


def check_coupon(world: World, coupon: Row) -> None:
    """Refuse a coupon that is used up or too old."""
    body = coupon.body
    spent = body["max_redemptions"] is not None and body["times_redeemed"] >= body["max_redemptions"]
    late = body["redeem_by"] is not None and body["redeem_by"] <= world.now
    if spent or late or not body["valid"]:
        raise StripeFault(f"Coupon expired: {coupon.id}", code="coupon_expired", param="coupon")


def check_code(world: World, code: Row, customer_id: str | None) -> str:
    """The coupon's id, if this customer may redeem the code now."""
    body = code.body
    spent = body["max_redemptions"] is not None and body["times_redeemed"] >= body["max_redemptions"]
    late = body["expires_at"] is not None and body["expires_at"] <= world.now
    if spent or late or not body["active"]:
        raise StripeFault(f"{_REFUSED}: it has expired.", code="promotion_code_expired")
    if body["customer"] is not None and body["customer"] != customer_id:
        raise StripeFault(f"{_REFUSED}: it is for another customer.")
    if body["restrictions"]["first_time_transaction"] and _has_bought(world, customer_id):
        raise StripeFault(f"{_REFUSED}: it is for a first purchase only.", code="customer_max_payments")
    coupon = world.store.need("coupon", body["promotion"]["coupon"])
    check_coupon(world, coupon)
    return coupon.id


def attach_discount(
    world: World,
    source: tuple[str, str | None],
    *,
    customer: str | None,
    subscription: str | None = None,
    invoice: str | None = None,
    session: str | None = None,
) -> Row:
    """Redeem a coupon, by a code or without, for a subscription, an invoice or a Checkout session."""
    coupon_id, code_id = source
    coupon = world.store.need("coupon", coupon_id)
    months = coupon.body["duration_in_months"]
    body: Json = {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": session,
        "customer": customer,
        "customer_account": None,
        "end": cycle.add_intervals(world.now, "month", months) if months else None,
        "invoice": invoice,
        "invoice_item": None,
        "promotion_code": code_id,
        "source": {"coupon": coupon_id, "type": "coupon"},
        "start": world.now,
        "subscription": subscription,
        "subscription_item": None,
    }
    row = world.store.put(Row("discount", body, clock=world.clock))
    for used in (coupon, world.store.find("promotion_code", code_id or "")):
        if used is not None:
            used.body["times_redeemed"] += 1
            limit = used.body["max_redemptions"]
            if used.kind == "coupon" and limit is not None and used.body["times_redeemed"] >= limit:
                used.body["valid"] = False
            world.store.put(used)
    if subscription is not None:
        emit(world, "customer.discount.created", body)
    return row


def end_discount(world: World, discount_id: str) -> None:
    """Take a discount away."""
    row = world.store.need("discount", discount_id)
    row.deleted = True
    world.store.put(row)
    emit(world, "customer.discount.deleted", row.body)


def running(world: World, subscription: Json) -> list[str]:
    """The ids of a subscription's discounts that hold now; those that are over are taken away."""
    kept = []
    for discount_id in subscription["discounts"]:
        end = world.store.need("discount", discount_id).body["end"]
        if end is not None and end <= world.now:
            end_discount(world, discount_id)
        else:
            kept.append(discount_id)
    return kept


def use_up(world: World, subscription: Row, invoice: Json) -> None:
    """After an invoice that asked for money, discounts that hold once are over; the caller stores the rest."""
    if invoice["subtotal"] <= 0:
        return
    for discount_id in list(subscription.body["discounts"]):
        coupon = world.store.need("discount", discount_id).body["source"]["coupon"]
        if world.store.need("coupon", coupon).body["duration"] == "once":
            subscription.body["discounts"].remove(discount_id)
            end_discount(world, discount_id)


def off_of(world: World, discount_id: str, source: str, currency: str) -> Off:
    """What a discount by this coupon takes off, in this currency."""
    coupon = world.store.need("coupon", source).body
    percent = coupon["percent_off"]
    products = coupon.get("applies_to", {}).get("products")
    amount = coupon["amount_off"] or 0
    if coupon["currency"] not in (None, currency):
        amount = coupon.get("currency_options", {}).get(currency, {}).get("amount_off", 0)
    return Off(
        discount_id,
        Decimal(str(percent)) if percent is not None else None,
        amount,
        frozenset(products) if products else None,
    )


def _check_minimum(restrictions: Json, amount: int, currency: str) -> None:
    least = restrictions["minimum_amount"]
    if least is not None and (restrictions["minimum_amount_currency"] != currency or amount < least):
        raise StripeFault(f"{_REFUSED}: the order is too small.")


def _has_bought(world: World, customer_id: str | None) -> bool:
    return customer_id is not None and bool(
        world.store.select("charge", {"customer": customer_id, "status": "succeeded"})
    )
