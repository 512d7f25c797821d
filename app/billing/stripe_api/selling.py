"""Stripe's own pages: Checkout, on which an order is paid, and the customer portal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.billing.mirror import instant
from app.billing.stripe_api.client import StripeRefused, client, in_our_words


@dataclass(frozen=True)
class CheckoutSession:
    """`status` is open, complete or expired; `url` is there while it is open."""

    id: str
    status: str
    url: str | None
    expires_at: datetime | None


@dataclass(frozen=True)
class CheckoutOrder:
    """What a Checkout session sells. Equal orders with one `attempt_id` are one session, however often asked for.

    `after_trial`: cancel or pause, at the end of a trial for which no card is asked; None: a card is asked for.
    """

    attempt_id: UUID
    user_id: UUID
    customer_id: str
    price_id: str
    trial_days: int
    is_once: bool
    takes_codes: bool
    adds_tax: bool
    success_url: str
    cancel_url: str
    after_trial: str | None = None


def _checkout(session: Any) -> CheckoutSession:
    raw = session.to_dict()
    return CheckoutSession(str(raw["id"]), str(raw["status"]), raw.get("url"), instant(raw.get("expires_at")))


async def create_checkout(order: CheckoutOrder) -> CheckoutSession:
    """A page of Stripe's on which this order can be paid.

    Source: https://docs.stripe.com/api/checkout/sessions/create
    Raises:
        StripeRefused: `idempotency` when the attempt was used for another order before.
    """
    ours = {"limber_user_id": str(order.user_id), "limber_attempt_id": str(order.attempt_id)}
    params: Any = {
        **(_once(ours) if order.is_once else _repeating(order, ours)),
        "customer": order.customer_id,
        "client_reference_id": str(order.user_id),
        "line_items": [{"price": order.price_id, "quantity": 1}],
        "metadata": ours,
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
    }
    if order.takes_codes:
        params["allow_promotion_codes"] = True
    if order.adds_tax:
        # The address is asked for on Stripe's page and kept there, for the renewals' tax.
        params["automatic_tax"] = {"enabled": True}
        params["customer_update"] = {"address": "auto"}
    key = {"idempotency_key": f"limber-checkout-{order.attempt_id}"}
    with in_our_words():
        return _checkout(await client().v1.checkout.sessions.create_async(params, key))  # type: ignore[arg-type]


def _once(ours: dict[str, Any]) -> dict[str, Any]:
    return {"mode": "payment", "payment_intent_data": {"metadata": ours}}


def _repeating(order: CheckoutOrder, ours: dict[str, Any]) -> dict[str, Any]:
    subscription: dict[str, Any] = {"metadata": ours}
    if order.trial_days:
        subscription["trial_period_days"] = order.trial_days
    params: dict[str, Any] = {"mode": "subscription", "subscription_data": subscription}
    if order.after_trial is not None:
        # Source: https://docs.stripe.com/payments/checkout/free-trials#start-without-payment-method
        subscription["trial_settings"] = {"end_behavior": {"missing_payment_method": order.after_trial}}
        params["payment_method_collection"] = "if_required"
    return params


async def find_checkout(session_id: str) -> CheckoutSession | None:
    """The session as it is now, or None when Stripe has forgotten it (another account, another mode)."""
    try:
        with in_our_words():
            return _checkout(await client().v1.checkout.sessions.retrieve_async(session_id))
    except StripeRefused as refusal:
        if refusal.is_missing:
            return None
        raise


async def expire_checkout(session_id: str) -> str:
    """Close an open session, so that nobody can pay it any more; answers its status, `complete` when too late."""
    try:
        with in_our_words():
            return _checkout(await client().v1.checkout.sessions.expire_async(session_id)).status
    except StripeRefused:
        # Stripe refuses for every session that is not open; which of the two it is decides what follows.
        found = await find_checkout(session_id)
        return "expired" if found is None else found.status


async def create_portal(customer_id: str, return_url: str) -> str:
    """Address of a page of Stripe's where the customer changes the card, sees invoices, cancels."""
    with in_our_words():
        made = await client().v1.billing_portal.sessions.create_async(
            {"customer": customer_id, "return_url": return_url}
        )
    return str(made.url)
