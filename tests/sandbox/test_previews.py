"""Preview invoices tell what will be paid, and leave nothing behind."""

from typing import Any

import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand


async def preview(api: stripe.StripeClient, **params: Any) -> stripe.Invoice:
    given: Any = params
    return await api.v1.invoices.create_preview_async(given)


async def test_the_next_renewal_is_previewed(stand: Stand, api: stripe.StripeClient) -> None:
    subscription = await shop.subscribe(api, await shop.member(api), await shop.monthly(api))
    before = stand.types()
    seen = await preview(api, subscription=subscription.id)
    assert (seen.total, seen.status, seen.billing_reason) == (1900, "draft", "upcoming")
    assert seen.id is not None
    assert seen.id.startswith("upcoming_in_")
    assert seen.created == subscription["items"].data[0].current_period_end
    assert stand.types() == before
    assert len((await api.v1.invoices.list_async({"subscription": subscription.id})).data) == 1


@pytest.mark.parametrize("behavior", ["always_invoice", "create_prorations"])
async def test_a_change_costs_what_its_preview_said(api: stripe.StripeClient, behavior: Any) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api, 1000))
    dear = await shop.monthly(api, 3000)
    await shop.advance(api, clock, 11 * shop.DAY_S)
    items: Any = [{"id": subscription["items"].data[0].id, "price": dear.id}]
    seen = await preview(
        api,
        subscription=subscription.id,
        subscription_details={"items": items, "proration_behavior": behavior},
    )
    again = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert again["items"].data[0].price.unit_amount == 1000
    await api.v1.subscriptions.update_async(subscription.id, {"items": items, "proration_behavior": behavior})
    if behavior == "create_prorations":
        await shop.advance(api, clock, 25 * shop.DAY_S)
    newest = (await api.v1.invoices.list_async({"subscription": subscription.id, "limit": 1})).data[0]
    assert seen.total == newest.total > 0
    assert sorted(one.amount for one in seen.lines.data) == sorted(one.amount for one in newest.lines.data)


async def test_a_subscription_that_is_not_there_yet_is_previewed(
    stand: Stand, api: stripe.StripeClient
) -> None:
    customer = await shop.member(api)
    made = await api.v1.coupons.create_async({"percent_off": 10, "duration": "once"})
    price = await shop.monthly(api)
    seen = await preview(
        api,
        customer=customer.id,
        subscription_details={"items": [{"price": price.id}]},
        discounts=[{"coupon": made.id}],
    )
    assert (seen.subtotal, seen.total) == (1900, 1710)
    assert (await api.v1.subscriptions.list_async({"status": "all"})).data == []
    assert (await api.v1.coupons.retrieve_async(made.id)).times_redeemed == 0


async def test_what_ends_has_no_next_invoice(api: stripe.StripeClient) -> None:
    subscription = await shop.subscribe(api, await shop.member(api), await shop.monthly(api))
    await api.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await preview(api, subscription=subscription.id)
    assert refused.value.code == "invoice_upcoming_none"


async def test_credit_pays_the_next_invoices(stand: Stand, api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    await api.v1.customers.balance_transactions.create_async(
        customer.id, {"amount": -2500, "currency": "usd", "description": "Sorry"}
    )
    assert (await preview(api, subscription=subscription.id)).amount_due == 0
    await shop.advance(api, clock, 65 * shop.DAY_S)
    invoices = (await api.v1.invoices.list_async({"subscription": subscription.id})).data
    assert [(one.total, one.amount_due, one.ending_balance) for one in invoices] == [
        (1900, 1300, 0),
        (1900, 0, -600),
        (1900, 1900, 0),
    ]
    assert (await api.v1.customers.retrieve_async(customer.id)).balance == 0
    moves = await api.v1.customers.balance_transactions.list_async(customer.id)
    assert [one.amount for one in moves.data] == [600, 1900, -2500]


async def test_a_cheaper_plan_leaves_credit(api: stripe.StripeClient) -> None:
    customer = await shop.member(api)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api, 9000))
    cheap = await shop.monthly(api, 1000)
    await api.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": subscription["items"].data[0].id, "price": cheap.id}],
            "proration_behavior": "always_invoice",
        },
    )
    assert (await api.v1.customers.retrieve_async(customer.id)).balance == -8000


async def test_a_price_in_two_currencies_is_charged_in_the_one_that_is_asked_for(
    api: stripe.StripeClient,
) -> None:
    price = await api.v1.prices.create_async(
        {
            "currency": "usd",
            "unit_amount": 1900,
            "currency_options": {"jpy": {"unit_amount": 2800}},
            "recurring": {"interval": "month"},
            "product_data": {"name": "Membership"},
        }
    )
    subscription = await shop.subscribe(api, await shop.member(api), price, currency="jpy")
    assert subscription.currency == "jpy"
    invoices = await api.v1.invoices.list_async({"subscription": subscription.id})
    assert [(one.total, one.currency) for one in invoices.data] == [(2800, "jpy")]
    session = await shop.session_for(api, price, currency="jpy")
    assert (session.amount_total, session.currency) == (2800, "jpy")
    with pytest.raises(stripe.InvalidRequestError, match="only supports"):
        await shop.session_for(api, price, currency="gbp")
