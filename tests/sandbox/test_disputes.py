"""A disputed charge: the money leaves, evidence is judged, and every end is told."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand


async def charged(
    api: stripe.StripeClient, token: str = "pm_card_createDispute", customer: str | None = None
) -> stripe.PaymentIntent:
    params: Any = {"amount": 4900, "currency": "usd", "payment_method": token, "confirm": True}
    if customer is not None:
        params["customer"] = customer
    return await api.v1.payment_intents.create_async(params)


async def dispute_of(api: stripe.StripeClient, intent: stripe.PaymentIntent) -> stripe.Dispute:
    (dispute,) = (await api.v1.disputes.list_async({"payment_intent": intent.id})).data
    return dispute


def told(stand: Stand) -> list[str]:
    return [one.removeprefix("charge.dispute.") for one in stand.types() if "dispute" in one]


async def test_a_disputed_charge_loses_its_money_at_once(stand: Stand, api: stripe.StripeClient) -> None:
    intent = await charged(api, "pm_card_createDisputeProductNotReceived")
    dispute = await dispute_of(api, intent)
    assert (dispute.status, dispute.reason, dispute.amount) == (
        "needs_response",
        "product_not_received",
        4900,
    )
    (booked,) = dispute.balance_transactions
    assert (booked.amount, booked.fee, booked.net) == (-4900, 1500, -6400)
    assert (await api.v1.balance_transactions.retrieve_async(booked.id)).source == dispute.id
    assert isinstance(dispute.charge, str)
    charge = await api.v1.charges.retrieve_async(dispute.charge)
    assert (charge.disputed, charge.refunded) == (True, False)
    assert told(stand) == ["created", "funds_withdrawn"]
    assert (await api.v1.disputes.list_async({"charge": charge.id})).data[0].id == dispute.id
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        await api.v1.refunds.create_async({"charge": charge.id})


@pytest.mark.parametrize(
    ("words", "status", "ends"),
    [("winning_evidence", "won", ["funds_reinstated", "closed"]), ("losing_evidence", "lost", ["closed"])],
)
async def test_evidence_wins_or_loses_a_dispute(
    stand: Stand,
    api: stripe.StripeClient,
    browser: httpx.AsyncClient,
    words: str,
    status: str,
    ends: list[str],
) -> None:
    dispute = await dispute_of(api, await charged(api))
    sent = await api.v1.disputes.update_async(dispute.id, {"evidence": {"uncategorized_text": words}})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    await browser.post(f"{stand.url}/sandbox/clock", json={"advance_s": 120})
    judged = await api.v1.disputes.retrieve_async(dispute.id)
    assert judged.status == status
    assert told(stand) == ["created", "funds_withdrawn", "updated", *ends]
    assert sum(one.net for one in judged.balance_transactions) == (0 if status == "won" else -6400)
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        await api.v1.disputes.close_async(dispute.id)


async def test_evidence_can_be_staged_before_it_is_sent(api: stripe.StripeClient) -> None:
    dispute = await dispute_of(api, await charged(api))
    staged = await api.v1.disputes.update_async(
        dispute.id, {"evidence": {"product_description": "Twelve lessons"}, "submit": False}
    )
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    sent = await api.v1.disputes.update_async(dispute.id, {"submit": True})
    assert (sent.status, sent.evidence.product_description) == ("under_review", "Twelve lessons")


async def test_silence_loses_when_the_evidence_is_due(stand: Stand, api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    dispute = await dispute_of(api, await charged(api, customer=customer.id))
    due = dispute.evidence_details.due_by
    assert due is not None
    await shop.advance(api, clock, due - clock.frozen_time - 1)
    assert (await api.v1.disputes.retrieve_async(dispute.id)).status == "needs_response"
    await shop.advance(api, clock, 1)
    lost = await api.v1.disputes.retrieve_async(dispute.id)
    assert (lost.status, lost.evidence_details.past_due) == ("lost", True)
    assert told(stand)[-1] == "closed"


async def test_an_accepted_dispute_is_lost(api: stripe.StripeClient) -> None:
    dispute = await dispute_of(api, await charged(api))
    assert (await api.v1.disputes.close_async(dispute.id)).status == "lost"


async def test_an_inquiry_takes_no_money_and_a_full_refund_closes_it(
    stand: Stand, api: stripe.StripeClient
) -> None:
    intent = await charged(api, "pm_card_createDisputeInquiry")
    inquiry = await dispute_of(api, intent)
    assert (inquiry.status, inquiry.is_charge_refundable) == ("warning_needs_response", True)
    assert inquiry.balance_transactions == []
    await api.v1.refunds.create_async({"payment_intent": intent.id})
    assert (await api.v1.disputes.retrieve_async(inquiry.id)).status == "warning_closed"
    assert told(stand) == ["created", "closed"]


async def test_an_inquiry_can_become_a_chargeback(stand: Stand, api: stripe.StripeClient) -> None:
    inquiry = await dispute_of(api, await charged(api, "pm_card_createDisputeInquiry"))
    worse = await api.v1.disputes.update_async(
        inquiry.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}}
    )
    assert (worse.status, worse.is_charge_refundable) == ("needs_response", False)
    assert told(stand) == ["created", "updated", "funds_withdrawn"]


async def test_a_warning_of_fraud_is_told_and_listed(stand: Stand, api: stripe.StripeClient) -> None:
    intent = await charged(api, "pm_card_createIssuerFraudRecord")
    (warning,) = (await api.v1.radar.early_fraud_warnings.list_async({"payment_intent": intent.id})).data
    assert (warning.actionable, warning.charge) == (True, intent.latest_charge)
    assert stand.types()[-1] == "radar.early_fraud_warning.created"


async def test_the_desk_decides_a_dispute(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    dispute = await dispute_of(api, await charged(api))
    page = await browser.get(f"{stand.url}/")
    assert dispute.id in page.text
    pressed = {"dispute": dispute.id, "action": "won"}
    assert (await browser.post(f"{stand.url}/sandbox/disputes", data=pressed)).status_code == 303
    assert (await api.v1.disputes.retrieve_async(dispute.id)).status == "won"


async def test_the_desk_disputes_any_charge(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient
) -> None:
    intent = await charged(api, "pm_card_visa")
    pressed = {"charge": str(intent.latest_charge), "action": "fraudulent"}
    await browser.post(f"{stand.url}/sandbox/disputes", data=pressed)
    assert (await dispute_of(api, intent)).status == "needs_response"
