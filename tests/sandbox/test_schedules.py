"""Subscriptions that change from phase to phase by themselves."""

from typing import Any

import pytest
import stripe

from tests.sandbox import shop
from tests.sandbox.stands import Stand


async def moved(
    api: stripe.StripeClient, clock: stripe.test_helpers.TestClock, end: Any = "release"
) -> tuple[stripe.Subscription, stripe.SubscriptionSchedule]:
    """A member of 10 dollars who is to pay 30 from the next period on."""
    customer = await shop.member(api, clock=clock.id)
    subscription = await shop.subscribe(api, customer, await shop.monthly(api, 1000))
    schedule = await api.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    (phase,) = schedule.phases
    dear = await shop.monthly(api, 3000)
    phases: Any = [
        {
            "items": [{"price": phase.items[0].price, "quantity": 1}],
            "start_date": phase.start_date,
            "end_date": phase.end_date,
        },
        {
            "items": [{"price": dear.id, "quantity": 1}],
            "duration": {"interval": "month", "interval_count": 2},
        },
    ]
    params: Any = {"phases": phases, "end_behavior": end, "proration_behavior": "none"}
    return subscription, await api.v1.subscription_schedules.update_async(schedule.id, params)


@pytest.mark.parametrize(("end", "status"), [("release", "active"), ("cancel", "canceled")])
async def test_a_new_price_begins_with_the_next_period(
    stand: Stand, api: stripe.StripeClient, end: str, status: str
) -> None:
    clock = await shop.clock_now(api)
    subscription, schedule = await moved(api, clock, end)
    attached = await api.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["schedule"]})
    assert isinstance(attached.schedule, stripe.SubscriptionSchedule)
    await shop.advance(api, clock, 32 * shop.DAY_S)
    invoices = (await api.v1.invoices.list_async({"subscription": subscription.id})).data
    assert [one.total for one in invoices] == [3000, 1000], "the whole period at the new price, no prorations"
    running = await api.v1.subscription_schedules.retrieve_async(schedule.id)
    assert running.status == "active"
    assert running.current_phase is not None
    assert running.current_phase.start_date == running.phases[1].start_date
    await shop.advance(api, clock, 62 * shop.DAY_S)
    after = await api.v1.subscriptions.retrieve_async(subscription.id)
    assert after.status == status
    ended = await api.v1.subscription_schedules.retrieve_async(schedule.id)
    assert ended.status == ("released" if end == "release" else "completed")
    assert (after.schedule is None) == (end == "release")
    assert f"subscription_schedule.{ended.status}" in stand.types()


async def test_a_schedule_is_released_or_canceled_once(stand: Stand, api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    subscription, schedule = await moved(api, clock)
    released = await api.v1.subscription_schedules.release_async(schedule.id)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    with pytest.raises(stripe.InvalidRequestError, match="is released"):
        await api.v1.subscription_schedules.cancel_async(schedule.id)
    other = await api.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        await api.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    await api.v1.subscription_schedules.cancel_async(other.id)
    assert (await api.v1.subscriptions.retrieve_async(subscription.id)).status == "canceled"


async def test_a_subscription_can_begin_later(stand: Stand, api: stripe.StripeClient) -> None:
    clock = await shop.clock_now(api)
    customer = await shop.member(api, clock=clock.id)
    price = await shop.monthly(api)
    schedule = await api.v1.subscription_schedules.create_async(
        {
            "customer": customer.id,
            "start_date": clock.frozen_time + 3 * shop.DAY_S,
            "phases": [{"items": [{"price": price.id, "quantity": 1}]}],
        }
    )
    assert (schedule.status, schedule.subscription) == ("not_started", None)
    await shop.advance(api, clock, 4 * shop.DAY_S)
    begun = await api.v1.subscription_schedules.retrieve_async(schedule.id, {"expand": ["subscription"]})
    assert begun.status == "active"
    assert isinstance(begun.subscription, stripe.Subscription)
    assert begun.subscription.status == "active"
