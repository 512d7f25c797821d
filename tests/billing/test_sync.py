"""From deliveries to entitlements: any order, any number, late answers and outages end in the same state."""

import asyncio
import copy
import itertools
import random
from pathlib import Path

import pytest
from sqlalchemy import text, update

from app import db
from app.billing import queries, stripe_api, sync
from app.billing.catching_up import LAPSING, STUCK, catch_up
from app.billing.fetching import fetch
from app.billing.letters import write_letters
from app.billing.models import StripeEvent, StripeSync
from app.billing.plan_models import PlanPrice
from app.clock import utcnow
from app.settings import get_settings
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox import shop
from tests.sandbox.contract import StripeContract
from tests.sandbox.stands import Stand


async def test_one_event_a_hundred_times_is_one_row_and_one_mail(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    events = [one for one in till.fresh_events() if one["type"] == "customer.subscription.created"]
    for _ in range(4):
        await asyncio.gather(*(till.deliver(events) for _ in range(25)))
        await till.work()
    assert await tills.ledger(user.id) == ["given"]
    assert await tills.mails() == ["subscription_started"]
    (row,) = await tills.event_rows()
    assert (row.deliveries, row.state) == (100, "applied")
    assert await tills.progress(await tills.customer_id(user.id)) == (100, 100)


async def test_workers_side_by_side_write_once(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.deliver(till.fresh_events())
    customer = await tills.customer_id(user.id)
    await asyncio.gather(*(sync.sync(customer) for _ in range(8)))
    assert await tills.ledger(user.id) == ["given"]
    assert await tills.mails() == ["subscription_started"]


async def test_a_mail_is_enqueued_once_for_its_cause(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    async with db.transaction() as session:
        mirror = await queries.mirror_of_user(session, user.id)
        # As if what was known before had been lost.
        await write_letters(session, user.id, {}, mirror, utcnow())
    assert await tills.mails() == ["subscription_started"]


async def test_a_burst_costs_one_fetch_when_the_work_comes_after_it(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.deliver(till.fresh_events())
    assert await till.work() == 1
    customer = await tills.customer_id(user.id)
    wanted, done = await tills.progress(customer)
    assert wanted == done > 3
    assert await sync.sync(customer, queued=True) is False, "covered, so nothing is asked"


async def test_what_comes_before_the_work_begins_shares_it_and_what_comes_later_gets_its_own(
    till: Till,
) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    burst = [one for one in till.fresh_events() if one["data"]["object"].get("customer")]
    for _round in range(5):
        await till.deliver(burst)
    assert await tills.work_enqueued() == 1
    customer = await tills.customer_id(user.id)
    fence = await sync.draw_fence(customer, queued=True)
    assert fence is not None
    fetched = await fetch(fence)
    await till.portal("cancel_now")
    await till.deliver(till.fresh_events())
    assert await tills.work_enqueued() == 2, "what is fetched already cannot know of this"
    await sync.apply(fetched)
    await till.work()
    assert not await tills.is_entitled(user.id)
    await till.deliver(burst[:1])
    assert await tills.work_enqueued() == 3, "a replay asks again"


async def test_work_that_was_lost_in_the_queue_holds_nobody_up_for_ever(till: Till) -> None:
    await till.member()
    await till.buy(await till.plan())
    await till.deliver(till.fresh_events())
    async with db.transaction() as session:
        await session.execute(text("DELETE FROM dbos.workflow_status WHERE name = 'billing_sync'"))
    await till.deliver(till.fresh_events())
    assert await tills.work_enqueued() == 0
    assert len(await catch_up(utcnow() + 2 * STUCK)) == 1
    assert await tills.work_enqueued() == 1


async def burst_ends_alike(till: Till, orders: list[tuple[int, ...]]) -> None:
    """Deliver the checkout burst in each order, work after every delivery, and compare."""
    slug = await till.plan()
    for order in orders:
        user = await till.member()
        await till.buy(slug)
        burst = [one for one in till.fresh_events() if one["data"]["object"].get("customer")]
        chosen = [burst[index % len(burst)] for index in order]
        for event in chosen:
            await till.deliver([event])
            await till.work()
        assert await tills.is_entitled(user.id), order
        assert await tills.ledger(user.id) == ["given"], order


async def test_a_checkout_burst_in_any_order_gives_the_same_rights(till: Till) -> None:
    every = list(itertools.permutations(range(5)))
    await burst_ends_alike(till, random.Random(5).sample(every, 2))


@pytest.mark.long
async def test_every_permutation_of_a_checkout_burst_gives_the_same_rights(till: Till) -> None:
    await burst_ends_alike(till, list(itertools.permutations(range(4))))


async def test_two_changes_in_one_second_reversed_end_with_the_newest(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    (row,) = await tills.rights(user.id)
    await till.portal("cancel_at_period_end")
    await till.portal("renew")
    first, second = [one for one in till.fresh_events() if one["type"] == "customer.subscription.updated"]
    second = {**second, "created": first["created"]}
    assert first["data"]["object"]["cancel_at_period_end"] or first["data"]["object"]["cancel_at"]
    for event in (second, first):
        await till.deliver([event])
        await till.work()
    (after,) = await tills.rights(user.id)
    assert (after.ends_at, after.revoked_at) == (row.ends_at, None)


async def test_an_answer_that_comes_late_never_overwrites_a_newer_one(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    customer = await tills.customer_id(user.id)
    old_fence = await sync.draw_fence(customer)
    assert old_fence is not None
    old = await fetch(old_fence)
    await till.portal("cancel_now")
    assert await sync.sync(customer) is True
    assert not await tills.is_entitled(user.id)
    assert await sync.apply(old) is False
    assert not await tills.is_entitled(user.id), "the answer from before the end is refused"
    assert await tills.ledger(user.id) == ["given", "ended"]


async def test_an_event_that_comes_during_a_fetch_is_not_marked_as_covered(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    customer = await tills.customer_id(user.id)
    fence = await sync.draw_fence(customer)
    assert fence is not None
    fetched = await fetch(fence)
    await till.portal("cancel_now")
    await till.deliver(till.fresh_events())
    await sync.apply(fetched)
    wanted, done = await tills.progress(customer)
    assert done < wanted
    assert any(one.state == "received" for one in await tills.event_rows())
    await till.work()
    assert not await tills.is_entitled(user.id)
    assert all(one.state == "applied" for one in await tills.event_rows() if one.customer_id)


async def test_an_outage_of_stripe_marks_nothing_done_and_is_healed_after_it(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.deliver(till.fresh_events())
    customer = await tills.customer_id(user.id)
    till.stand.stop()
    try:
        with pytest.raises(stripe_api.StripeDown):
            await till.work()
        assert await sync.sync_now(customer) is False
        wanted, done = await tills.progress(customer)
        assert done == 0 < wanted
        assert all(one.state == "received" for one in await tills.event_rows() if one.customer_id)
    finally:
        till.stand.start()
    await till.work()
    assert await tills.is_entitled(user.id)


async def test_a_sync_inside_a_request_gives_up_in_time(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    customer = await tills.customer_id(user.id)
    assert await sync.sync_now(customer, limit_s=0.0) is False
    assert await sync.sync_now(customer) is True


async def test_one_subscription_that_is_deleted_leaves_the_other_ones_access(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    customer = await till.api.v1.customers.retrieve_async(await tills.customer_id(user.id))
    price = (await till.api.v1.prices.list_async()).data[0]
    second = await shop.subscribe(till.api, customer, price)
    await till.settle()
    assert len(await tills.rights(user.id)) == 2
    await till.api.v1.subscriptions.cancel_async(second.id)
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert await tills.ledger(user.id) == ["given", "given", "ended"]


async def test_a_subscription_of_another_product_changes_nothing(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    customer = await till.api.v1.customers.retrieve_async(await tills.customer_id(user.id))
    book = await shop.monthly(till.api, 500)
    other = await shop.subscribe(till.api, customer, book)
    await till.settle()
    await till.api.v1.subscriptions.cancel_async(other.id)
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert await tills.ledger(user.id) == ["given"]
    assert await tills.mails() == ["subscription_started"]


async def test_a_plan_that_is_unknown_for_a_while_gives_its_right_when_it_is_known(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    async with db.transaction() as session:
        await session.execute(update(PlanPrice).values(stripe_price_id="price_lost"))
    await till.settle()
    assert await tills.rights(user.id) == []
    async with db.transaction() as session:
        row = await session.get_one(StripeSync, await tills.customer_id(user.id))
        assert "no plan knows" in (row.error or "")
        known = (await till.api.v1.prices.list_async()).data[0]
        await session.execute(update(PlanPrice).values(stripe_price_id=known.id))
    await till.deliver([till.stand.events()[-1]])
    await till.work()
    assert await tills.is_entitled(user.id)


async def test_a_customer_of_nobody_is_set_aside_and_adopted_when_it_is_ours(till: Till) -> None:
    stranger = await till.api.v1.customers.create_async({"email": "x@example.com"})
    await till.settle()
    assert {one.state for one in await tills.event_rows() if one.customer_id == stranger.id} == {
        "quarantined"
    }
    user = await till.member()
    ours = await till.api.v1.customers.create_async({"metadata": {"limber_user_id": str(user.id)}})
    await till.settle()
    assert await tills.customer_id(user.id) == ours.id, (
        "its row was lost between Stripe's answer and our commit"
    )


async def test_an_old_event_replayed_changes_nothing(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    created = next(one for one in till.stand.events() if one["type"] == "customer.subscription.created")
    await till.portal("cancel_now")
    await till.settle()
    old = copy.deepcopy(created)
    old["created"] -= 90 * 86400
    await till.deliver([old])
    await till.work()
    assert not await tills.is_entitled(user.id)
    assert await tills.ledger(user.id) == ["given", "ended"]


async def test_what_was_missed_for_a_week_is_found_again_by_a_replay(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    await till.portal("cancel_now")
    till.fresh_events()
    assert await tills.is_entitled(user.id), "nobody told us"
    await till.deliver([till.stand.events()[0] | {"data": {"object": {"object": "customer", "id":
        await tills.customer_id(user.id)}}}])  # fmt: skip
    await till.work()
    assert not await tills.is_entitled(user.id)


async def test_reconcile_asks_for_customers_that_are_behind(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.deliver(till.fresh_events())
    customer = await tills.customer_id(user.id)
    assert await catch_up(utcnow()) == [], "its work has just been enqueued"
    later = utcnow() + 2 * STUCK
    assert await catch_up(later) == [customer]
    await till.work()
    assert await tills.is_entitled(user.id)
    assert await catch_up(later) == []


async def test_reconcile_asks_before_a_right_lapses(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    (row,) = await tills.rights(user.id)
    assert row.ends_at is not None
    assert await catch_up(utcnow()) == []
    assert await catch_up(row.ends_at - LAPSING) == [await tills.customer_id(user.id)]


async def test_another_accounts_key_takes_nothing_away(
    till: Till, tmp_path: Path, contract: StripeContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    customer = await tills.customer_id(user.id)
    another = Stand(tmp_path / "another.sqlite", contract)
    await tills.close_connections()
    try:
        monkeypatch.setenv("STRIPE_API_BASE", another.url)
        get_settings.cache_clear()
        await sync.sync(customer)
    finally:
        await tills.close_connections()
        another.stop()
    assert await tills.is_entitled(user.id)
    async with db.transaction() as session:
        row = await session.get_one(StripeSync, customer)
    assert "another account" in (row.error or "")


async def test_without_a_key_nothing_is_asked(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    monkeypatch.setenv("STRIPE_SECRET_KEY", "")
    get_settings.cache_clear()
    assert await sync.sync_now(await tills.customer_id(user.id)) is False
    assert await tills.is_entitled(user.id)


async def test_an_event_of_no_customer_is_kept_and_needs_no_work(till: Till) -> None:
    await till.plan()
    await till.settle()
    kinds = {one.type: one.state for one in await tills.event_rows()}
    assert kinds["product.created"] == kinds["price.created"] == "ignored"
    async with db.transaction() as session:
        row = await session.get_one(StripeEvent, (await tills.event_rows())[0].event_id)
    assert row.payload["object"] == "event"
