"""Invoices, payment intents and refunds: every cent is accounted for."""

import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand


async def paid(api: stripe.StripeClient, amount: int = 4900) -> stripe.PaymentIntent:
    return await api.v1.payment_intents.create_async(
        {"amount": amount, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )


async def test_two_partial_refunds_make_a_full_one(stand: Stand, api: stripe.StripeClient) -> None:
    intent = await paid(api)
    first = await api.v1.refunds.create_async(
        {
            "payment_intent": intent.id,
            "amount": 1900,
            "reason": "requested_by_customer",
            "metadata": {"by": "staff"},
        }
    )
    assert (first.status, first.amount) == ("succeeded", 1900)
    assert isinstance(intent.latest_charge, str)
    charge = await api.v1.charges.retrieve_async(intent.latest_charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (1900, False)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        await api.v1.refunds.create_async({"payment_intent": intent.id, "amount": 3001})
    await api.v1.refunds.create_async({"charge": charge.id})
    charge = await api.v1.charges.retrieve_async(charge.id, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (4900, True)
    assert charge.refunds is not None
    assert sum(one.amount for one in charge.refunds.data) == 4900
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.refunds.create_async({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"
    assert [one for one in stand.types() if "refund" in one][:2] == ["refund.created", "charge.refunded"]
    assert len((await api.v1.refunds.list_async({"payment_intent": intent.id})).data) == 2


async def test_what_did_not_succeed_cannot_be_refunded(api: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError):
        await api.v1.payment_intents.create_async(
            {"amount": 500, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
        )
    (charge,) = (await api.v1.charges.list_async()).data
    with pytest.raises(stripe.InvalidRequestError, match="has not succeeded"):
        await api.v1.refunds.create_async({"charge": charge.id})


async def test_an_intent_is_confirmed_captured_or_cancelled_once(api: stripe.StripeClient) -> None:
    intent = await api.v1.payment_intents.create_async(
        {"amount": 700, "currency": "usd", "capture_method": "manual", "metadata": {"a": "b"}}
    )
    assert intent.status == "requires_payment_method"
    held = await api.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_mastercard"})
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 700, 0)
    done = await api.v1.payment_intents.capture_async(intent.id)
    assert (done.status, done.amount_received, done.amount_capturable) == ("succeeded", 700, 0)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.payment_intents.cancel_async(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    other = await api.v1.payment_intents.create_async({"amount": 700, "currency": "usd"})
    gone = await api.v1.payment_intents.cancel_async(other.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")


async def test_an_open_invoice_is_paid_by_hand_and_only_once(stand: Stand, api: stripe.StripeClient) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    subscription = await shop.subscribe(
        api, customer, await shop.monthly(api), payment_behavior="default_incomplete"
    )
    assert subscription.status == "incomplete"
    assert isinstance(subscription.latest_invoice, str)
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        await api.v1.invoices.pay_async(subscription.latest_invoice)
    method = await api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    invoice = await api.v1.invoices.pay_async(subscription.latest_invoice, {"payment_method": method.id})
    assert (invoice.status, invoice.amount_paid, invoice.amount_remaining) == ("paid", 1900, 0)
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.invoices.pay_async(subscription.latest_invoice)
    assert refused.value.code == "invoice_already_paid"
    assert stand.types().count("invoice.paid") == 1


@pytest.mark.parametrize(
    ("call", "status"), [("void_invoice_async", "void"), ("mark_uncollectible_async", "uncollectible")]
)
async def test_an_open_invoice_is_voided_or_given_up(
    api: stripe.StripeClient, call: str, status: str
) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    subscription = await shop.subscribe(
        api, customer, await shop.monthly(api), payment_behavior="default_incomplete"
    )
    closed = await getattr(api.v1.invoices, call)(subscription.latest_invoice)
    assert closed.status == status
    listed = await api.v1.invoices.list_async({"customer": customer.id, "status": "open"})
    assert listed.data == []


async def test_an_attached_card_declines_when_it_is_attached(api: stripe.StripeClient) -> None:
    customer = await api.v1.customers.create_async({"email": "a@b.example"})
    with pytest.raises(stripe.CardError) as declined:
        await api.v1.payment_methods.attach_async("pm_card_chargeDeclined", {"customer": customer.id})
    assert declined.value.code == "card_declined"
    assert (await api.v1.customers.payment_methods.list_async(customer.id)).data == []


async def test_a_detached_card_is_no_longer_the_default(stand: Stand, api: stripe.StripeClient) -> None:
    customer = await shop.member(api)
    (method,) = (await api.v1.payment_methods.list_async({"customer": customer.id, "type": "card"})).data
    await api.v1.payment_methods.detach_async(method.id)
    again = await api.v1.customers.retrieve_async(customer.id)
    assert again.invoice_settings is not None
    assert again.invoice_settings.default_payment_method is None
    assert stand.types()[-2:] == ["payment_method.detached", "customer.updated"]
