"""Coupons and promotion codes: what they take off, for whom, how often and for how long."""

import time
from decimal import Decimal
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe.amounts import Off, Rate, spread, taken_off, tax_on
from tests.sandbox import shop
from tests.sandbox.stands import Stand


async def coupon(api: stripe.StripeClient, **params: Any) -> stripe.Coupon:
    given: Any = params
    return await api.v1.coupons.create_async(given)


async def code(
    api: stripe.StripeClient, of: stripe.Coupon, text: str = "ALOHA", **more: Any
) -> stripe.PromotionCode:
    params: Any = {"promotion": {"type": "coupon", "coupon": of.id}, "code": text, **more}
    return await api.v1.promotion_codes.create_async(params)


async def totals(api: stripe.StripeClient, subscription: stripe.Subscription) -> list[int]:
    invoices = await api.v1.invoices.list_async({"subscription": subscription.id})
    return [one.total for one in reversed(invoices.data)]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"percent_off": 25, "duration": "once"}, [1425, 1900, 1900]),
        ({"percent_off": 25, "duration": "forever"}, [1425, 1425, 1425]),
        ({"percent_off": 25, "duration": "repeating", "duration_in_months": 2}, [1425, 1425, 1900]),
        ({"amount_off": 500, "currency": "usd", "duration": "once"}, [1400, 1900, 1900]),
        ({"amount_off": 5000, "currency": "usd", "duration": "once"}, [0, 1900, 1900]),
    ],
)
async def test_a_coupon_holds_as_long_as_it_says(
    stand: Stand, api: stripe.StripeClient, terms: Any, expected: list[int]
) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    made = await coupon(api, **terms)
    subscription = await shop.subscribe(
        api, customer, await shop.monthly(api), discounts=[{"coupon": made.id}]
    )
    await shop.advance(api, clock, 65 * shop.DAY_S)
    assert await totals(api, subscription) == expected
    left = await api.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["discounts.source.coupon"]})
    assert (len(left.discounts or []) == 1) == (terms["duration"] == "forever")
    assert ("customer.discount.deleted" in stand.types()) == (terms["duration"] != "forever")
    assert (await api.v1.coupons.retrieve_async(made.id)).times_redeemed == 1


async def test_an_invoice_names_its_discounts(api: stripe.StripeClient) -> None:
    made = await coupon(api, percent_off=10, duration="forever", name="Ten")
    subscription = await shop.subscribe(
        api, await shop.member(api), await shop.monthly(api), discounts=[{"coupon": made.id}]
    )
    assert isinstance(subscription.latest_invoice, str)
    invoice = await api.v1.invoices.retrieve_async(
        subscription.latest_invoice, {"expand": ["discounts.source.coupon"]}
    )
    assert (invoice.subtotal, invoice.total, invoice.amount_paid) == (1900, 1710, 1710)
    assert invoice.total_discount_amounts is not None
    assert [one.amount for one in invoice.total_discount_amounts] == [190]
    (discount,) = invoice.to_dict()["discounts"]
    assert discount["source"]["coupon"]["name"] == "Ten"
    removed = await api.v1.subscriptions.update_async(subscription.id, {"discounts": ""})
    assert removed.discounts == []


async def test_a_code_is_typed_on_the_checkout_page(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    given = await code(api, await coupon(api, percent_off=50, duration="once"))
    session = await shop.session_for(api, await shop.once(api), "payment", allow_promotion_codes=True)
    assert session.url is not None
    wrong = await browser.post(session.url, data={"action": "code", "code": "NOPE"})
    assert (wrong.status_code, "code is invalid" in wrong.text) == (402, True)
    right = await browser.post(session.url, data={"action": "code", "code": "aloha"})
    assert "$24.50" in right.text
    await shop.pay(browser, session)
    done = await api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["payment_intent"]})
    assert (done.amount_subtotal, done.amount_total) == (4900, 2450)
    assert done.total_details is not None
    assert done.total_details.amount_discount == 2450
    assert done.discounts is not None
    assert done.discounts[0].promotion_code == given.id
    assert isinstance(done.payment_intent, stripe.PaymentIntent)
    assert done.payment_intent.amount_received == 2450
    assert (await api.v1.promotion_codes.retrieve_async(given.id)).times_redeemed == 1


