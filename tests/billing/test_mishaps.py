"""What goes wrong between a member, the bank and Stripe: abandoned, declined, sent back, lost, reset, all at once."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import User
from app.billing import stripe_api, sync
from app.billing.models import StripeCharge
from app.billing.plan_models import PlanPrice
from app.billing.reconciling import reconcile
from app.settings import get_settings
from tests import factories
from tests.billing import till as tills
from tests.billing.till import LESSON, Till
from tests.sandbox import shop

ASKS_ONCE = "4000 0000 0000 3220"
ASKS_ALWAYS = "4000 0027 6000 3184"
REFUND_FAILS = "4000 0000 0000 5126"
RETURN = "https://limber.test/account"


async def bought(till: Till, card: str = shop.GOOD) -> UUID:
    """A member who has bought one course for good."""
    async with db.transaction() as session:
        hips: UUID = (await factories.course(session, title="Hips")).id
    user = await till.member()
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)), card)
    await till.settle()
    return user.id


async def holds(user_id: UUID) -> bool:
    return any(one.revoked_at is None for one in await tills.rights(user_id))


async def charge_of(till: Till, user_id: UUID) -> str:
    customer = await tills.customer_id(user_id)
    (one,) = (await till.api.v1.charges.list_async({"customer": customer})).data
    return one.id


async def desk(till: Till, place: str, **form: str) -> None:
    done = await till.browser.post(f"{till.stand.url}/sandbox/{place}", data=form)
    assert done.status_code == 303, done.text


async def answer_bank(till: Till, url: str, action: str) -> None:
    """Say yes (`complete`) or no (`fail`) on the bank's page."""
    await till.browser.post(url, data={"action": action})


async def member_with(till: Till, card: str) -> User:
    """A member who subscribed with a card, and proved who they are where the bank asked."""
    user, slug = await till.member(), await till.plan()
    url = await till.checkout(slug)
    if (await till.pay(url, card)).status_code != 303:
        await answer_bank(till, f"{url}/authenticate", "complete")
    await till.settle()
    assert await tills.is_entitled(user.id)
    return user


