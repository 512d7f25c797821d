"""Mails about money that went back: once for each sum, with what it does to watching, and never about the past."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from app import db, mail, worker
from app.billing import refund_letters, sync
from app.billing.mirror import ChargeFacts
from app.billing.models import StripeCharge, StripePurchase, StripeSubscription
from app.billing.refund_letters import ARRIVES, newly_returned
from app.clock import utcnow
from app.settings import get_settings
from tests import factories, letters
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox.shop import DAY_S

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PAID = ChargeFacts("ch_1", "pi_1", 1900, 0, "usd", NOW - DAY)


def returned(cents: int, ago: timedelta = timedelta(0)) -> ChargeFacts:
    return replace(PAID, refunded_cents=cents, refunded_at=NOW - ago)


@pytest.mark.parametrize(
    ("known", "charge", "more", "cents"),
    [
        (PAID, PAID, {}, 0),
        (PAID, returned(500), {}, 500),
        (returned(500, DAY), returned(1900), {}, 1400),
        (returned(500, DAY), returned(500, DAY), {}, 0),
        (returned(500, DAY), replace(PAID, refunded_cents=0), {}, 0),
        # A transfer that takes its time is told; what was read after months is not.
        (PAID, returned(500, ARRIVES - DAY), {}, 500),
        (PAID, returned(500, ARRIVES), {}, 0),
        # A charge that comes with its refund: new with us, or new in the world.
        (None, returned(500), {}, 500),
        (None, replace(returned(500), paid_at=NOW - 90 * DAY), {}, 0),
        (None, returned(500), {"is_first_look": True}, 0),
        (PAID, returned(500), {"is_first_look": True}, 0),
        # One that was held while the membership's end was on its way.
        (returned(1900), returned(1900), {"already_cents": 0}, 1900),
        (returned(1900), returned(1900), {"already_cents": 500}, 1400),
    ],
)
def test_only_what_is_new_and_news_is_told(
    known: ChargeFacts | None, charge: ChargeFacts, more: dict[str, Any], cents: int
) -> None:
    assert newly_returned(known, charge, NOW, **more) == cents


async def charge_id() -> str:
    async with db.transaction() as session:
        return str(await session.scalar(select(StripeCharge.id)))


async def told() -> list[str]:
    """The text of every mail about money that went back, in order."""
    found = []
    for one in await letters.letters():
        if one["template"] == "payment_returned":
            message = mail.render(one["template"], one["to"], one["context"])
            plain, page = message.get_body(("plain",)), message.get_body(("html",))
            assert plain is not None
            assert page is not None
            assert "&amp;" not in page.get_content(), "escaped once"
            found.append(f"{message['Subject']}\n{plain.get_content()}")
    return found


async def joined(till: Till, **values: Any) -> str:
    """Somebody pays a month, and everything is settled; answers the charge."""
    await till.member(**values)
    await till.buy(await till.plan(1900))
    await till.settle()
    return await charge_id()


async def test_a_refund_in_stripes_dashboard_is_told_once_however_its_events_come(till: Till) -> None:
    charge = await joined(till, name="Noe & Co")
    await till.api.v1.refunds.create_async({"charge": charge, "amount": 500})
    events = till.fresh_events() * 2
    random.Random(7).shuffle(events)
    for event in events:
        await till.deliver([event])
        await till.work()
    (text,) = await told()
    assert "Hello Noe & Co, we have given you back $5 of the $19 for “Membership”." in text
    assert "within five to ten days" in text
    assert "What you may watch stays as it is." in text
    assert "https://limber.test/contact" in text
    await till.api.v1.refunds.create_async({"charge": charge})
    await till.settle()
    _first, rest = await told()
    assert "the other $14 of the $19" in rest
    assert "open again with your next payment on" in rest


async def test_a_part_given_back_in_the_studio_after_cancelling_says_until_when(till: Till) -> None:
    charge = await joined(till)
    await till.portal("cancel_at_period_end")
    await till.settle()
    await till.member(role="staff")
    sent = await till.client.post(f"/studio/money/payments/{charge}/refund", data={"amount": "5"})
    assert sent.status_code == 303
    await till.settle()
    (text,) = await told()
    assert "You can watch until" in text


@pytest.mark.parametrize("is_late", [False, True], ids=["in one look", "with a look between the two"])
async def test_a_refund_that_ends_the_membership_is_one_mail(till: Till, is_late: bool) -> None:
    charge = await joined(till)
    async with db.transaction() as session:
        rows = await session.execute(select(StripeSubscription.customer_id, StripeSubscription.id))
        customer, subscription = rows.one()
        await refund_letters.will_end(session, customer, charge, 0, subscription, utcnow())
    await till.api.v1.refunds.create_async({"charge": charge})
    if is_late:
        await till.settle()
        assert await told() == [], "half of it is not told"
    await till.api.v1.subscriptions.cancel_async(subscription)
    await till.settle()
    (text,) = await told()
    assert "$19" in text
    assert "Your membership has ended with it" in text
    assert "subscription_ended" not in await tills.mails()


async def test_an_end_that_stripe_refuses_leaves_the_mail_about_the_money(till: Till) -> None:
    charge = await joined(till)
    await till.member(role="staff")
    await till.browser.post(
        f"{till.stand.url}/sandbox/trouble", json={"path": "/v1/subscriptions/", "status": 500, "times": 9}
    )
    data = {"amount": "19", "ends_subscription": "true"}
    sent = await till.client.post(f"/studio/money/payments/{charge}/refund", data=data)
    assert sent.status_code == 503
    await till.settle()
    (text,) = await told()
    assert "given you back the $19" in text
    assert "open again with your next payment" in text


async def test_what_is_read_for_the_first_time_is_not_told(till: Till) -> None:
    charge = await joined(till)
    await till.api.v1.refunds.create_async({"charge": charge, "amount": 500})
    async with db.transaction() as session:
        customer = await session.scalar(select(StripeCharge.customer_id))
        for lost in (StripeCharge, StripePurchase, StripeSubscription):
            await session.execute(delete(lost))
    assert customer is not None
    await sync.sync(customer)
    await till.settle()
    assert await told() == []


async def test_a_refund_of_months_ago_that_a_comparison_finds_is_not_told(till: Till) -> None:
    charge = await joined(till)
    await till.api.v1.refunds.create_async({"charge": charge, "amount": 500})
    store = till.stand.store
    with store.transaction():
        (row,) = store.select("refund")
        row.body["created"] -= 60 * DAY_S
        store.put(row)
    await till.settle()
    async with db.transaction() as session:
        assert (await session.get_one(StripeCharge, charge)).refunded_cents == 500
    assert await told() == []


async def test_money_that_does_not_arrive_takes_its_waiting_mail_back(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.member()
    await till.buy(await till.plan(1900), "4000000000005126")
    await till.settle()
    await till.api.v1.refunds.create_async({"charge": await charge_id(), "amount": 500})
    await till.settle()
    (waiting,) = [one for one in await letters.letters() if one["template"] == "payment_returned"]
    await till.pass_days(1)
    await till.settle()
    # No server would take it: a mail that is tried at all fails.
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:9")
    get_settings.cache_clear()
    await worker._deliver(**waiting)


async def test_of_a_pass_a_part_leaves_its_day_and_all_of_it_ends_watching(till: Till) -> None:
    await till.member()
    await till.buy(await till.plan(4900, name="A season", interval="once", lasts_months=3))
    await till.settle()
    charge = await charge_id()
    await till.api.v1.refunds.create_async({"charge": charge, "amount": 900})
    await till.settle()
    (part,) = await told()
    assert "$9 of the $49 for “A season”" in part
    assert "You can watch until" in part
    await till.api.v1.refunds.create_async({"charge": charge})
    await till.settle()
    _part, rest = await told()
    assert "the other $40 of the $49 for “A season”. That is all of it." in rest
    assert "Watching what it paid for has ended with it." in rest


async def test_who_has_the_same_from_elsewhere_reads_that_it_stays(till: Till) -> None:
    user = await till.member()
    await till.buy(await till.plan(4900, name="A season", interval="once", lasts_months=3))
    await till.settle()
    async with db.transaction() as session:
        await factories.entitlement(session, user, source_kind="staff", course_id=None)
    await till.api.v1.refunds.create_async({"charge": await charge_id()})
    await till.settle()
    (text,) = await told()
    assert "What you may watch stays as it is." in text


async def test_a_giver_is_told_what_became_of_the_gift(till: Till) -> None:
    await till.member()
    slug = await till.plan(4900, name="A season", interval="once", lasts_months=3, is_giftable=True)
    form = {
        "to_name": "Keola",
        "to_email": "k@example.com",
        "from_name": "Noe",
        "message": "",
        "deliver_on": "",
    }
    sent = await till.client.post("/gifts", data={**form, "plan": slug})
    await till.pay(sent.headers["location"])
    await till.settle()
    await till.api.v1.refunds.create_async({"charge": await charge_id()})
    await till.settle()
    (text,) = await told()
    assert "“A season”, your gift to Keola" in text
    assert "The gift has ended with it." in text
