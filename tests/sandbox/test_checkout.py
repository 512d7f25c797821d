"""The Checkout page: pay, be declined, come back late; and what each leaves behind."""

import time

import httpx
import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand, until

SUBSCRIBED = [
    "checkout.session.completed",
    "customer.subscription.created",
    "invoice.paid",
    "payment_intent.succeeded",
    "charge.succeeded",
    "invoice.finalized",
]


async def test_paying_makes_a_subscription_and_leads_back(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    customer = await api.v1.customers.create_async({"email": "member@example.com"})
    session = await shop.session_for(
        api,
        await shop.monthly(api),
        customer=customer.id,
        client_reference_id="user-7",
        subscription_data={"metadata": {"plan": "monthly"}},
    )
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 1900)
    assert session.url is not None
    page = await browser.get(session.url)
    assert "$19.00" in page.text
    assert "member@example.com" in page.text
    answer = await shop.pay(browser, session)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"http://127.0.0.1:9/thanks?session={session.id}"
    done = await api.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["subscription", "line_items"]}
    )
    assert (done.status, done.payment_status, done.customer, done.url) == (
        "complete",
        "paid",
        customer.id,
        None,
    )
    assert done.line_items is not None
    assert done.line_items.data[0].amount_total == 1900
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.status == "active"
    assert done.subscription.metadata.to_dict() == {"plan": "monthly"}
    assert "current_period_end" not in done.subscription.to_dict(), "periods are the items' since 2025-03-31"
    assert set(SUBSCRIBED) <= set(stand.types())


async def test_a_page_that_is_paid_cannot_be_paid_twice(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.monthly(api))
    await shop.pay(browser, session)
    again = await shop.pay(browser, session)
    assert "nothing more will be charged" in again.text
    assert len((await api.v1.subscriptions.list_async()).data) == 1


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        (shop.DECLINED, "Your card was declined."),
        (shop.NO_FUNDS, "Your card has insufficient funds."),
        ("4000000000000069", "Your card has expired."),
        ("4000000000000127", "security code is incorrect"),
        ("4242424242424241", "card number is incorrect"),
        ("4012888888881881", "used a non test card"),
        ("", "card number is incorrect"),
    ],
)
async def test_a_declined_card_keeps_the_page_with_a_sentence(
    api: stripe.StripeClient, browser: httpx.AsyncClient, card: str, sentence: str
) -> None:
    session = await shop.session_for(api, await shop.monthly(api))
    answer = await shop.pay(browser, session, card)
    assert answer.status_code == 402
    assert sentence in answer.text.replace("&#39;", "'")
    assert f'value="{card}"' in answer.text, "what was typed stays"
    assert 'value="Noelani"' in answer.text
    assert (await api.v1.checkout.sessions.retrieve_async(session.id)).status == "open"
    assert (await api.v1.subscriptions.list_async({"status": "all"})).data == []
    assert (await shop.pay(browser, session)).status_code == 303


async def test_a_decline_on_the_page_is_told_as_a_failed_charge(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.once(api), mode="payment")
    await shop.pay(browser, session, shop.NO_FUNDS)
    await shop.pay(browser, session)
    done = await api.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent.latest_charge"]}
    )
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert (done.payment_intent.status, done.payment_intent.amount_received) == ("succeeded", 4900)
    charges = await api.v1.charges.list_async({"payment_intent": done.payment_intent.id})
    assert [one.status for one in charges.data] == ["succeeded", "failed"], "one intent, two tries"
    failed = next(one for one in stand.events() if one["type"] == "payment_intent.payment_failed")
    assert failed["data"]["object"]["last_payment_error"]["decline_code"] == "insufficient_funds"


async def test_a_purchase_needs_no_customer(api: stripe.StripeClient, browser: httpx.AsyncClient) -> None:
    session = await shop.session_for(
        api, await shop.once(api), mode="payment", payment_intent_data={"metadata": {"course": "lower-body"}}
    )
    await shop.pay(browser, session)
    done = await api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    assert (done.customer, done.subscription, done.payment_status) == (None, None, "paid")
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert done.payment_intent.metadata.to_dict() == {"course": "lower-body"}
    assert done.customer_details is not None
    assert done.customer_details.email == "member@example.com"


async def test_a_trial_takes_nothing_today(api: stripe.StripeClient, browser: httpx.AsyncClient) -> None:
    session = await shop.session_for(api, await shop.monthly(api), subscription_data={"trial_period_days": 7})
    assert session.amount_total == 0
    await shop.pay(browser, session)
    done = await api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription"]})
    assert done.payment_status == "no_payment_required"
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.status == "trialing"
    assert (await api.v1.charges.list_async()).data == []


async def test_a_trial_without_a_card_asks_for_none(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(
        api,
        await shop.monthly(api),
        payment_method_collection="if_required",
        subscription_data={
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
        },
    )
    assert session.url is not None
    assert "card_number" not in (await browser.get(session.url)).text
    answer = await browser.post(session.url, data={"email": "member@example.com"})
    assert answer.status_code == 303
    (subscription,) = (await api.v1.subscriptions.list_async()).data
    assert (subscription.status, subscription.default_payment_method) == ("trialing", None)


async def test_an_expired_page_takes_no_money(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.monthly(api))
    await api.v1.checkout.sessions.expire_async(session.id)
    answer = await shop.pay(browser, session)
    assert answer.status_code == 410
    assert "Nothing was charged" in answer.text
    assert "checkout.session.expired" in stand.types()
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        await api.v1.checkout.sessions.expire_async(session.id)


async def test_a_page_expires_by_itself(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.monthly(api), expires_at=int(time.time()) + 1900)
    await browser.post(f"{stand.url}/sandbox/clock", json={"advance_s": 2000})
    until(lambda: "checkout.session.expired" in stand.types())
    assert (await api.v1.checkout.sessions.retrieve_async(session.id)).status == "expired"


async def test_a_page_that_is_not_there_says_so(stand: Stand, browser: httpx.AsyncClient) -> None:
    assert (await browser.get(f"{stand.url}/c/pay/cs_test_nothing")).status_code == 404


async def test_the_mode_must_fit_the_price(api: stripe.StripeClient) -> None:
    recurring, single = await shop.monthly(api), await shop.once(api)
    with pytest.raises(stripe.InvalidRequestError, match="recurring price"):
        await shop.session_for(api, recurring, mode="payment")
    with pytest.raises(stripe.InvalidRequestError, match="at least one recurring"):
        await shop.session_for(api, single)


async def test_an_archived_price_is_not_sold(api: stripe.StripeClient) -> None:
    price = await shop.monthly(api)
    await api.v1.prices.update_async(price.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        await shop.session_for(api, price)


async def test_a_price_archived_while_the_page_is_open_is_still_paid(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    price = await shop.monthly(api)
    session = await shop.session_for(api, price)
    await api.v1.prices.update_async(price.id, {"active": False})
    assert (await shop.pay(browser, session)).status_code == 303


async def test_the_page_runs_no_script_and_leads_only_where_the_session_says(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.monthly(api))
    assert session.url is not None
    policy = (await browser.get(session.url)).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:9" in policy
    assert "script-src" not in policy