async def test_who_leaves_the_banks_page_has_bought_nothing_and_can_pay_later(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    url = await till.checkout(slug)
    asked = await till.pay(url, ASKS_ONCE)
    assert (asked.status_code, "Your bank asks" in asked.text) == (200, True)
    # The tab is closed here.
    await till.settle()
    assert await tills.rights(user.id) == []
    assert await tills.mails() == []
    assert await till.checkout(slug) == url, "the same page, so that nothing can be paid twice"
    await answer_bank(till, f"{url}/authenticate", "fail")
    await till.settle()
    assert await tills.rights(user.id) == []
    back = await till.come_back(await till.pay(url))
    assert back.headers["location"] == LESSON
    await till.settle()
    assert await tills.ledger(user.id) == ["given"]
    assert await tills.mails() == ["subscription_started"]


async def test_a_page_that_nobody_paid_ends_by_itself_and_gives_nothing(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.pay(await till.checkout(slug), ASKS_ONCE)
    await till.pass_days(2)
    assert "checkout.session.expired" in till.stand.types()
    await till.settle()
    assert await tills.rights(user.id) == []
    await till.buy(slug)
    await till.settle()
    assert await tills.is_entitled(user.id)


@pytest.mark.parametrize("proves", [True, False], ids=["proves-it", "walks-away"])
async def test_a_renewal_that_the_bank_asks_about_is_a_failed_payment_until_it_is_proven(
    till: Till, proves: bool
) -> None:
    user = await member_with(till, ASKS_ALWAYS)
    await till.pass_days(32)
    await till.settle()
    assert await tills.is_entitled(user.id), "in the days of grace"
    assert (await tills.mails())[-1] == "payment_failed"
    (owed,) = (await till.api.v1.invoices.list_async({"status": "open"})).data
    page = (await till.browser.get(str(owed.hosted_invoice_url))).text
    bank = page.split("/authenticate/")[1].split('"')[0]
    if proves:
        await answer_bank(till, f"{till.stand.url}/authenticate/{bank}", "complete")
        await till.settle()
        assert (await tills.mails())[-1] == "payment_recovered"
    else:
        for _week in range(3):
            await till.pass_days(6)
            await till.settle()
        assert (await tills.mails())[-1] == "subscription_ended"
    assert await tills.is_entitled(user.id) is proves


@pytest.mark.parametrize("answer", ["complete", "fail"])
async def test_a_new_card_in_the_portal_that_the_bank_asks_about_pays_when_it_is_proven(
    till: Till, answer: str
) -> None:
    user = await member_with(till, shop.FAILS_LATER)
    await till.pass_days(32)
    await till.settle()
    saved = await till.portal("update_card", card_number=ASKS_ALWAYS)
    bank = urljoin(till.stand.url, saved.headers["location"])
    assert "/authenticate/" in bank
    await till.client.get("/billing/back")
    assert "The last payment did not go through." in (await till.client.get("/account")).text
    await answer_bank(till, bank, answer)
    await till.client.get("/billing/back")
    is_paid = answer == "complete"
    assert ("The last payment did not go through." in (await till.client.get("/account")).text) is not is_paid
    await till.settle()
    assert ((await tills.mails())[-1] == "payment_recovered") is is_paid
    assert await tills.is_entitled(user.id)


async def change_in_portal(till: Till, user: User, dear: str, card: str) -> str:
    """The portal's page that asks to confirm another plan, and the subscription's id."""
    customer = await tills.customer_id(user.id)
    (one,) = (await till.api.v1.subscriptions.list_async({"customer": customer})).data
    method = await till.api.v1.payment_methods.attach_async(card, {"customer": customer})
    await till.api.v1.subscriptions.update_async(one.id, {"default_payment_method": method.id})
    features: Any = {
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
        }
    }
    prices = [price for price in (await till.api.v1.prices.list_async()).data if price.id == dear]
    features["subscription_update"]["products"] = [{"product": str(prices[0].product), "prices": [dear]}]
    made = await till.api.v1.billing_portal.configurations.create_async({"features": features})
    flow: Any = {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {
            "subscription": one.id,
            "items": [{"id": one["items"].data[0].id, "price": dear}],
        },
        "after_completion": {"type": "redirect", "redirect": {"return_url": RETURN}},
    }
    opened = await till.api.v1.billing_portal.sessions.create_async(
        {"customer": customer, "return_url": RETURN, "configuration": made.id, "flow_data": flow}
    )
    page = await till.browser.get(opened.url)
    assert page.status_code == 200
    return f"{opened.url} {one.id}"


async def dear_price(till: Till) -> str:
    await till.plan(4900, name="With a call")
    return next(one.id for one in (await till.api.v1.prices.list_async()).data if one.unit_amount == 4900)


async def test_a_change_of_plan_in_the_portal_that_the_card_declines_changes_nothing_here(till: Till) -> None:
    user = await member_with(till, shop.GOOD)
    dear = await dear_price(till)
    place = await change_in_portal(till, user, dear, "pm_card_chargeCustomerFail")
    url, subscription = place.split()
    refused = await till.browser.post(url, data={"action": "confirm_plan", "subscription": subscription})
    assert refused.status_code == 402
    await till.settle()
    (right,) = await tills.rights(user.id)
    assert right.revoked_at is None
    assert "$19 a month" in (await till.client.get("/account")).text
    await till.pass_days(2)
    assert "customer.subscription.pending_update_expired" in till.stand.types()
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert "$19 a month" in (await till.client.get("/account")).text
    assert await tills.mails() == ["subscription_started"]


async def test_a_change_of_plan_in_the_portal_that_is_paid_is_known_here(till: Till) -> None:
    user = await member_with(till, shop.GOOD)
    dear = await dear_price(till)
    url, subscription = (await change_in_portal(till, user, dear, "pm_card_visa")).split()
    done = await till.browser.post(url, data={"action": "confirm_plan", "subscription": subscription})
    assert done.status_code == 303
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert "$49 a month" in (await till.client.get("/account")).text


async def test_a_refund_that_the_bank_sends_back_gives_the_right_again(till: Till) -> None:
    user_id = await bought(till, REFUND_FAILS)
    await till.api.v1.refunds.create_async({"charge": await charge_of(till, user_id)})
    await till.settle()
    assert not await holds(user_id)
    await till.pass_days(1)
    assert till.stand.types()[-1] == "refund.failed"
    await till.settle()
    assert await holds(user_id)
    assert await tills.ledger(user_id) == ["given", "ended", "restored"]


@pytest.mark.parametrize(("verdict", "again"), [("lost", False), ("won", True)])
async def test_a_dispute_after_a_part_was_given_back_decides_about_all_of_it(
    till: Till, verdict: str, again: bool
) -> None:
    user_id = await bought(till)
    charge = await charge_of(till, user_id)
    await till.api.v1.refunds.create_async({"charge": charge, "amount": 900})
    await till.settle()
    assert await holds(user_id)
    await desk(till, "disputes", charge=charge, action="dispute")
    await till.settle()
    assert not await holds(user_id)
    (dispute,) = (await till.api.v1.disputes.list_async()).data
    await desk(till, "disputes", dispute=dispute.id, action=verdict)
    await till.settle()
    assert await holds(user_id) is again


async def test_a_key_that_stripe_refuses_takes_nothing_in_a_reconciliation(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await member_with(till, shop.GOOD)
    await till.portal("cancel_now")
    await tills.close_connections()
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_nobodys")
    get_settings.cache_clear()
    with pytest.raises(stripe_api.StripeDown):
        await reconcile(apply=True, may_take=10**6, say=lambda _words: None)
    assert await tills.is_entitled(user.id)
    await tills.close_connections()


class HangsUp(asyncio.Protocol):
    """Takes a request, begins to answer, and resets the connection."""

    def __init__(self, asked: list[bytes], taken: list[asyncio.Transport]) -> None:
        self._asked, self._taken = asked, taken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._taken.append(transport)

    def data_received(self, data: bytes) -> None:
        self._asked.append(data)
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
        )
        self._transport.abort()


@asynccontextmanager
async def resetting() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Instead of Stripe, something that takes each request and hangs up in the middle of the answer."""
    asked: list[bytes] = []
    taken: list[asyncio.Transport] = []
    server = await asyncio.get_running_loop().create_server(lambda: HangsUp(asked, taken), "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    # Whoever connected and asked nothing.
    for transport in taken:
        transport.abort()


async def ended_at_stripe(till: Till) -> tuple[User, str, int]:
    """A member whose subscription Stripe has ended, and we have been told to look; and how far we had looked."""
    user = await member_with(till, shop.GOOD)
    customer = await tills.customer_id(user.id)
    (before, _done) = await tills.progress(customer)
    await till.portal("cancel_now")
    await till.deliver(till.fresh_events())
    await tills.close_connections()
    return user, customer, before


async def is_not_done_but_heals(till: Till, user: User, customer: str, before: int) -> None:
    wanted, done = await tills.progress(customer)
    assert done == before < wanted
    assert await tills.is_entitled(user.id)
    assert "received" in {one.state for one in await tills.event_rows()}
    await tills.close_connections()
    get_settings.cache_clear()
    await till.work()
    assert not await tills.is_entitled(user.id)


async def test_a_connection_that_is_reset_marks_nothing_done_and_takes_nothing_away(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, customer, before = await ended_at_stripe(till)
    async with resetting() as (url, asked):
        monkeypatch.setenv("STRIPE_API_BASE", url)
        get_settings.cache_clear()
        with pytest.raises(stripe_api.StripeDown):
            await till.work()
        assert len(asked) > 1, "tried again before giving up"
        await tills.close_connections()
    monkeypatch.setenv("STRIPE_API_BASE", till.stand.url)
    await is_not_done_but_heals(till, user, customer, before)


async def test_an_answer_that_does_not_come_marks_nothing_done_and_takes_nothing_away(till: Till) -> None:
    user, customer, before = await ended_at_stripe(till)
    place = f"{till.stand.url}/sandbox/trouble"
    await till.browser.post(place, json={"path": "/v1/", "delay_s": 2.0, "times": 100})
    with pytest.MonkeyPatch.context() as shorter:
        # Ten seconds in earnest; the way is the same.
        shorter.setattr("app.billing.stripe_api.client._TIMEOUT_S", 0.3)
        await tills.close_connections()
        with pytest.raises(stripe_api.StripeDown):
            await till.work()
        await tills.close_connections()
    await till.browser.post(place, json={})
    await is_not_done_but_heals(till, user, customer, before)


@pytest.mark.long
async def test_one_event_a_hundred_times_while_eight_workers_are_at_it_is_one_row_and_one_mail(
    till: Till,
) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    (event,) = [one for one in till.fresh_events() if one["type"] == "customer.subscription.created"]
    customer, over = await tills.customer_id(user.id), asyncio.Event()

    async def worker() -> int:
        wrote = 0
        while not over.is_set():
            wrote += await sync.sync(customer)
        return wrote

    working = [asyncio.create_task(worker()) for _number in range(8)]
    for _time in range(20):
        await asyncio.gather(*(till.deliver([event]) for _copy in range(5)))
    over.set()
    assert sum(await asyncio.gather(*working)) > 8
    await till.work()
    assert await tills.ledger(user.id) == ["given"]
    assert await tills.mails() == ["subscription_started"]
    (row,) = await tills.event_rows()
    assert (row.deliveries, row.state) == (100, "applied")
    wanted, done = await tills.progress(customer)
    assert wanted == done == 100


async def test_characters_that_no_database_keeps_stop_nothing(till: Till) -> None:
    """What a member types in Stripe's portal comes with the events and the subscription itself."""
    user = await till.member()
    await till.buy(await till.plan())
    await till.settle()
    (one,) = (await till.api.v1.subscriptions.list_async()).data
    with till.stand.store.transaction():
        row = till.stand.store.need("subscription", one.id)
        row.body["cancellation_details"]["comment"] = "Nul \x00"
        till.stand.store.put(row)
    event = next(each for each in till.stand.events() if each["type"] == "customer.subscription.created")
    event["id"] = "evt_odd"
    odd = "Nul \x00, and half of a pair \ud83d"
    event["data"]["object"]["cancellation_details"] = {"comment": odd, "feedback": None, "reason": None}
    await till.deliver([event])
    assert await till.work() == 1
    assert await tills.is_entitled(user.id)
    kept = next(each for each in await tills.event_rows() if each.event_id == event["id"])
    assert kept.payload["data"]["object"]["cancellation_details"]["comment"].startswith("Nul ")


async def test_two_subscriptions_for_the_same_are_shown_to_staff(till: Till) -> None:
    user = await till.member()
    await till.buy(await till.plan())
    await till.settle()
    customer = await tills.customer_id(user.id)
    async with db.transaction() as session:
        price = await session.scalar(select(PlanPrice.stripe_price_id))
    second = await till.api.v1.subscriptions.create_async(
        {"customer": customer, "items": [{"price": str(price)}]}
    )
    await till.settle()
    assert await tills.is_entitled(user.id)
    await till.member(role="staff")
    # Both began in the same second: which of them is called the older is not told by their times.
    page = (await till.client.get("/studio/money")).text
    (named,) = re.findall(r"subscriptions (sub_\w+) and (sub_\w+) pay for the same", page)
    assert second.id in named
    await till.api.v1.subscriptions.cancel_async(second.id)
    await till.settle()
    assert "pay for the same" not in (await till.client.get("/studio/money")).text


async def test_what_the_bank_did_not_take_back_can_be_given_back_again(till: Till) -> None:
    """The same sum within a day: Stripe would answer the first try's key with the refund that failed."""
    await bought(till, REFUND_FAILS)
    async with db.transaction() as session:
        charge = str(await session.scalar(select(StripeCharge.id)))
    await till.member(role="staff")
    for tries in (1, 2):
        sent = await till.client.post(f"/studio/money/payments/{charge}/refund", data={"amount": "49"})
        assert sent.status_code == 303, sent.text
        await till.pass_days(10)
        await till.settle()
        made = (await till.api.v1.refunds.list_async({"charge": charge})).data
        assert [one.status for one in made] == ["failed"] * tries
