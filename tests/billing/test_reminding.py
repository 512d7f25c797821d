"""What members are told ahead: from the mirror and Stripe, at its time, once, and not when it is not coming."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import stripe
from sqlalchemy import select

from app import db, mail
from app.accounts.models import User
from app.billing import ending, plans, price_moves, reminding
from app.billing.models import StripeSubscription
from app.billing.notice_models import StripeCard
from app.billing.plan_models import Plan
from app.billing.plans import PlanDraft
from app.clock import utcnow
from app.settings import get_settings
from tests import factories, letters
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox import shop

DAY = timedelta(days=1)


async def subscribed(till: Till, **plan: Any) -> User:
    user, slug = await till.member(), await till.plan(**plan)
    await till.buy(slug)
    await till.settle()
    return user


async def period_end() -> datetime:
    async with db.transaction() as session:
        found: datetime | None = await session.scalar(select(StripeSubscription.current_period_end_at))
    assert found is not None
    return found


async def told(at: datetime) -> list[str]:
    """The kinds of what is written at that moment."""
    return [cause.partition(":")[0] for cause in await reminding.remind(at)]


async def last() -> dict[str, Any]:
    return dict((await letters.letters())[-1])


async def expires(till: Till, user: User, when: datetime) -> None:
    """The member's card expires with that month."""
    (method,) = (
        await till.api.v1.payment_methods.list_async({"customer": await tills.customer_id(user.id)})
    ).data
    await till.api.v1.payment_methods.update_async(
        method.id, {"card": {"exp_month": when.month, "exp_year": when.year}}
    )


async def test_a_trials_end_is_told_three_days_ahead(till: Till) -> None:
    await subscribed(till, trial_days=14)
    end = await period_end()
    assert await told(end - 4 * DAY) == []
    assert await told(end - 2.9 * DAY) == ["trial_ending"]
    assert await told(end - 2 * DAY) == []
    letter = await last()
    assert letter["template"] == "trial_ending"
    assert letter["context"]["url"] == f"{get_settings().base_url}/account"
    assert letter["context"]["price"] == "$19"


async def test_who_has_cancelled_is_told_nothing_ahead(till: Till) -> None:
    await subscribed(till, trial_days=14)
    end = await period_end()
    await till.client.post("/account/cancel", data={"when": "end"})
    assert await told(end - 2 * DAY) == []


async def test_a_cancellation_of_a_minute_ago_is_seen_before_anything_is_written(till: Till) -> None:
    user = await subscribed(till, trial_days=14)
    end = await period_end()
    subscription = (
        await till.api.v1.subscriptions.list_async({"customer": await tills.customer_id(user.id)})
    ).data[0]
    await till.api.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
    assert await told(end - 2 * DAY) == [], "no webhook has come yet"


async def test_a_yearly_renewal_is_told_thirty_and_seven_days_ahead(till: Till) -> None:
    await subscribed(till, interval="year", amount_cents=19000)
    end = await period_end()
    assert await told(end - 31 * DAY) == []
    assert await told(end - 30 * DAY) == ["renewal_coming"]
    assert await told(end - 20 * DAY) == []
    assert await told(end - 7 * DAY) == ["renewal_soon"]
    assert await told(end - DAY) == []
    assert [one["template"] for one in (await letters.letters())[-2:]] == ["renewal_coming"] * 2
    assert (await last())["context"]["price"] == "$190"


async def test_a_renewal_at_a_price_that_the_member_was_told_of_names_that_price(till: Till) -> None:
    await subscribed(till, interval="year", amount_cents=19000)
    end = await period_end()
    async with db.transaction() as session:
        staff = await factories.staff(session)
        plan = (await session.scalars(select(Plan))).one()
        await plans.edit(session, staff.id, plan.id, PlanDraft("Membership", 21000, interval="year"))
    await plans.push(plan.id)
    async with db.transaction() as session:
        now = utcnow()
        assert await price_moves.begin(session, staff.id, plan.id, now + 31 * DAY, "", now) == 1
    assert await told(end - 30 * DAY) == ["renewal_coming"]
    assert (await last())["context"]["price"] == "$210"


async def test_a_monthly_renewal_is_not_told_ahead(till: Till) -> None:
    await subscribed(till)
    assert await told(await period_end() - 5 * DAY) == []


async def test_a_card_that_expires_before_the_next_charge_is_told_with_a_link_to_the_form(till: Till) -> None:
    user = await subscribed(till, interval="year")
    end = await period_end()
    await expires(till, user, end - 40 * DAY)
    assert "card_expiring" not in await told(end - 15 * DAY)
    assert "card_expiring" in await told(end - 13 * DAY)
    assert "card_expiring" not in await told(end - 12 * DAY)
    letter = await last()
    assert letter["template"] == "card_expiring"
    assert letter["context"]["card"] == "Visa ···· 4242"
    path = letter["context"]["url"].removeprefix(get_settings().base_url)
    till.client.cookies.clear()
    page = await till.client.get(path)
    assert "Nothing is charged today." in page.text
    opened = await till.client.post("/billing/card", data={"token": letters.token_of(letter)})
    assert "/flow/payment_method_update" in opened.headers["location"]
    form = {"action": "update_card", "card_number": "5555555555554444"}
    back = await till.come_back(await till.browser.post(opened.headers["location"], data=form))
    assert "Thank you, all is well" in back.text
    assert not [one for one in till.stand.events() if one["type"] == "charge.succeeded"][1:]
    assert "Nothing is left to do" in (await till.client.get(path)).text, "used up"
    assert (
        await till.client.post("/billing/card", data={"token": letters.token_of(letter)})
    ).status_code == 410


