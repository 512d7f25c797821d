"""A subscription's life on a test clock: start, renew, fail, recover, pause, change and end."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.shop import DAY_S
from tests.sandbox.stands import Stand


async def status_of(api: stripe.StripeClient, subscription: stripe.Subscription) -> str:
    return (await api.v1.subscriptions.retrieve_async(subscription.id)).status


async def test_a_new_subscription_has_this_versions_shape(stand: Stand, api: stripe.StripeClient) -> None:
    subscription = await shop.subscribe(api, await shop.member(api), await shop.monthly(api))
    shown = subscription.to_dict()
    assert shown["status"] == "active"
    assert "current_period_end" not in shown
    (item,) = shown["items"]["data"]
    assert item["current_period_end"] - item["current_period_start"] in (
        28 * DAY_S,
        29 * DAY_S,
        30 * DAY_S,
        31 * DAY_S,
    )
    invoice = (
        await api.v1.invoices.retrieve_async(shown["latest_invoice"], {"expand": ["payments"]})
    ).to_dict()
    assert invoice["parent"]["subscription_details"]["subscription"] == subscription.id
    assert not {"subscription", "payment_intent", "charge"} & set(invoice)
    assert {line["invoice"] for line in invoice["lines"]["data"]} == {invoice["id"]}
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    back = await api.v1.invoice_payments.list_async(
        {"payment": {"type": "payment_intent", "payment_intent": intent}}
    )
    assert [one.invoice for one in back.data] == [invoice["id"]]


async def test_a_subscription_renews_month_after_month(stand: Stand, api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    subscription = await shop.subscribe(api, await shop.member(api, clock=clock.id), await shop.monthly(api))
    first_end = subscription["items"].data[0].current_period_end
    await shop.advance(api, clock, 95 * DAY_S)
    renewed = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert renewed.status == "active"
    assert renewed["items"].data[0].current_period_end > first_end + 80 * DAY_S
    invoices = await api.v1.invoices.list_async({"subscription": subscription.id})
    assert [one.status for one in invoices.data] == ["paid"] * 4
    assert [one.billing_reason for one in invoices.data] == ["subscription_cycle"] * 3 + [
        "subscription_create"
    ]
    assert len({one.number for one in invoices.data}) == 4
    changes = [one for one in stand.events() if one["type"] == "customer.subscription.updated"]
    updated = next(one for one in changes if "latest_invoice" in one["data"]["previous_attributes"])
    assert "items" in updated["data"]["previous_attributes"]
    assert updated["created"] == first_end, "what time does happens when it was due"


async def test_a_renewals_invoice_is_a_draft_for_an_hour(api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    subscription = await shop.subscribe(api, await shop.member(api, clock=clock.id), await shop.monthly(api))
    end = subscription["items"].data[0].current_period_end
    await shop.advance(api, clock, end - clock.frozen_time + 60)
    newest = (await api.v1.invoices.list_async({"subscription": subscription.id})).data[0]
    assert (newest.status, await status_of(api, subscription)) == ("draft", "active")
    await shop.advance(api, clock, 3600)
    assert newest.id is not None
    assert (await api.v1.invoices.retrieve_async(newest.id)).status == "paid"


async def test_a_card_that_fails_later_goes_past_due_and_ends_after_two_weeks(
    stand: Stand, api: stripe.StripeClient
) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, "pm_card_chargeCustomerFail", clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api), off_session=False)
    assert subscription.status == "active"
    end = subscription["items"].data[0].current_period_end
    await shop.advance(api, clock, end - clock.frozen_time + 2 * 3600)
    assert await status_of(api, subscription) == "past_due"
    invoice = (await api.v1.invoices.list_async({"subscription": subscription.id})).data[0]
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.next_payment_attempt == end + 3600 + 3 * DAY_S
    await shop.advance(api, clock, 9 * DAY_S)
    assert await status_of(api, subscription) == "past_due"
    await shop.advance(api, clock, 6 * DAY_S)
    ended = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert ended.status == "canceled"
    assert ended.cancellation_details is not None
    assert ended.cancellation_details.reason == "payment_failed"
    assert ended.ended_at == end + 3600 + 14 * DAY_S
    assert stand.types().count("invoice.payment_failed") == 4
    assert stand.types().count("customer.subscription.deleted") == 1


async def test_tries_by_hand_bring_the_end_no_nearer(api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, "pm_card_chargeCustomerFail", clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api), off_session=False)
    await shop.advance(api, clock, 32 * DAY_S)
    invoice = (await api.v1.invoices.list_async({"subscription": subscription.id})).data[0]
    assert invoice.id is not None
    for _again in range(5):
        with pytest.raises(stripe.CardError):
            await api.v1.invoices.pay_async(invoice.id)
    after = await api.v1.invoices.retrieve_async(invoice.id)
    assert (after.attempt_count, after.next_payment_attempt) == (1, invoice.next_payment_attempt)
    assert await status_of(api, subscription) == "past_due"
    await shop.advance(api, clock, 9 * DAY_S)
    assert await status_of(api, subscription) == "past_due"
    await shop.advance(api, clock, 6 * DAY_S)
    assert await status_of(api, subscription) == "canceled"


@pytest.mark.parametrize("then", ["unpaid", "past_due"])
async def test_what_becomes_of_a_renewal_that_was_never_paid_is_the_accounts_choice(
    stand: Stand, api: stripe.StripeClient, browser: httpx.AsyncClient, then: str
) -> None:
    assert (await browser.post(f"{stand.url}/sandbox/retries", data={"then": "forget"})).status_code == 422
    assert (await browser.post(f"{stand.url}/sandbox/retries", data={"then": then})).status_code == 303
    clock = await shop.clock_now(api)
    customer = await shop.member(api, "pm_card_chargeCustomerFail", clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api), off_session=False)
    await shop.advance(api, clock, 50 * DAY_S)
    assert await status_of(api, subscription) == then
    method = await api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    await api.v1.customers.update_async(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    found = await api.v1.invoices.list_async({"subscription": subscription.id, "status": "open"})
    assert len(found.data) == 1
    assert found.data[0].id is not None
    await api.v1.invoices.pay_async(found.data[0].id)
    assert await status_of(api, subscription) == "active"


async def test_a_new_card_rescues_a_subscription_at_the_next_try(api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, "pm_card_chargeCustomerFail", clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api), off_session=False)
    await shop.advance(api, clock, 32 * DAY_S)
    assert await status_of(api, subscription) == "past_due"
    method = await api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    await api.v1.customers.update_async(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    await shop.advance(api, clock, 4 * DAY_S)
    assert await status_of(api, subscription) == "active"


async def test_cancelling_at_the_periods_end_ends_it_then(stand: Stand, api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    subscription = await shop.subscribe(api, await shop.member(api, clock=clock.id), await shop.monthly(api))
    end = subscription["items"].data[0].current_period_end
    set_ = await api.v1.subscriptions.update_async(
        subscription.id,
        {
            "cancel_at_period_end": True,
            "cancellation_details": {"feedback": "too_expensive", "comment": "Sorry"},
        },
    )
    assert (set_.cancel_at, set_.status) == (end, "active")
    await shop.advance(api, clock, end - clock.frozen_time - 60)
    assert await status_of(api, subscription) == "active"
    await shop.advance(api, clock, 120)
    ended = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", end)
    assert ended.cancellation_details is not None
    assert (ended.cancellation_details.feedback, ended.cancellation_details.comment) == (
        "too_expensive",
        "Sorry",
    )
    assert len((await api.v1.invoices.list_async({"subscription": subscription.id})).data) == 1
    deleted = stand.events()[-2]
    assert (deleted["type"], deleted["created"]) == ("customer.subscription.deleted", end)


async def test_cancelling_now_ends_it_now_and_only_once(api: stripe.StripeClient) -> None:
    subscription = await shop.subscribe(api, await shop.member(api), await shop.monthly(api))
    ended = await api.v1.subscriptions.cancel_async(subscription.id)
    assert (ended.status, ended.ended_at is not None) == ("canceled", True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await api.v1.subscriptions.cancel_async(subscription.id)
    assert refused.value.http_status == 404
    assert (await api.v1.subscriptions.list_async()).data == []
    assert len((await api.v1.subscriptions.list_async({"status": "all"})).data) == 1
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription"):
        await api.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})


async def test_a_trial_warns_three_days_ahead_and_then_pays(stand: Stand, api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer, price = await shop.member(api, clock=clock.id), await shop.monthly(api)
    subscription = await shop.subscribe(api, customer, price, trial_period_days=7)
    assert subscription.status == "trialing"
    assert subscription.trial_end == clock.frozen_time + 7 * DAY_S
    await shop.advance(api, clock, 5 * DAY_S)
    assert stand.types().count("customer.subscription.trial_will_end") == 1
    await shop.advance(api, clock, 3 * DAY_S)
    assert await status_of(api, subscription) == "active"
    paid = await api.v1.charges.list_async({"customer": customer.id})
    assert [(one.amount, one.status) for one in paid.data] == [(1900, "succeeded")]


@pytest.mark.parametrize(
    ("behavior", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
async def test_a_trial_without_a_card_ends_as_it_was_told(
    api: stripe.StripeClient, behavior: Any, status: str
) -> None:
    clock = await shop.clock_now(api)
    customer = await api.v1.customers.create_async({"email": "a@b.example", "test_clock": clock.id})
    subscription = await shop.subscribe(
        api,
        customer,
        await shop.monthly(api),
        trial_period_days=7,
        trial_settings={"end_behavior": {"missing_payment_method": behavior}},
    )
    await shop.advance(api, clock, 8 * DAY_S)
    assert await status_of(api, subscription) == status


async def test_a_first_payment_that_fails_leaves_it_incomplete_and_expires(api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer, price = await shop.member(api, clock=clock.id), await shop.monthly(api)
    method = await api.v1.payment_methods.attach_async(
        "pm_card_chargeCustomerFail", {"customer": customer.id}
    )
    subscription = await shop.subscribe(api, customer, price, default_payment_method=method.id)
    assert subscription.status == "incomplete"
    with pytest.raises(stripe.CardError):
        await shop.subscribe(
            api,
            customer,
            price,
            default_payment_method=method.id,
            payment_behavior="error_if_incomplete",
        )
    await shop.advance(api, clock, DAY_S)
    assert await status_of(api, subscription) == "incomplete_expired"
    assert len((await api.v1.subscriptions.list_async({"customer": customer.id, "status": "all"})).data) == 1


async def test_a_paused_collection_takes_nothing_until_it_resumes(api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    resumes = clock.frozen_time + 40 * DAY_S
    await api.v1.subscriptions.update_async(
        subscription.id, {"pause_collection": {"behavior": "void", "resumes_at": resumes}}
    )
    await shop.advance(api, clock, 35 * DAY_S)
    paused = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert (paused.status, paused.pause_collection is not None) == ("active", True)
    assert (await api.v1.invoices.list_async({"subscription": subscription.id})).data[0].status == "void"
    await shop.advance(api, clock, 30 * DAY_S)
    resumed = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert resumed.pause_collection is None
    newest = (await api.v1.invoices.list_async({"subscription": subscription.id})).data[0]
    assert newest.status == "paid"


async def test_a_dearer_plan_charges_the_rest_of_the_period(api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api, 1000))
    item = subscription["items"].data[0]
    dearer = await shop.monthly(api, 3000)
    half = (item.current_period_end - item.current_period_start) // 2
    await shop.advance(api, clock, half)
    changed = await api.v1.subscriptions.update_async(
        subscription.id,
        {"items": [{"id": item.id, "price": dearer.id}], "proration_behavior": "always_invoice"},
    )
    assert changed["items"].data[0].price.id == dearer.id
    invoice = (await api.v1.invoices.list_async({"subscription": subscription.id})).data[0]
    assert (invoice.billing_reason, invoice.status, invoice.total) == ("subscription_update", "paid", 1000)
    assert sorted(line.amount for line in invoice.lines.data) == [-500, 1500]


async def test_a_yearly_plan_starts_its_period_anew(api: stripe.StripeClient) -> None:
    subscription = await shop.subscribe(api, await shop.member(api), await shop.monthly(api))
    item, yearly = subscription["items"].data[0], await shop.monthly(api, 19000, "year")
    changed = await api.v1.subscriptions.update_async(
        subscription.id, {"items": [{"id": item.id, "price": yearly.id}]}
    )
    new = changed["items"].data[0]
    assert new.current_period_end - new.current_period_start in (365 * DAY_S, 366 * DAY_S)


@pytest.mark.parametrize("pays", [True, False])
async def test_a_change_that_is_not_paid_for_waits_and_is_forgotten(
    stand: Stand, api: stripe.StripeClient, pays: bool
) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, "pm_card_chargeCustomerFail", clock.id)
    cheap, dear = await shop.monthly(api, 1000), await shop.monthly(api, 9000)
    subscription = await shop.subscribe(api, customer, cheap, off_session=False)
    item = subscription["items"].data[0]
    waiting = await api.v1.subscriptions.update_async(
        subscription.id,
        {
            "items": [{"id": item.id, "price": dear.id}],
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        },
    )
    assert (waiting.status, waiting["items"].data[0].price.id) == ("active", cheap.id)
    assert waiting.pending_update is not None
    assert isinstance(waiting.latest_invoice, str)
    if pays:
        method = await api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
        await api.v1.invoices.pay_async(waiting.latest_invoice, {"payment_method": method.id})
    else:
        await shop.advance(api, clock, DAY_S)
        assert (await api.v1.invoices.retrieve_async(waiting.latest_invoice)).status == "void"
    after = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert (after.status, after.pending_update) == ("active", None)
    assert after["items"].data[0].price.id == (dear.id if pays else cheap.id)
    word = "applied" if pays else "expired"
    assert f"customer.subscription.pending_update_{word}" in stand.types()


async def test_deleting_a_customer_ends_its_subscriptions(stand: Stand, api: stripe.StripeClient) -> None:
    customer = await shop.member(api)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api))
    await api.v1.customers.delete_async(customer.id)
    assert await status_of(api, subscription) == "canceled"
    assert stand.types()[-1] == "customer.deleted"


async def test_another_customers_card_cannot_pay(api: stripe.StripeClient) -> None:
    mine, other = await shop.member(api), await shop.member(api)
    settings = other.invoice_settings
    assert settings is not None
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        await shop.subscribe(
            api, mine, await shop.monthly(api), default_payment_method=settings.default_payment_method
        )