async def test_all_of_it_off_needs_no_payment(api: stripe.StripeClient, browser: httpx.AsyncClient) -> None:
    made = await coupon(api, percent_off=100, duration="once")
    session = await shop.session_for(api, await shop.once(api), "payment", discounts=[{"coupon": made.id}])
    assert session.amount_total == 0
    assert session.url is not None
    assert "card_number" not in (await browser.get(session.url)).text
    assert (await browser.post(session.url, data={"email": "a@b.example"})).status_code == 303
    done = await api.v1.checkout.sessions.retrieve_async(session.id)
    assert (done.payment_status, done.payment_intent) == ("no_payment_required", None)


async def test_a_subscription_by_code_keeps_its_discount(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    given = await code(api, await coupon(api, percent_off=100, duration="forever"))
    session = await shop.session_for(api, await shop.monthly(api), discounts=[{"promotion_code": given.id}])
    await shop.pay(browser, session)
    done = await api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription.discounts"]})
    assert done.payment_status == "no_payment_required"
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.status == "active"
    (discount,) = done.to_dict()["subscription"]["discounts"]
    assert discount["promotion_code"] == given.id


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"max_redemptions": 1}, "expired"),
        ({"expires_at": int(time.time()) + 1}, "expired"),
        ({"restrictions": {"first_time_transaction": True}}, "first purchase"),
        ({"restrictions": {"minimum_amount": 99900, "minimum_amount_currency": "usd"}}, "too small"),
    ],
)
async def test_a_code_that_cannot_be_redeemed_says_why(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient, terms: Any, sentence: str
) -> None:
    await code(api, await coupon(api, percent_off=10, duration="once"), **terms)
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    price = await shop.once(api)
    first = await shop.session_for(api, price, "payment", customer=customer.id, allow_promotion_codes=True)
    assert first.url is not None
    await browser.post(first.url, data={"action": "code", "code": "ALOHA"})
    await shop.pay(browser, first)
    await browser.post(f"{stand.url}/sandbox/clock", json={"advance_s": 5})
    again = await shop.session_for(api, price, "payment", customer=customer.id, allow_promotion_codes=True)
    assert again.url is not None
    refused = await browser.post(again.url, data={"action": "code", "code": "ALOHA"})
    assert sentence in refused.text


async def test_codes_and_coupons_are_listed_changed_and_taken_away(
    stand: Stand, api: stripe.StripeClient
) -> None:
    made = await coupon(api, id="spring", amount_off=700, currency="usd", duration="once")
    given = await code(api, made)
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        await code(api, made)
    found = await api.v1.promotion_codes.list_async({"code": "ALOHA", "active": True})
    assert [one.id for one in found.data] == [given.id]
    off = await api.v1.promotion_codes.update_async(given.id, {"active": False})
    assert off.active is False
    await code(api, made)
    await api.v1.coupons.delete_async("spring")
    with pytest.raises(stripe.InvalidRequestError):
        await api.v1.coupons.retrieve_async("spring")
    assert [one for one in stand.types() if "coupon" in one] == ["coupon.created", "coupon.deleted"]
    with pytest.raises(stripe.InvalidRequestError, match="exactly one"):
        await coupon(api, percent_off=5, amount_off=5, currency="usd", duration="once")


def test_shares_add_up_to_the_last_cent() -> None:
    assert spread(100, [1, 1, 1]) == [34, 33, 33]
    assert sum(spread(9999, [7, 11, 13, 0])) == 9999
    assert taken_off([1000, 500], [True, False], Off("d", percent=Decimal("33.333"))) == [333, 0]
    assert taken_off([1000, 500], [True, True], Off("d", amount=9999)) == [1000, 500]


@pytest.mark.parametrize(
    ("amount", "percent", "inclusive", "expected"),
    [
        (4900, "4.712", False, (231, 4900)),
        (11900, "19", True, (1900, 10000)),
        (500, "10", True, (45, 455)),
        (0, "19", False, (0, 0)),
    ],
)
def test_tax_is_added_or_taken_out(
    amount: int, percent: str, inclusive: bool, expected: tuple[int, int]
) -> None:
    assert tax_on(amount, Rate("txr", Decimal(percent), inclusive)) == expected
