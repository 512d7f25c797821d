"""Fill a stand-in with what most tests start from, and press its hosted pages' buttons."""

import time
from typing import Any

import httpx
import stripe

YEAR_S = 366 * 86400
DAY_S = 86400
SUCCESS = "http://127.0.0.1:9/thanks?session={CHECKOUT_SESSION_ID}"
CANCEL = "http://127.0.0.1:9/plans"

GOOD = "4242 4242 4242 4242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000 0000 0000 9995"
FAILS_LATER = "4000-0000-0000-0341"


async def monthly(api: stripe.StripeClient, amount: int = 1900, interval: Any = "month") -> stripe.Price:
    """A recurring price in US cents."""
    return await api.v1.prices.create_async(
        {
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": interval},
            "product_data": {"name": "Membership"},
        }
    )


async def once(api: stripe.StripeClient, amount: int = 4900) -> stripe.Price:
    """A price that is paid once."""
    return await api.v1.prices.create_async(
        {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Lower body"}}
    )


async def member(
    api: stripe.StripeClient, card: str = "pm_card_visa", clock: str | None = None
) -> stripe.Customer:
    """A customer with a card that pays its invoices."""
    params: Any = (
        {"email": "member@example.com", "test_clock": clock} if clock else {"email": "member@example.com"}
    )
    customer = await api.v1.customers.create_async(params)
    method = await api.v1.payment_methods.attach_async(card, {"customer": customer.id})
    return await api.v1.customers.update_async(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )


async def subscribe(
    api: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price, **more: Any
) -> stripe.Subscription:
    """A subscription of one item."""
    params: Any = {"customer": customer.id, "items": [{"price": price.id}], **more}
    return await api.v1.subscriptions.create_async(params)


async def clock_now(api: stripe.StripeClient) -> stripe.test_helpers.TestClock:
    """A test clock that starts now."""
    return await api.v1.test_helpers.test_clocks.create_async({"frozen_time": int(time.time())})


async def advance(api: stripe.StripeClient, clock: stripe.test_helpers.TestClock, seconds: int) -> None:
    """Move a test clock ahead, and wait until it is ready, as integrations do."""
    at = (await api.v1.test_helpers.test_clocks.retrieve_async(clock.id)).frozen_time
    await api.v1.test_helpers.test_clocks.advance_async(clock.id, {"frozen_time": at + seconds})
    moved = await api.v1.test_helpers.test_clocks.retrieve_async(clock.id)
    assert (moved.status, moved.frozen_time) == ("ready", at + seconds)


async def session_for(
    api: stripe.StripeClient, price: stripe.Price, mode: Any = "subscription", **more: Any
) -> stripe.checkout.Session:
    """An open Checkout session for one of a price."""
    params: Any = {
        "mode": mode,
        "line_items": [{"price": price.id, "quantity": 1}],
        "success_url": SUCCESS,
        "cancel_url": CANCEL,
        **more,
    }
    return await api.v1.checkout.sessions.create_async(params)


async def pay(
    browser: httpx.AsyncClient, session: stripe.checkout.Session, card: str = GOOD, **more: str
) -> httpx.Response:
    """Press the pay button of a session's page."""
    assert session.url is not None
    form = {
        "email": "member@example.com",
        "card_number": card,
        "expiry": "12 / 34",
        "cvc": "123",
        "name": "Noelani",
        **more,
    }
    return await browser.post(session.url, data=form)
