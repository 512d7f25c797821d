"""What a customer pays and has paid: subscriptions, things paid once, charges with what became of them."""

from datetime import datetime
from typing import Any

from app.billing.mirror import id_of, instant, storable
from app.billing.stripe_api.client import StripeRefused, client, in_our_words

Json = dict[str, Any]


async def list_subscriptions(customer_id: str) -> list[dict[str, Any]]:
    """Every subscription that the customer has or had, over all pages, as plain dicts.

    Raises:
        StripeRefused: `resource_missing` for a customer that is not (or no longer) there.
    """
    with in_our_words():
        page = await client().v1.subscriptions.list_async(
            {"customer": customer_id, "status": "all", "limit": 100}
        )
        return [storable(one.to_dict(for_json=True)) async for one in page.auto_paging_iter()]


async def first_unpaid_at(subscription_id: str) -> datetime | None:
    """When the oldest invoice was opened that this subscription still owes; None when it owes none."""
    with in_our_words():
        page = await client().v1.invoices.list_async(
            {"subscription": subscription_id, "status": "open", "limit": 100}
        )
        found = [one.to_dict() async for one in page.auto_paging_iter()]
    opened = [
        one["status_transitions"]["finalized_at"] or one["created"] for one in found if one["attempted"]
    ]
    return instant(min(opened, default=None))


async def list_purchases(customer_id: str) -> list[Json]:
    """Every finished Checkout session of the customer that was paid once, with its `line_items` and intent.

    Raises:
        StripeRefused: `resource_missing` for a customer that is not there.
    """
    with in_our_words():
        page = await client().v1.checkout.sessions.list_async(
            {
                "customer": customer_id,
                "status": "complete",
                "limit": 100,
                "expand": ["data.line_items", "data.payment_intent"],
            }
        )
        found = [storable(one.to_dict(for_json=True)) async for one in page.auto_paging_iter()]
    return [one for one in found if one["mode"] == "payment"]


async def list_charges(customer_id: str) -> list[Json]:
    """Every charge of the customer that went through, with its `refunds`.

    Raises:
        StripeRefused: `resource_missing` for a customer that is not there.
    """
    with in_our_words():
        page = await client().v1.charges.list_async(
            {"customer": customer_id, "limit": 100, "expand": ["data.refunds"]}
        )
        found = [storable(one.to_dict(for_json=True)) async for one in page.auto_paging_iter()]
    return [one for one in found if one["status"] == "succeeded" and one["captured"]]


async def list_refunds(charge_id: str) -> list[Json]:
    """Every refund of a charge, over all pages."""
    with in_our_words():
        page = await client().v1.refunds.list_async({"charge": charge_id, "limit": 100})
        return [one.to_dict(for_json=True) async for one in page.auto_paging_iter()]


async def list_disputes(charge_id: str) -> list[Json]:
    """The disputes about a charge; a charge may see more than one."""
    with in_our_words():
        page = await client().v1.disputes.list_async({"charge": charge_id, "limit": 100})
        return [one.to_dict(for_json=True) async for one in page.auto_paging_iter()]


async def invoice_paid_by(payment_intent_id: str) -> Json | None:
    """The invoice that a payment paid; None where it paid none (a charge does not say it since 2025-03-31).

    Source: https://docs.stripe.com/api/invoice-payment/list
    """
    with in_our_words():
        page = await client().v1.invoice_payments.list_async(
            {
                "payment": {"type": "payment_intent", "payment_intent": payment_intent_id},
                "limit": 1,
                "expand": ["data.invoice"],
            }
        )
    found = [one.to_dict(for_json=True) for one in page.data]
    return found[0]["invoice"] if found and isinstance(found[0]["invoice"], dict) else None


async def refund(charge_id: str, amount_cents: int, *, already_cents: int) -> None:
    """Give back so much of a charge; asked twice within a day, with as much given back before, once.

    What a bank has refused meanwhile is no answer to a new try, so it makes another key.

    Raises:
        StripeRefused: when Stripe does not give it back.
    """
    failed = sum(one["status"] in ("failed", "canceled") for one in await list_refunds(charge_id))
    key = f"limber-refund-{charge_id}-{already_cents}-{amount_cents}" + (f"-{failed}" if failed else "")
    with in_our_words():
        await client().v1.refunds.create_async(
            {"charge": charge_id, "amount": amount_cents, "reason": "requested_by_customer"},
            {"idempotency_key": key},
        )


async def cancel_subscription(subscription_id: str) -> None:
    """End a subscription now; one that has ended already is left as it is."""
    try:
        with in_our_words():
            await client().v1.subscriptions.cancel_async(subscription_id)
    except StripeRefused as refusal:
        if not refusal.is_missing:
            raise


async def find_charge_customer(charge_id: str | None, payment_intent_id: str | None) -> str | None:
    """Whose money it is: refunds, disputes and warnings do not name the customer."""
    with in_our_words():
        if charge_id is not None:
            return id_of((await client().v1.charges.retrieve_async(charge_id)).to_dict().get("customer"))
        if payment_intent_id is not None:
            found = await client().v1.payment_intents.retrieve_async(payment_intent_id)
            return id_of(found.to_dict().get("customer"))
    return None
