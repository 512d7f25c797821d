"""A refund that takes its time, comes back, or is called off."""

import httpx
import pytest
import stripe

from tests.sandbox.stands import Stand


async def refunded(api: stripe.StripeClient, token: str) -> stripe.Refund:
    intent = await api.v1.payment_intents.create_async(
        {"amount": 4900, "currency": "usd", "payment_method": token, "confirm": True}
    )
    return await api.v1.refunds.create_async({"payment_intent": intent.id, "amount": 2000})


async def test_a_refund_that_fails_later_gives_the_money_back_to_the_charge(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    refund = await refunded(api, "pm_card_refundFail")
    assert refund.status == "succeeded"
    await browser.post(f"{stand.url}/sandbox/clock", json={"advance_s": 61})
    failed = await api.v1.refunds.retrieve_async(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert isinstance(failed.charge, str)
    assert (await api.v1.charges.retrieve_async(failed.charge)).amount_refunded == 0
    assert stand.types()[-1] == "refund.failed"


async def test_a_pending_refund_succeeds_later(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    refund = await refunded(api, "pm_card_pendingRefund")
    assert refund.status == "pending"
    await browser.post(f"{stand.url}/sandbox/clock", json={"advance_s": 61})
    assert (await api.v1.refunds.retrieve_async(refund.id)).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be canceled"):
        await api.v1.refunds.cancel_async(refund.id)


async def test_a_pending_refund_can_be_called_off(api: stripe.StripeClient) -> None:
    refund = await refunded(api, "pm_card_pendingRefund")
    assert (await api.v1.refunds.cancel_async(refund.id)).status == "canceled"
    assert isinstance(refund.charge, str)
    assert (await api.v1.charges.retrieve_async(refund.charge)).amount_refunded == 0
