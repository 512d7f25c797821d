"""Credit notes: an invoice worth less than it said."""

import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand


async def test_a_paid_invoice_is_credited_in_money_and_in_balance(
    stand: Stand, api: stripe.StripeClient
) -> None:
    customer = await shop.member(api)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    assert isinstance(subscription.latest_invoice, str)
    note = await api.v1.credit_notes.create_async(
        {
            "invoice": subscription.latest_invoice,
            "amount": 900,
            "refund_amount": 600,
            "credit_amount": 300,
            "reason": "product_unsatisfactory",
        }
    )
    assert (note.type, note.post_payment_amount, note.status) == ("post_payment", 900, "issued")
    assert [one.amount_refunded for one in note.refunds] == [600]
    assert (await api.v1.customers.retrieve_async(customer.id)).balance == -300
    invoice = await api.v1.invoices.retrieve_async(subscription.latest_invoice)
    assert (invoice.status, invoice.post_payment_credit_notes_amount) == ("paid", 900)
    assert (await api.v1.refunds.list_async()).data[0].amount == 600
    with pytest.raises(stripe.InvalidRequestError, match="must be the amount"):
        await api.v1.credit_notes.create_async({"invoice": subscription.latest_invoice, "amount": 100})
    listed = await api.v1.credit_notes.list_async({"invoice": subscription.latest_invoice})
    assert [one.id for one in listed.data] == [note.id]


async def test_an_open_invoice_asks_for_less_until_the_note_is_void(api: stripe.StripeClient) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    subscription = await shop.subscribe(
        api, customer, await shop.monthly(api), payment_behavior="default_incomplete"
    )
    assert isinstance(subscription.latest_invoice, str)
    invoice = await api.v1.invoices.retrieve_async(subscription.latest_invoice)
    note = await api.v1.credit_notes.create_async(
        {
            "invoice": subscription.latest_invoice,
            "lines": [
                {
                    "type": "invoice_line_item",
                    "invoice_line_item": invoice.lines.data[0].id,
                    "amount": 400,
                    "quantity": 1,
                }
            ],
        }
    )
    assert note.pre_payment_amount == 400
    assert (await api.v1.invoices.retrieve_async(subscription.latest_invoice)).amount_due == 1500
    voided = await api.v1.credit_notes.void_credit_note_async(note.id)
    assert voided.status == "void"
    assert (await api.v1.invoices.retrieve_async(subscription.latest_invoice)).amount_due == 1900


async def test_a_note_over_all_of_an_open_invoice_settles_it(stand: Stand, api: stripe.StripeClient) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    subscription = await shop.subscribe(
        api, customer, await shop.monthly(api), payment_behavior="default_incomplete"
    )
    assert isinstance(subscription.latest_invoice, str)
    await api.v1.credit_notes.create_async({"invoice": subscription.latest_invoice, "amount": 1900})
    assert (await api.v1.invoices.retrieve_async(subscription.latest_invoice)).status == "paid"
