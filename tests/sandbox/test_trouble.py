"""Slow, refused and lost answers; long lists; deliveries that nobody took; currencies without cents."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stripe

from sandbox.stripe.buyers import new_customer
from sandbox.stripe.world import World, default_now
from tests.sandbox import shop
from tests.sandbox.stands import Stand, receiving, until


async def trouble(stand: Stand, browser: httpx.AsyncClient, **given: Any) -> None:
    assert (await browser.post(f"{stand.url}/sandbox/trouble", json=given)).status_code == 200


async def test_a_key_in_use_is_refused_until_its_call_is_done(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    await trouble(stand, browser, path="/v1/customers", delay_s=0.3)
    first = asyncio.create_task(api.v1.customers.create_async({}, {"idempotency_key": "once"}))
    await asyncio.sleep(0.1)
    with pytest.raises(stripe.APIError, match="another in-progress request") as refused:
        await api.v1.customers.create_async({}, {"idempotency_key": "once"})
    assert refused.value.http_status == 409
    made = await first
    again = await api.v1.customers.create_async({}, {"idempotency_key": "once"})
    assert again.id == made.id


@pytest.mark.parametrize(
    ("status", "error"), [(429, stripe.RateLimitError), (500, stripe.APIError), (503, stripe.APIError)]
)
async def test_a_call_can_be_refused_and_then_works(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient, status: int, error: Any
) -> None:
    await trouble(stand, browser, status=status, times=2)
    for _ in range(2):
        with pytest.raises(error):
            await api.v1.customers.create_async()
    await api.v1.customers.create_async()
    assert stand.types() == ["customer.created"]


async def test_an_answer_that_is_lost_is_found_again_by_its_key(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    await trouble(stand, browser, path="/v1/customers", status=500, after=True)
    with pytest.raises(stripe.APIError):
        await api.v1.customers.create_async({}, {"idempotency_key": "lost"})
    found = await api.v1.customers.create_async({}, {"idempotency_key": "lost"})
    assert [one["data"]["object"]["id"] for one in stand.events()] == [found.id]


@pytest.mark.parametrize("given", [{"times": 0}, {"status": 200}, {"delay_s": "long"}, [1]])
async def test_senseless_trouble_is_refused(stand: Stand, browser: httpx.AsyncClient, given: Any) -> None:
    assert (await browser.post(f"{stand.url}/sandbox/trouble", json=given)).status_code == 422


async def test_more_than_a_page_is_listed_to_the_end(stand: Stand, api: stripe.StripeClient) -> None:
    with stand.store.transaction():
        now = default_now(stand.store)
        made = [new_customer(World(stand.store, now, now, "")).id for _ in range(105)]
    listed = await api.v1.customers.list_async({"limit": 100})
    assert (len(listed.data), listed.has_more) == (100, True)
    assert [one.id async for one in listed.auto_paging_iter()] == made[::-1]
    back = await api.v1.customers.list_async({"limit": 3, "ending_before": made[50]})
    assert [one.id for one in back.data] == [made[53], made[52], made[51]]


async def test_events_that_nobody_took_are_listed_until_somebody_does(
    stand: Stand, api: stripe.StripeClient
) -> None:
    with receiving(500, 500, 500, 500) as deaf:
        await api.v1.webhook_endpoints.create_async({"url": deaf.url, "enabled_events": ["*"]})
        await api.v1.customers.create_async({"name": "lost"})
        until(lambda: stand.deliveries() == [("failed", 4)])
        await api.v1.customers.create_async({"name": "heard"})
        until(lambda: stand.deliveries()[-1] == ("delivered", 1))
    lost = await api.v1.events.list_async({"delivery_success": False})
    heard = await api.v1.events.list_async({"delivery_success": True})
    assert [one.data.object["name"] for one in lost.data] == ["lost"]
    assert [one.data.object["name"] for one in heard.data] == ["heard"]


async def test_a_currency_without_cents_is_shown_and_refunded_whole(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    price = await api.v1.prices.create_async(
        {"currency": "jpy", "unit_amount": 5800, "product_data": {"name": "Lower body"}}
    )
    session = await shop.session_for(api, price, "payment")
    assert session.url is not None
    assert "¥5,800" in (await browser.get(session.url)).text
    await shop.pay(browser, session)
    done = await api.v1.checkout.sessions.retrieve_async(session.id)
    refund = await api.v1.refunds.create_async({"payment_intent": str(done.payment_intent), "amount": 1})
    assert (refund.amount, refund.currency) == (1, "jpy")


async def test_a_year_on_a_clock_renews_fails_retries_and_ends(
    stand: Stand, api: stripe.StripeClient
) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api), trial_period_days=14)
    await shop.advance(api, clock, 200 * shop.DAY_S)
    paid = await api.v1.invoices.list_async({"subscription": subscription.id, "status": "paid", "limit": 20})
    assert len(paid.data) == 8, "the trial's, and seven months"
    failing = await api.v1.payment_methods.attach_async(
        "pm_card_chargeCustomerFail", {"customer": customer.id}
    )
    await api.v1.customers.update_async(
        customer.id, {"invoice_settings": {"default_payment_method": failing.id}}
    )
    await shop.advance(api, clock, 60 * shop.DAY_S)
    ended = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "payment_failed"
    types = stand.types()
    assert types.count("invoice.payment_failed") == 4, "the first try and three more"
    assert types.count("customer.subscription.trial_will_end") == 1
    first = next(one for one in stand.events() if one["type"] == "invoice.payment_failed")
    assert ended.ended_at is not None
    assert (ended.ended_at - first["created"]) // shop.DAY_S == 14


async def test_a_card_that_has_expired_declines_the_renewal(api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    (method,) = (await api.v1.customers.payment_methods.list_async(customer.id)).data
    assert method.card is not None
    subscription = await shop.subscribe(api, customer, await shop.monthly(api, 19000, "year"))
    when = datetime.fromtimestamp(clock.frozen_time, UTC)
    await api.v1.payment_methods.update_async(
        method.id, {"card": {"exp_month": when.month, "exp_year": when.year}}
    )
    await shop.advance(api, clock, 367 * shop.DAY_S)
    late = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert late.status == "past_due"
    (charge,) = (await api.v1.charges.list_async({"customer": customer.id, "limit": 1})).data
    assert charge.failure_code == "expired_card"
