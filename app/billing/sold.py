"""A finished Checkout session, held against what our own record says that it sells. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.billing.mirror import PurchaseFacts, id_of


@dataclass(frozen=True)
class Sold:
    """What our own record says that a Checkout session sells. Amounts in the currency's minor unit."""

    price_id: str
    amount_cents: int
    currency: str
    lasts_months: int | None = None
    gift_id: UUID | None = None


def read_purchase(raw: Mapping[str, Any], sold: Sold | None) -> PurchaseFacts:
    """Facts of a finished session (with its `line_items`), held against what we meant to sell.

    Its own metadata are not believed: whoever holds a key can write them.

    Source: https://docs.stripe.com/api/checkout/sessions/object
    Raises:
        KeyError: when the session lacks what every session has.
    """
    doubt = _differs(raw, sold)
    return PurchaseFacts(
        id=str(raw["id"]),
        price_id=sold.price_id if sold is not None and doubt is None else None,
        payment_status=str(raw["payment_status"]),
        payment_intent_id=id_of(raw.get("payment_intent")),
        amount_cents=int(raw["amount_total"] or 0),
        currency=str(raw["currency"]),
        bought_at=datetime.fromtimestamp(raw["created"], UTC),
        lasts_months=sold.lasts_months if sold is not None else None,
        gift_id=sold.gift_id if sold is not None else None,
        is_pending=raw["payment_status"] == "unpaid" and _intent_status(raw) == "processing",
        doubt=doubt,
    )


def _intent_status(raw: Mapping[str, Any]) -> str | None:
    intent = raw.get("payment_intent")
    return str(intent["status"]) if isinstance(intent, Mapping) else None


def _differs(raw: Mapping[str, Any], sold: Sold | None) -> str | None:
    name = f"checkout {raw['id']}"
    if sold is None:
        return f"{name} was not begun here"
    lines = raw["line_items"]["data"]
    if [id_of(line["price"]) for line in lines] != [sold.price_id] or lines[0]["quantity"] != 1:
        return f"{name} sells something else than we offered"
    # What a promotion code takes off, and what tax adds, Stripe tells apart from the price itself.
    if raw["currency"] != sold.currency or raw["amount_subtotal"] != sold.amount_cents:
        return f"{name} costs {raw['amount_subtotal']} {raw['currency']}, not {sold.amount_cents} {sold.currency}"
    return None
