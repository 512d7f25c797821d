"""Invoices made by hand: items wait, a draft takes them, and it is sent, paid or thrown away."""

import httpx
import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import KEY, Stand


async def test_items_wait_for_a_draft_that_asks_for_them(stand: Stand, api: stripe.StripeClient) -> None:
    customer = await shop.member(api)
    price = await shop.once(api, 4900)
    await api.v1.invoice_items.create_async({"customer": customer.id, "amount": 2000, "currency": "usd"})
    await api.v1.invoice_items.create_async(
        {"customer": customer.id, "pricing": {"price": price.id}, "quantity": 2, "description": "Two courses"}
    )
    bare = await api.v1.invoices.create_async({"customer": customer.id})
    assert (bare.total, bare.status) == (0, "draft")
    pending = await api.v1.invoice_items.list_async({"customer": customer.id, "pending": True})
    assert len(pending.data) == 2
    draft = await api.v1.invoices.create_async(
        {"customer": customer.id, "pending_invoice_items_behavior": "include", "description": "Workshop"}
    )
    assert (draft.total, draft.billing_reason, draft.auto_advance) == (11800, "manual", False)
    assert [line.description for line in draft.lines.data] == ["", "Two courses"]
    assert (await api.v1.invoice_items.list_async({"customer": customer.id, "pending": True})).data == []
    assert draft.id is not None
    paid = await api.v1.invoices.pay_async(draft.id)
    assert (paid.status, paid.amount_paid) == ("paid", 11800)
    item = (await api.v1.invoice_items.list_async({"invoice": draft.id})).data[0]
    with pytest.raises(stripe.InvalidRequestError, match="finalized"):
        await api.v1.invoice_items.delete_async(item.id)
    assert stand.types().count("invoiceitem.created") == 2


async def test_an_item_joins_and_leaves_a_draft(api: stripe.StripeClient) -> None:
    customer, other = await shop.member(api), await shop.member(api)
    draft = await api.v1.invoices.create_async({"customer": customer.id})
    assert draft.id is not None
    item = await api.v1.invoice_items.create_async(
        {"customer": customer.id, "invoice": draft.id, "amount": 700, "currency": "usd"}
    )
    assert (await api.v1.invoices.retrieve_async(draft.id)).total == 700
    with pytest.raises(stripe.InvalidRequestError, match="draft invoice of the customer"):
        await api.v1.invoice_items.create_async(
            {"customer": other.id, "invoice": draft.id, "amount": 700, "currency": "usd"}
        )
    assert (await api.v1.invoice_items.delete_async(item.id)).deleted
    assert (await api.v1.invoices.retrieve_async(draft.id)).total == 0


async def test_a_deleted_draft_gives_its_items_back(stand: Stand, api: stripe.StripeClient) -> None:
    customer = await shop.member(api)
    await api.v1.invoice_items.create_async({"customer": customer.id, "amount": 2000, "currency": "usd"})
    draft = await api.v1.invoices.create_async(
        {"customer": customer.id, "pending_invoice_items_behavior": "include"}
    )
    assert draft.id is not None
    assert (await api.v1.invoices.delete_async(draft.id)).deleted
    assert len((await api.v1.invoice_items.list_async({"pending": True})).data) == 1
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.invoices.retrieve_async(draft.id)
    assert refused.value.http_status == 404
    assert stand.types()[-1] == "invoice.deleted"


async def test_an_invoice_that_is_sent_waits_for_its_payer(stand: Stand, api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    await api.v1.invoice_items.create_async({"customer": customer.id, "amount": 2000, "currency": "usd"})
    draft = await api.v1.invoices.create_async(
        {
            "customer": customer.id,
            "pending_invoice_items_behavior": "include",
            "collection_method": "send_invoice",
            "days_until_due": 7,
            "auto_advance": True,
        }
    )
    assert draft.due_date == clock.frozen_time + 7 * shop.DAY_S
    await shop.advance(api, clock, shop.DAY_S)
    assert draft.id is not None
    assert (await api.v1.invoices.retrieve_async(draft.id)).status == "open"
    sent = await api.v1.invoices.send_invoice_async(draft.id)
    assert (sent.status, sent.attempted) == ("open", False)
    assert stand.types()[-1] == "invoice.sent"


async def test_a_customer_made_with_a_token_pays_with_it(api: stripe.StripeClient) -> None:
    customer = await api.v1.customers.create_async(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    (method,) = (await api.v1.customers.payment_methods.list_async(customer.id)).data
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method == method.id
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    assert subscription.status == "active"


async def test_a_page_is_paid_as_the_official_command_line_pays_it(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    session = await shop.session_for(api, await shop.once(api), mode="payment")
    method = await api.v1.payment_methods.create_async(
        {"type": "card", "card": {"token": "tok_visa"}, "billing_details": {"email": "a@b.example"}}
    )
    address = f"{stand.url}/v1/payment_pages/{session.id}"
    assert (await browser.get(address)).status_code == 401
    key = {"Authorization": f"Bearer {KEY}"}
    assert (await browser.get(address, headers=key)).json()["id"] == session.id
    form = {"payment_method": method.id, "expected_amount": "1"}
    assert (await browser.post(f"{address}/confirm", data=form, headers=key)).status_code == 400
    paid = await browser.post(f"{address}/confirm", data={**form, "expected_amount": "4900"}, headers=key)
    assert (paid.status_code, paid.json()["payment_status"]) == (200, "paid")
    assert (await browser.post(f"{address}/confirm", data=form, headers=key)).status_code == 400
    assert "checkout.session.completed" in stand.types()
