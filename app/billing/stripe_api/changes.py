"""Changes of a subscription: what another price would cost, and taking it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.billing.mirror import PAID_THROUGH, instant
from app.billing.stripe_api.client import StripeRefused, client, in_our_words


@dataclass(frozen=True)
class InvoicePreview:
    """`total_cents`: what is due, in the minor unit, or credit below 0. `period_end_at`: when the next is charged."""

    total_cents: int
    period_end_at: datetime | None


async def preview_change(
    customer_id: str, subscription_id: str, item_id: str, price_id: str, at: int
) -> InvoicePreview:
    """The invoice that changing an item's price at that moment (Unix seconds) would make.

    Source: https://docs.stripe.com/api/invoices/create_preview
    """
    params: Any = {
        "customer": customer_id,
        "subscription": subscription_id,
        "subscription_details": {
            "items": [{"id": item_id, "price": price_id}],
            "proration_behavior": "always_invoice",
            "proration_date": at,
        },
    }
    with in_our_words():
        told = (await client().v1.invoices.create_preview_async(params)).to_dict()
    ends = [line["period"]["end"] for line in told["lines"]["data"]]
    return InvoicePreview(int(told["total"]), instant(max(ends, default=None)))


async def change_item(subscription_id: str, item_id: str, price_id: str, at: int) -> bool:
    """Give an item another price and pay the difference now; False when it was not paid, and nothing has changed.

    Asked twice for the same moment, Stripe answers with the same change.

    Source: https://docs.stripe.com/billing/subscriptions/pending-updates
    """
    params: Any = {
        "items": [{"id": item_id, "price": price_id}],
        "proration_behavior": "always_invoice",
        "proration_date": at,
        "payment_behavior": "pending_if_incomplete",
    }
    with in_our_words():
        done = await client().v1.subscriptions.update_async(
            subscription_id, params, {"idempotency_key": f"limber-change-{subscription_id}-{price_id}-{at}"}
        )
    return done.to_dict().get("pending_update") is None


async def move_item(subscription_id: str, item_id: str, price_id: str) -> None:
    """Give an item another price of the same rhythm, from its next payment on; nothing is charged now.

    Source: https://docs.stripe.com/billing/subscriptions/change-price
    """
    params: Any = {"items": [{"id": item_id, "price": price_id}], "proration_behavior": "none"}
    with in_our_words():
        await client().v1.subscriptions.update_async(
            subscription_id, params, {"idempotency_key": f"limber-move-{subscription_id}-{price_id}"}
        )


async def keep_subscription(subscription_id: str) -> None:
    """Take a cancellation back, in whichever of its two forms it was made."""
    params: Any = {"cancel_at_period_end": False}
    with in_our_words():
        done = (await client().v1.subscriptions.update_async(subscription_id, params)).to_dict()
        if done.get("cancel_at") is not None:
            await client().v1.subscriptions.update_async(subscription_id, {"cancel_at": ""})


async def cancel_at_period_end(subscription_id: str) -> None:
    """Let a subscription end with the period that is paid."""
    with in_our_words():
        await client().v1.subscriptions.update_async(subscription_id, {"cancel_at_period_end": True})


async def pause(subscription_id: str, *, paid_through: datetime, resumes_at: datetime) -> None:
    """Void the bills of a subscription from now until then; until when it is paid is noted in its metadata.

    Source: https://docs.stripe.com/billing/subscriptions/pause-payment
    """
    params: Any = {
        "pause_collection": {"behavior": "void", "resumes_at": int(resumes_at.timestamp())},
        "metadata": {PAID_THROUGH: str(int(paid_through.timestamp()))},
    }
    with in_our_words():
        await client().v1.subscriptions.update_async(subscription_id, params)


async def begin_after_trial(subscription_id: str) -> None:
    """Let a subscription go on whose trial ended without a card: its first period begins, and is paid, now.

    Source: https://docs.stripe.com/api/subscriptions/resume
    Raises:
        StripeRefused: when Stripe does not take it up.
    """
    with in_our_words():
        await client().v1.subscriptions.resume_async(subscription_id, {"billing_cycle_anchor": "now"})


async def resume(subscription_id: str, *, begins_anew: bool) -> None:
    """Collect again. `begins_anew`: a period begins now, and is paid now or nothing changes.

    Raises:
        StripeRefused: when the card did not pay for it.
    """
    params: Any = {"pause_collection": "", "metadata": {PAID_THROUGH: ""}}
    if begins_anew:
        params |= {
            "billing_cycle_anchor": "now",
            "proration_behavior": "none",
            "payment_behavior": "error_if_incomplete",
        }
    with in_our_words():
        await client().v1.subscriptions.update_async(subscription_id, params)


async def take_off(subscription_id: str, percent: int, months: int) -> None:
    """Take so many percent off a subscription's bills of the next months (0: of the next one only).

    The coupon is made at Stripe when it is first needed. Asked twice within a day, Stripe answers with the same change.

    Source: https://docs.stripe.com/billing/subscriptions/coupons
    """
    coupon_id = f"limber-stay-{percent}-{months or 'once'}"
    lasts: Any = {"duration": "repeating", "duration_in_months": months} if months else {"duration": "once"}
    coupon: Any = {"id": coupon_id, "name": f"{percent} % off for staying", "percent_off": percent, **lasts}
    try:
        with in_our_words():
            await client().v1.coupons.create_async(coupon)
    except StripeRefused as refusal:
        if refusal.reason != "resource_already_exists":
            raise
    params: Any = {"discounts": [{"coupon": coupon_id}]}
    with in_our_words():
        await client().v1.subscriptions.update_async(
            subscription_id, params, {"idempotency_key": f"limber-stay-{subscription_id}"}
        )
