"""3-D Secure: the card's holder is asked, answers or fails, at Checkout, at an invoice, at a setup."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand

ALWAYS, ONCE = "pm_card_authenticationRequired", "pm_card_authenticationRequiredOnSetup"
ASKS = "4000 0000 0000 3220"


async def answer(browser: httpx.AsyncClient, url: str, action: str = "complete") -> httpx.Response:
    return await browser.post(url, data={"action": action})


async def test_a_payment_waits_for_its_holder_and_then_succeeds(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    intent = await api.v1.payment_intents.create_async(
        {
            "amount": 900,
            "currency": "usd",
            "payment_method": ALWAYS,
            "confirm": True,
            "return_url": "http://127.0.0.1:9/back",
        }
    )
    assert (intent.status, intent.latest_charge) == ("requires_action", None)
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    url = intent.next_action.redirect_to_url.url
    assert url is not None
    assert "Complete" in (await browser.get(url)).text
    back = await answer(browser, url)
    assert (back.status_code, back.headers["location"]) == (303, "http://127.0.0.1:9/back")
    paid = await api.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.next_action) == ("succeeded", None)
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert paid.latest_charge.payment_method_details is not None
    assert paid.latest_charge.payment_method_details.card is not None
    secure = paid.latest_charge.payment_method_details.card.three_d_secure
    assert secure is not None
    assert secure.result == "authenticated"
    assert [one for one in stand.types() if one.startswith("payment_intent")] == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]


async def test_a_holder_who_fails_may_try_another_card(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    intent = await api.v1.payment_intents.create_async(
        {"amount": 900, "currency": "usd", "payment_method": ALWAYS, "confirm": True}
    )
    await answer(browser, f"{stand.url}/authenticate/{intent.id}", "fail")
    failed = await api.v1.payment_intents.retrieve_async(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    again = await api.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


async def test_without_its_holder_such_a_card_declines(api: stripe.StripeClient) -> None:
    customer = await shop.member(api, ALWAYS)
    settings = customer.invoice_settings
    assert settings is not None
    params: Any = {
        "amount": 900,
        "currency": "usd",
        "customer": customer.id,
        "payment_method": settings.default_payment_method,
        "off_session": True,
        "confirm": True,
    }
    with pytest.raises(stripe.CardError) as declined:
        await api.v1.payment_intents.create_async(params)
    assert declined.value.code == "authentication_required"


@pytest.mark.parametrize("mode", ["payment", "subscription"])
async def test_checkout_asks_the_bank_and_completes(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient, mode: Any
) -> None:
    price = await (shop.monthly(api) if mode == "subscription" else shop.once(api))
    session = await shop.session_for(api, price, mode)
    asked = await shop.pay(browser, session, ASKS)
    assert asked.status_code == 200
    assert "Your bank asks" in asked.text
    assert (await api.v1.checkout.sessions.retrieve_async(session.id)).status == "open"
    done = await answer(browser, f"{session.url}/authenticate")
    assert done.status_code == 303
    complete = await api.v1.checkout.sessions.retrieve_async(session.id)
    assert (complete.status, complete.payment_status) == ("complete", "paid")
    assert stand.types().count("checkout.session.completed") == 1


async def test_checkout_stays_open_when_the_holder_fails(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.once(api), "payment")
    await shop.pay(browser, session, ASKS)
    refused = await answer(browser, f"{session.url}/authenticate", "fail")
    assert refused.status_code == 402
    assert "unable to authenticate" in refused.text
    assert (await shop.pay(browser, session)).status_code == 303


async def test_a_renewal_that_needs_its_holder_is_confirmed_on_the_invoices_page(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, ALWAYS, clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    assert subscription.status == "incomplete"
    await answer(browser, f"{stand.url}/authenticate/{await intent_of(api, subscription)}")
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    await shop.advance(api, clock, 32 * shop.DAY_S)
    late = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert late.status == "past_due"
    tail = [one for one in stand.types() if one.startswith(("invoice.payment", "payment_intent.req"))][-3:]
    assert tail == [
        "payment_intent.requires_action",
        "invoice.payment_action_required",
        "invoice.payment_failed",
    ]
    (invoice,) = (await api.v1.invoices.list_async({"customer": customer.id, "status": "open"})).data
    assert invoice.hosted_invoice_url is not None
    page = await browser.get(invoice.hosted_invoice_url)
    intent = await intent_of(api, late)
    assert f"/authenticate/{intent}" in page.text
    await answer(browser, f"{stand.url}/authenticate/{intent}")
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    assert (await api.v1.invoices.retrieve_async(invoice.id)).status == "paid"


async def intent_of(api: stripe.StripeClient, subscription: stripe.Subscription) -> str:
    found = await api.v1.subscriptions.retrieve_async(
        subscription.id, {"expand": ["latest_invoice.payments"]}
    )
    return str(found.to_dict()["latest_invoice"]["payments"]["data"][0]["payment"]["payment_intent"])


async def test_a_card_that_was_set_up_renews_without_its_holder(
    api: stripe.StripeClient, browser: httpx.AsyncClient, stand: Stand
) -> None:
    clock = await shop.clock_now(api)
    customer = await api.v1.customers.create_async({"email": "a@b.example", "test_clock": clock.id})
    setup = await api.v1.setup_intents.create_async(
        {"customer": customer.id, "payment_method": ONCE, "confirm": True}
    )
    assert setup.status == "requires_action"
    await answer(browser, f"{stand.url}/authenticate/{setup.id}")
    ready = await api.v1.setup_intents.retrieve_async(setup.id)
    assert ready.status == "succeeded"
    subscription = await shop.subscribe(
        api, customer, await shop.monthly(api), default_payment_method=ready.payment_method
    )
    assert subscription.status == "active"
    await shop.advance(api, clock, 32 * shop.DAY_S)
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "active"


async def test_a_setup_fails_with_a_card_that_declines(stand: Stand, api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError):
        await api.v1.setup_intents.create_async({"payment_method": "pm_card_chargeDeclined", "confirm": True})
    assert stand.types() == ["setup_intent.created", "setup_intent.setup_failed"]
    other = await api.v1.setup_intents.create_async()
    gone = await api.v1.setup_intents.cancel_async(other.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")


@pytest.mark.parametrize(
    ("token", "code", "decline"),
    [
        ("visa_chargeDeclined", "card_declined", "generic_decline"),
        ("visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("chargeDeclinedExpiredCard", "expired_card", None),
        ("chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("chargeDeclinedProcessingError", "processing_error", None),
        ("radarBlock", "card_declined", "fraudulent"),
        ("visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
    ],
)
async def test_each_declining_card_says_why(
    api: stripe.StripeClient, token: str, code: str, decline: str | None
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await api.v1.payment_intents.create_async(
            {"amount": 500, "currency": "usd", "payment_method": f"pm_card_{token}", "confirm": True}
        )
    error = declined.value.error
    assert error is not None
    assert (error.code, error.to_dict().get("decline_code")) == (code, decline)
