"""Tax by address and by named rate, added or included, at Checkout and on invoices."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand

HONOLULU: Any = {"country": "US", "state": "HI", "postal_code": "96815"}


async def resident(api: stripe.StripeClient, address: Any = HONOLULU, **more: Any) -> stripe.Customer:
    params: Any = {"email": "member@example.com", "address": address, **more}
    customer = await api.v1.customers.create_async(params)
    method = await api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    return await api.v1.customers.update_async(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )


async def test_an_invoice_adds_the_tax_of_the_customers_place(api: stripe.StripeClient) -> None:
    subscription = await shop.subscribe(
        api, await resident(api), await shop.monthly(api), automatic_tax={"enabled": True}
    )
    assert subscription.automatic_tax.enabled
    assert isinstance(subscription.latest_invoice, str)
    invoice = await api.v1.invoices.retrieve_async(subscription.latest_invoice)
    assert (invoice.subtotal, invoice.total, invoice.amount_paid) == (1900, 1990, 1990)
    assert invoice.total_excluding_tax == 1900
    assert invoice.automatic_tax.status == "complete"
    assert invoice.total_taxes is not None
    (tax,) = invoice.total_taxes
    assert (tax.amount, tax.taxable_amount, tax.tax_behavior) == (90, 1900, "exclusive")
    assert tax.tax_rate_details is not None
    rate = await api.v1.tax_rates.retrieve_async(tax.tax_rate_details.tax_rate)
    assert (rate.percentage, rate.state, rate.inclusive) == (4.712, "HI", False)
    (line,) = invoice.lines.data
    assert line.taxes is not None
    assert line.taxes[0].amount == 90


@pytest.mark.parametrize(
    ("address", "exempt", "total", "reason"),
    [
        ({"country": "US", "state": "OR"}, "none", 1900, "not_collecting"),
        (HONOLULU, "exempt", 1900, "customer_exempt"),
        ({"country": "DE"}, "reverse", 1900, "reverse_charge"),
        ({"country": "DE"}, "none", 2261, "standard_rated"),
    ],
)
async def test_the_place_and_the_customer_decide(
    api: stripe.StripeClient, address: Any, exempt: str, total: int, reason: str
) -> None:
    customer = await resident(api, address, tax_exempt=exempt)
    subscription = await shop.subscribe(
        api, customer, await shop.monthly(api), automatic_tax={"enabled": True}
    )
    assert isinstance(subscription.latest_invoice, str)
    invoice = await api.v1.invoices.retrieve_async(subscription.latest_invoice)
    assert invoice.total == total
    assert invoice.total_taxes is not None
    assert invoice.total_taxes[0].taxability_reason == reason


async def test_a_price_can_include_its_tax(api: stripe.StripeClient) -> None:
    price = await api.v1.prices.create_async(
        {
            "currency": "eur",
            "unit_amount": 11900,
            "tax_behavior": "inclusive",
            "recurring": {"interval": "year"},
            "product_data": {"name": "Membership"},
        }
    )
    subscription = await shop.subscribe(
        api, await resident(api, {"country": "DE"}), price, automatic_tax={"enabled": True}
    )
    assert isinstance(subscription.latest_invoice, str)
    invoice = await api.v1.invoices.retrieve_async(subscription.latest_invoice)
    assert (invoice.total, invoice.total_excluding_tax, invoice.subtotal_excluding_tax) == (
        11900,
        10000,
        10000,
    )


async def test_a_named_rate_comes_after_the_discount(api: stripe.StripeClient) -> None:
    rate = await api.v1.tax_rates.create_async(
        {"display_name": "VAT", "percentage": 20, "inclusive": False, "country": "GB"}
    )
    made = await api.v1.coupons.create_async({"percent_off": 50, "duration": "once"})
    subscription = await shop.subscribe(
        api,
        await shop.member(api),
        await shop.monthly(api, 2000),
        default_tax_rates=[rate.id],
        discounts=[{"coupon": made.id}],
    )
    assert isinstance(subscription.latest_invoice, str)
    invoice = await api.v1.invoices.retrieve_async(subscription.latest_invoice)
    assert (invoice.subtotal, invoice.total) == (2000, 1200)


async def test_checkout_asks_where_one_lives_and_adds_the_tax(
    api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.once(api), "payment", automatic_tax={"enabled": True})
    assert session.automatic_tax.status == "requires_location_inputs"
    assert session.url is not None
    shown = await browser.post(session.url, data={"action": "address", **HONOLULU})
    assert 'data-tax="231"' in shown.text
    assert (await shop.pay(browser, session, **HONOLULU)).status_code == 303
    done = await api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["line_items"]})
    assert (done.amount_subtotal, done.amount_total, done.automatic_tax.status) == (4900, 5131, "complete")
    assert done.total_details is not None
    assert done.total_details.amount_tax == 231
    assert done.line_items is not None
    assert done.line_items.data[0].amount_tax == 231
    assert done.customer_details is not None
    assert done.customer_details.address is not None
    assert done.customer_details.address.state == "HI"


async def test_the_first_invoice_costs_what_checkout_said(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    session = await shop.session_for(
        api,
        await shop.monthly(api),
        customer=customer.id,
        automatic_tax={"enabled": True},
        customer_update={"address": "auto"},
    )
    await shop.pay(browser, session, **HONOLULU)
    done = await api.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["invoice"]})
    assert isinstance(done.invoice, stripe.Invoice)
    assert (done.amount_total, done.invoice.total) == (1990, 1990)
    kept = await api.v1.customers.retrieve_async(customer.id)
    assert kept.address is not None
    assert kept.address.state == "HI"


async def test_tax_without_an_address_is_refused(api: stripe.StripeClient) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    with pytest.raises(stripe.InvalidRequestError, match="valid address"):
        await shop.session_for(
            api, await shop.monthly(api), customer=customer.id, automatic_tax={"enabled": True}
        )
