"""A member cancels, says why or not, thinks better of it; rests for some months, and goes on."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.accounts.models import User
from app.billing import pausing, reminding
from app.billing.mirror import SubscriptionFacts
from app.billing.plan_models import Plan
from app.billing.rules import months_after
from app.billing.running import Running
from app.clock import utcnow
from tests import factories
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox import shop

DAY = timedelta(days=1)


async def subscribed(till: Till, card: str = shop.GOOD, **plan: Any) -> User:
    user, slug = await till.member(), await till.plan(**plan)
    await till.buy(slug, card)
    await till.settle()
    return user


async def paid_until(user: User) -> datetime:
    """The end of what is paid, without the slack."""
    (right,) = await tills.rights(user.id)
    assert right.ends_at is not None
    return right.ends_at - timedelta(hours=72)


async def test_cancelling_is_one_click_and_needs_no_answer(till: Till) -> None:
    user = await subscribed(till)
    end = await paid_until(user)
    page = (await till.client.get("/account/cancel")).text
    assert "nothing more is charged" in page
    assert "Pause instead" not in page, "the teacher does not offer it"
    answer = await till.client.post("/account/cancel", data={"when": "end"})
    assert answer.headers["location"] == "/account?done=cancelled"
    (right,) = await tills.rights(user.id)
    assert right.ends_at == end
    assert "You have cancelled." in (await till.client.get("/account")).text
    assert (await tills.mails())[-1] == "subscription_cancelled"
    assert "You have cancelled" in (await till.client.get("/account/cancel")).text


async def test_a_cancellation_is_taken_back_and_made_again_and_each_is_confirmed(till: Till) -> None:
    user = await subscribed(till)
    await till.client.post("/account/cancel")
    assert 'action="/account/plan/stay"' in (await till.client.get("/account")).text
    await till.client.post("/account/plan/stay")
    assert "The next payment is on" in (await till.client.get("/account")).text
    await till.pass_days(1)
    await till.client.post("/account/cancel")
    assert (await tills.mails()).count("subscription_cancelled") == 2
    assert await tills.is_entitled(user.id)


async def test_ending_it_now_ends_it_now(till: Till) -> None:
    user = await subscribed(till)
    await till.client.post("/account/cancel", data={"when": "now"})
    assert not await tills.is_entitled(user.id)
    assert (await tills.mails())[-1] == "subscription_ended"


async def test_what_is_not_paid_can_only_end_now(till: Till) -> None:
    user = await subscribed(till, shop.FAILS_LATER)
    await till.pass_days(32)
    await till.settle()
    assert "ends at once" in (await till.client.get("/account/cancel")).text
    await till.client.post("/account/cancel", data={"when": "end"})
    assert not await tills.is_entitled(user.id)
    await till.pass_days(20)
    paid = [one for one in till.stand.events() if one["type"] == "invoice.paid"]
    assert len(paid) == 1, "nothing more was charged"


async def test_a_trial_that_is_cancelled_is_never_charged(till: Till) -> None:
    user = await subscribed(till, trial_days=7)
    await till.client.post("/account/cancel", data={"when": "end"})
    assert await tills.is_entitled(user.id)
    await till.pass_days(8)
    await till.settle()
    assert not await tills.is_entitled(user.id)
    assert not [one for one in till.stand.events() if one["type"] == "charge.succeeded"]


async def test_why_members_left_is_read_in_the_studio(till: Till) -> None:
    await subscribed(till)
    await till.client.post("/account/cancel", data={"reason": "time", "words": "Two small children.<script>"})
    await till.member(role="staff", name="Malia")
    page = (await till.client.get("/studio/money/leaving")).text
    assert "I do not find the time" in page
    assert "Two small children.&lt;script&gt;" in page
    assert "/studio/money/leaving" in (await till.client.get("/studio/money")).text


async def test_a_reason_that_is_none_changes_nothing_and_loses_no_words(till: Till) -> None:
    user = await subscribed(till)
    answer = await till.client.post("/account/cancel", data={"reason": "nonsense", "words": "My words."})
    assert answer.status_code == 422
    assert "My words." in answer.text
    assert "You have cancelled." not in (await till.client.get("/account")).text
    assert await tills.is_entitled(user.id)


async def test_stripe_being_away_cancels_nothing_and_says_so(till: Till) -> None:
    await subscribed(till)
    await till.browser.post(
        f"{till.stand.url}/sandbox/trouble", json={"path": "/v1/subscriptions", "status": 500, "times": 9}
    )
    answer = await till.client.post("/account/cancel", data={"words": "My words."})
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert "My words." in answer.text


async def test_a_pause_runs_what_is_paid_out_then_charges_and_gives_nothing(till: Till) -> None:
    user = await subscribed(till, pause_months=3)
    end = await paid_until(user)
    assert "Pause instead" in (await till.client.get("/account/cancel")).text
    page = (await till.client.get("/account/pause")).text
    assert "One month" in page
    assert "3 months" in page
    answer = await till.client.post("/account/pause", data={"months": "2"})
    assert answer.headers["location"] == "/account?done=paused"
    (right,) = await tills.rights(user.id)
    assert right.ends_at == end, "what is paid, without slack"
    assert "You have paused." in (await till.client.get("/account")).text
    assert (await tills.mails())[-1] == "subscription_paused"
    await till.pass_days(40)
    await till.settle()
    assert not await tills.is_entitled(user.id, end + 10 * DAY)
    charges = [one for one in till.stand.events() if one["type"] == "charge.succeeded"]
    assert len(charges) == 1, "nothing is charged meanwhile"
    # Two months after the paid one it goes on by itself, and is paid.
    await till.pass_days(55)
    await till.settle()
    charges = [one for one in till.stand.events() if one["type"] == "charge.succeeded"]
    assert len(charges) == 2
    assert await tills.is_entitled(user.id, end + 65 * DAY)
    assert "The next payment is on" in (await till.client.get("/account")).text


async def test_the_end_of_a_pause_is_told_three_days_ahead_once(till: Till) -> None:
    user = await subscribed(till, pause_months=1)
    end = await paid_until(user)
    await till.client.post("/account/pause", data={"months": "1"})
    assert await reminding.remind(end + 20 * DAY) == []
    goes_on = months_after(end, 1)
    (written,) = await reminding.remind(goes_on - 2 * DAY)
    assert written.startswith("pause_ending:")
    assert await reminding.remind(goes_on - DAY) == []


async def test_a_pause_that_has_not_begun_is_ended_without_a_charge(till: Till) -> None:
    user = await subscribed(till, pause_months=1)
    end = await paid_until(user)
    await till.client.post("/account/pause", data={"months": "1"})
    answer = await till.client.post("/account/resume")
    assert answer.headers["location"] == "/account?done=resumed"
    assert await paid_until(user) == end
    charges = [one for one in till.stand.events() if one["type"] == "charge.succeeded"]
    assert len(charges) == 1


async def test_going_on_early_begins_a_month_and_pays_it(till: Till) -> None:
    user = await subscribed(till, pause_months=3)
    await till.client.post("/account/pause", data={"months": "3"})
    customer = await tills.customer_id(user.id)
    await till.pass_days(45)
    await till.settle()
    # Ours is the real time, at which the first month still runs; the member presses when it is over.
    await pausing.resume(user.id, utcnow() + 45 * DAY)
    charges = [one for one in till.stand.events() if one["type"] == "charge.succeeded"]
    assert len(charges) == 2
    assert await tills.is_entitled(user.id, utcnow() + 70 * DAY)
    assert customer


async def test_a_bank_that_refuses_the_new_month_leaves_the_pause(till: Till) -> None:
    user = await subscribed(till, shop.FAILS_LATER, pause_months=3)
    await till.client.post("/account/pause", data={"months": "3"})
    await till.pass_days(45)
    await till.settle()
    with pytest.raises(pausing.Refused):
        await pausing.resume(user.id, utcnow() + 45 * DAY)
    await till.settle()
    assert not await tills.is_entitled(user.id, utcnow() + 40 * DAY)
    assert "You have paused." in (await till.client.get("/account")).text


async def test_a_pause_is_offered_only_where_and_for_as_long_as_the_teacher_allows(till: Till) -> None:
    await subscribed(till)
    assert (await till.client.get("/account/pause")).headers["location"] == "/account"
    assert (await till.client.post("/account/pause", data={"months": "1"})).headers["location"] == "/account"
    assert (await till.client.post("/account/resume")).headers["location"] == "/account"
    await subscribed(till, name="Other", pause_months=2)
    assert (await till.client.post("/account/pause", data={"months": "3"})).status_code == 422
    await till.client.post("/account/cancel")
    assert (await till.client.get("/account/pause")).headers["location"] == "/account", "it ends"


async def test_who_rests_changes_no_plan_and_buys_no_second_membership(till: Till) -> None:
    await subscribed(till, pause_months=1)
    other = await till.plan(4900, name="Big")
    await till.client.post("/account/pause", data={"months": "1"})
    refused = await till.client.get(f"/account/plan/{other}")
    assert refused.status_code == 409
    for page in (refused.text, (await till.client.get("/account/plan")).text):
        assert page.count("Your membership rests. Let it go on first, then change the plan.") == 1
        assert "See what changes" not in page, "it would lead back here"
    assert (await till.client.post("/checkout", data={"plan": other})).status_code == 409


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/account/cancel", "/account/pause"])
async def test_a_visitor_is_asked_to_log_in(client: httpx.AsyncClient, method: str, path: str) -> None:
    assert (await client.request(method, path)).status_code == 401


async def test_who_has_no_membership_is_led_to_the_account(till: Till) -> None:
    await till.member()
    for path in ("/account/cancel", "/account/pause"):
        assert (await till.client.get(path)).headers["location"] == "/account"
        assert (await till.client.post(path)).headers["location"] == "/account"


async def test_members_do_not_read_why_others_left(till: Till) -> None:
    await till.member()
    assert (await till.client.get("/studio/money/leaving")).status_code == 403


@pytest.mark.parametrize(
    ("interval", "months", "field"), [("month", "7", True), ("year", "1", True), ("month", "6", False)]
)
async def test_a_plan_says_for_how_long_it_may_be_paused(
    till: Till, interval: str, months: str, field: bool
) -> None:
    await till.member(role="staff")
    form = {"name": "Plan", "amount": "18", "interval": interval, "pause_months": months}
    answer = await till.client.post("/studio/plans", data=form)
    assert answer.status_code == (422 if field else 303)
    assert ('id="pause_months-error"' in answer.text) is field


@pytest.mark.parametrize(
    ("anchor", "end", "months", "expected"),
    [
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC), 1, datetime(2026, 3, 31, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC), 4, datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC), 2, datetime(2027, 2, 5, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_pause_ends_on_the_day_on_which_the_membership_is_paid(
    anchor: datetime, end: datetime, months: int, expected: datetime
) -> None:
    facts = SubscriptionFacts("sub_1", "active", ("price_1",), anchor, end)
    plan = Plan(id=uuid4(), slug="m", name="M", interval="month", amount_cents=100, pause_months=6)
    assert pausing.goes_on_at(Running(facts, "cus_1", "si_1", plan, anchor), months) == expected


async def test_another_member_is_not_touched(till: Till) -> None:
    user = await subscribed(till)
    slug = (await till.client.get("/account")).text
    other = await till.member()
    await till.client.post("/account/cancel", data={"when": "now"})
    assert await tills.is_entitled(user.id)
    await factories.sign_in(till.client, user)
    assert "You have cancelled." not in (await till.client.get("/account")).text
    assert slug
    assert other.id != user.id


async def test_what_was_said_in_stripes_portal_is_read_beside_what_was_said_here(till: Till) -> None:
    await subscribed(till)
    await till.portal("cancel_at_period_end", feedback="low_quality", comment="The sound.<b>")
    for _look in range(2):
        await till.settle()
        await till.client.get("/billing/back")
    await subscribed(till)
    await till.portal("cancel_now", feedback="too_expensive")
    await till.settle()
    await subscribed(till)
    await till.client.post("/account/cancel", data={"reason": "expensive"})
    await till.member(role="staff")
    page = (await till.client.get("/studio/money/leaving")).text
    counts = dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page))
    assert counts == {"It costs too much for me": "2", "It is not as good as I expected": "1"}
    assert page.count("The sound.&lt;b&gt;") == 1
    assert "said in Stripe’s portal" in page


async def test_a_cancellation_of_something_else_of_the_account_is_no_answer_of_ours(till: Till) -> None:
    user = await subscribed(till)
    other = await shop.monthly(till.api, 900)
    customer = await till.api.v1.customers.retrieve_async(await tills.customer_id(user.id))
    bought = await shop.subscribe(till.api, customer, other)
    said: Any = {
        "cancel_at_period_end": True,
        "cancellation_details": {"feedback": "unused", "comment": "A mug."},
    }
    await till.api.v1.subscriptions.update_async(bought.id, said)
    await till.settle()
    await till.member(role="staff")
    assert "A mug." not in (await till.client.get("/studio/money/leaving")).text
