"""What a rehearsal does at Stripe in a member's place: time, cards, paying on Checkout's page. Test mode only.

Source: https://docs.stripe.com/billing/testing/test-clocks and https://docs.stripe.com/testing
"""

import asyncio
from typing import Any
from uuid import UUID

from app.billing.stripe_api.client import StripeDown, client, in_our_words
from app.errors import Conflict
from app.i18n import _
from app.settings import get_settings

READY_WITHIN_S = 300.0
LOOK_EVERY_S = 2.0

Json = dict[str, Any]


def require_test_key() -> None:
    """Raises: Conflict unless the key is one of test mode: a rehearsal moves time and charges cards."""
    key = get_settings().stripe_secret_key
    if not key:
        raise Conflict(
            _("There is no Stripe key here (STRIPE_SECRET_KEY), so only the stand-in can be played with.")
        )
    if not key.startswith(("sk_test_", "rk_test_")):
        raise Conflict(
            _(
                "This is a live key, and a rehearsal charges cards and moves time. Give a test key (sk_test_…)."
            )
        )


async def create_clock(at: int, name: str) -> str:
    """A clock that stands still at that Unix second until it is moved; its id."""
    require_test_key()
    with in_our_words():
        made = await client().v1.test_helpers.test_clocks.create_async({"frozen_time": at, "name": name})
    return str(made.id)


async def delete_clock(clock_id: str) -> None:
    """Stripe throws away the clock's customers, and what they pay, with it."""
    with in_our_words():
        await client().v1.test_helpers.test_clocks.delete_async(clock_id)


async def advance(clock_id: str, seconds: int) -> None:
    """Move a clock on, and wait until Stripe has done everything that became due.

    Raises:
        StripeDown: it is not done after five minutes.
    """
    with in_our_words():
        clocks = client().v1.test_helpers.test_clocks
        now = (await clocks.retrieve_async(clock_id)).frozen_time
        await clocks.advance_async(clock_id, {"frozen_time": now + seconds})
        for _look in range(int(READY_WITHIN_S / LOOK_EVERY_S)):
            if (await clocks.retrieve_async(clock_id)).status == "ready":
                return
            await asyncio.sleep(LOOK_EVERY_S)
    raise StripeDown


async def create_customer_on(clock_id: str, user_id: UUID, email: str) -> str:
    """A customer of that member's who lives by that clock; its id."""
    params: Any = {"email": email, "test_clock": clock_id, "metadata": {"limber_user_id": str(user_id)}}
    with in_our_words():
        return str((await client().v1.customers.create_async(params)).id)


async def pay_page(session_id: str, card: str, email: str) -> None:
    """Pay an open Checkout session with one of Stripe's test cards (`tok_visa`, …), as its page does.

    Stripe does not document these two calls; its own CLI pays through them.
    Source: the CLI's script for `stripe trigger checkout.session.completed`
    """
    method: Any = {
        "type": "card",
        "card": {"token": card},
        "billing_details": {"email": email, "name": "Rehearsal"},
    }
    with in_our_words():
        page = await client().raw_request_async("get", f"/v1/payment_pages/{session_id}")
        made = await client().v1.payment_methods.create_async(method)
        await client().raw_request_async(
            "post",
            f"/v1/payment_pages/{session_id}/confirm",
            payment_method=made.id,
            expected_amount=page.data["amount_total"],
        )


async def use_card(customer_id: str, card: str) -> None:
    """From now on everything of this customer's is paid with that test card (`pm_card_visa`, …)."""
    with in_our_words():
        stripe = client().v1
        method = await stripe.payment_methods.attach_async(card, {"customer": customer_id})
        await stripe.customers.update_async(
            customer_id, {"invoice_settings": {"default_payment_method": method.id}}
        )
        for one in (await stripe.subscriptions.list_async({"customer": customer_id})).data:
            await stripe.subscriptions.update_async(one.id, {"default_payment_method": method.id})


async def pay_what_is_owed(customer_id: str) -> None:
    """Pay the customer's open invoices with the card of now, as the portal does."""
    with in_our_words():
        stripe = client().v1
        for one in (await stripe.invoices.list_async({"customer": customer_id, "status": "open"})).data:
            await stripe.invoices.pay_async(str(one.id))


async def end_with_period(customer_id: str) -> None:
    """Cancel the customer's subscriptions for the end of what is paid, as the portal does."""
    with in_our_words():
        stripe = client().v1
        for one in (await stripe.subscriptions.list_async({"customer": customer_id})).data:
            await stripe.subscriptions.update_async(one.id, {"cancel_at_period_end": True})


async def win_dispute(charge_id: str) -> None:
    """Send the evidence with which a dispute of test mode is won."""
    with in_our_words():
        stripe = client().v1
        for one in (await stripe.disputes.list_async({"charge": charge_id})).data:
            await stripe.disputes.update_async(
                one.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
            )


async def events_since(at: int) -> list[Json]:
    """Everything that has happened since that Unix second, oldest first: where no webhook can reach us."""
    with in_our_words():
        found = await client().v1.events.list_async({"created": {"gte": at}, "limit": 100})
        events = [one.to_dict(for_json=True) async for one in found.auto_paging_iter()]
    return events[::-1]
