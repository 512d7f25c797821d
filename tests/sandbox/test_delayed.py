"""Payments whose money takes days: complete but unpaid, then paid, or not after all."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand

PAYS, FAILS = "000123456789", "000222222227"


async def by_bank(
    browser: httpx.AsyncClient, session: stripe.checkout.Session, account: str
) -> httpx.Response:
    return await shop.pay(browser, session, pay_with="us_bank_account", account=account)


async def later(stand: Stand, browser: httpx.AsyncClient, days: int = 5) -> None:
    await browser.post(f"{stand.url}/sandbox/clock", json={"advance_s": days * shop.DAY_S})


@pytest.mark.parametrize(("account", "paid"), [(PAYS, True), (FAILS, False)])
async def test_a_purchase_by_bank_is_unpaid_until_the_bank_answers(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient, account: str, paid: bool
) -> None:
    session = await shop.session_for(api, await shop.once(api), "payment")
    assert session.payment_method_types == ["card", "us_bank_account"]
    assert (await by_bank(browser, session, account)).status_code == 303
    done = await api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    assert (done.status, done.payment_status) == ("complete", "unpaid")
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert done.payment_intent.status == "processing"
    await later(stand, browser)
    after = await api.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent.latest_charge"]}
    )
    assert isinstance(after.payment_intent, stripe.PaymentIntent)
    assert after.payment_status == ("paid" if paid else "unpaid")
    assert after.payment_intent.status == ("succeeded" if paid else "requires_payment_method")
    assert isinstance(after.payment_intent.latest_charge, stripe.Charge)
    assert after.payment_intent.latest_charge.status == ("succeeded" if paid else "failed")
    word = "succeeded" if paid else "failed"
    assert stand.types()[-1] == f"checkout.session.async_payment_{word}"


@pytest.mark.parametrize(("account", "status"), [(PAYS, "active"), (FAILS, "past_due")])
async def test_a_subscription_by_bank_begins_at_once(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient, account: str, status: str
) -> None:
    session = await shop.session_for(api, await shop.monthly(api))
    await by_bank(browser, session, account)
    done = await api.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["subscription.latest_invoice"]}
    )
    assert done.payment_status == "unpaid"
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.status == "active"
    assert isinstance(done.subscription.latest_invoice, stripe.Invoice)
    assert done.subscription.latest_invoice.status == "open"
    await later(stand, browser)
    after = await api.v1.subscriptions.retrieve_async(done.subscription.id, {"expand": ["latest_invoice"]})
    assert after.status == status
    assert isinstance(after.latest_invoice, stripe.Invoice)
    assert after.latest_invoice.status == ("paid" if status == "active" else "open")
    assert any(one.startswith("checkout.session.async_payment") for one in stand.types())


@pytest.mark.parametrize("button", ["pays", "fails"])
async def test_the_desk_ends_the_wait(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient, button: str
) -> None:
    session = await shop.session_for(api, await shop.once(api), "payment")
    await by_bank(browser, session, PAYS)
    done = await api.v1.checkout.sessions.retrieve_async(session.id)
    assert str(done.payment_intent) in (await browser.get(f"{stand.url}/")).text
    pressed = {"payment_intent": str(done.payment_intent), "action": button}
    assert (await browser.post(f"{stand.url}/sandbox/debits", data=pressed)).status_code == 303
    word = "succeeded" if button == "pays" else "failed"
    assert stand.types()[-1] == f"checkout.session.async_payment_{word}"


async def test_a_debit_by_the_api_is_processing(stand: Stand, api: stripe.StripeClient) -> None:
    method = await api.v1.payment_methods.create_async(
        {
            "type": "sepa_debit",
            "sepa_debit": {"iban": "AT321904300235473204"},
            "billing_details": {"name": "Noelani", "email": "a@b.example"},
        }
    )
    intent = await api.v1.payment_intents.create_async(
        {
            "amount": 900,
            "currency": "eur",
            "payment_method": method.id,
            "payment_method_types": ["sepa_debit"],
            "confirm": True,
        }
    )
    assert intent.status == "processing"
    assert stand.types()[-2:] == ["charge.pending", "payment_intent.processing"]


async def test_a_refund_of_a_debit_is_one_like_others(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.once(api), "payment")
    await by_bank(browser, session, PAYS)
    await later(stand, browser)
    done = await api.v1.checkout.sessions.retrieve_async(session.id)
    refund: Any = await api.v1.refunds.create_async({"payment_intent": str(done.payment_intent)})
    assert refund.status == "succeeded"


async def test_a_session_in_setup_mode_keeps_a_card(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    session = await api.v1.checkout.sessions.create_async(
        {
            "mode": "setup",
            "currency": "usd",
            "customer": customer.id,
            "success_url": shop.SUCCESS,
            "setup_intent_data": {"metadata": {"why": "renewals"}},
        }
    )
    assert session.url is not None
    assert "Save card" in (await browser.get(session.url)).text
    assert (await shop.pay(browser, session)).status_code == 303
    done = await api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["setup_intent"]})
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "no_payment_required", None)
    assert isinstance(done.setup_intent, stripe.SetupIntent)
    assert done.setup_intent.status == "succeeded"
    methods = await api.v1.customers.payment_methods.list_async(customer.id)
    assert [one.id for one in methods.data] == [done.setup_intent.payment_method]