async def test_a_card_that_lives_long_enough_is_looked_at_once(till: Till) -> None:
    user = await subscribed(till)
    end = await period_end()
    await expires(till, user, end + 40 * DAY)
    before = len(till.stand.events())
    for days in (13, 12, 1):
        assert await told(end - days * DAY) == []
    async with db.transaction() as session:
        (card,) = (await session.scalars(select(StripeCard))).all()
        assert (card.last4, card.looked_for) == ("4242", end)
        assert await reminding.candidates(session, end - DAY) == []
        await ending.forget(session, user.id)
    async with db.transaction() as session:
        assert (await session.scalars(select(StripeCard))).all() == [], "gone with the account"
    assert len(till.stand.events()) == before


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/invoices"])
async def test_while_stripe_is_away_nothing_is_written_and_the_next_run_makes_up_for_it(
    till: Till, path: str
) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug, shop.FAILS_LATER)
    await till.settle()
    await till.pass_days(32)
    await till.settle()
    async with db.transaction() as session:
        since = await session.scalar(select(StripeSubscription.past_due_since_at))
    assert since is not None
    await till.browser.post(
        f"{till.stand.url}/sandbox/trouble", json={"path": path, "status": 500, "times": 3}
    )
    assert await told(since + 8 * DAY) == []
    assert await told(since + 8 * DAY) == ["payment_reminder"]
    assert user.email == (await last())["to"]


async def test_another_members_notice_does_not_wait_for_one_whom_stripe_cannot_tell_of(till: Till) -> None:
    first = await subscribed(till, trial_days=14)
    slug = (await till.client.get("/plans")).text
    assert slug
    second = await till.member()
    page = (await till.client.get("/plans")).text
    await till.buy(page.split('name="plan" value="')[1].split('"')[0])
    await till.settle()
    end = await period_end()
    await till.browser.post(
        f"{till.stand.url}/sandbox/trouble", json={"path": "/v1/subscriptions", "status": 500, "times": 3}
    )
    assert await told(end - 2 * DAY) == ["trial_ending"]
    assert await told(end - 2 * DAY) == ["trial_ending"]
    assert {one["to"] for one in (await letters.letters())[-2:]} == {first.email, second.email}


async def of_a_year(till: Till) -> stripe.Subscription:
    user = await subscribed(till, interval="year", amount_cents=19000)
    customer = await tills.customer_id(user.id)
    return (await till.api.v1.subscriptions.list_async({"customer": customer})).data[0]


async def test_a_notice_names_what_is_charged_and_not_the_price(till: Till) -> None:
    one = await of_a_year(till)
    coupon = await till.api.v1.coupons.create_async({"percent_off": 25, "duration": "forever"})
    params: Any = {
        "discounts": [{"coupon": coupon.id}],
        "items": [{"id": one["items"].data[0].id, "quantity": 2}],
        "proration_behavior": "none",
    }
    await till.api.v1.subscriptions.update_async(one.id, params)
    assert await told(await period_end() - 29 * DAY) == ["renewal_coming"]
    assert (await last())["context"]["price"] == "$285"
    await till.pass_days(366)
    assert (await till.api.v1.charges.list_async({"limit": 1})).data[0].amount == 28500


async def test_a_notice_names_no_figure_while_stripe_does_not_say_one(till: Till) -> None:
    await of_a_year(till)
    await till.browser.post(
        f"{till.stand.url}/sandbox/trouble",
        json={"path": "/v1/invoices/create_preview", "status": 500, "times": 9},
    )
    assert await told(await period_end() - 29 * DAY) == ["renewal_coming"]
    letter = await last()
    assert letter["context"]["price"] == ""
    text = mail.render(letter["template"], letter["to"], letter["context"]).get_body(("plain",))
    assert text is not None
    assert "begins its next year, and is charged to your card" in text.get_content()


async def test_a_payers_events_alone_write_no_figure_that_nobody_asked_for(till: Till) -> None:
    """The sync of an event asks Stripe for no preview: what names a figure is left to whoever does."""
    await subscribed(till, trial_days=7)
    await till.pass_days(5)
    await till.settle()
    assert "trial_ending" not in await tills.mails()
    assert await told(utcnow() + 5 * DAY) == ["trial_ending"]
    assert (await last())["context"]["price"] == "$19"
