"""A trial without a card: nothing is asked, nothing is charged, and its end is told before and after it comes."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import User
from app.billing import reminding
from app.billing.models import StripeSubscription
from app.billing.plan_rules import PlanDraft, check
from app.clock import utcnow
from app.errors import BadInput
from app.settings import get_settings
from tests import factories, letters
from tests.billing import till as tills
from tests.billing.till import LESSON, Till
from tests.sandbox import shop

DAY = timedelta(days=1)


async def trying(till: Till, after_trial: str = "cancel", days: int = 14, **values: Any) -> User:
    """A member who has begun a trial on Stripe's page, which asked for no card."""
    user = await till.member()
    slug = await till.plan(trial_days=days, trial_needs_card=False, after_trial=after_trial, **values)
    url = await till.checkout(slug)
    assert "card_number" not in (await till.browser.get(url)).text
    begun = await till.browser.post(url, data={"email": user.email, "name": "Noe", "action": "pay"})
    assert begun.status_code == 303, begun.text
    assert (await till.come_back(begun)).headers["location"] == LESSON
    await till.settle()
    return user


async def end_of_trial() -> Any:
    async with db.transaction() as session:
        return await session.scalar(select(StripeSubscription.current_period_end_at))


async def give_card(till: Till, card: str = shop.GOOD) -> None:
    opened = await till.client.post("/account/card")
    data = {"action": "update_card", "card_number": card}
    await till.come_back(await till.browser.post(opened.headers["location"], data=data))


async def wall(till: Till) -> str:
    """What stands in front of a paid lesson."""
    async with db.transaction() as session:
        course = await factories.course(session, slug="lower-body")
        lesson = await factories.lesson(session, await factories.section(session, course))
    page = (await till.client.get(f"/courses/lower-body/{lesson.slug}")).text
    return page.split('id="wall-title">')[1].split("<")[0]


async def charges(till: Till) -> list[int]:
    found = (await till.api.v1.charges.list_async()).data
    return [one.amount for one in found if one.status == "succeeded"]


async def test_nobody_is_asked_for_a_card_and_the_first_mail_promises_no_payment(till: Till) -> None:
    user = await trying(till)
    assert await tills.is_entitled(user.id)
    (welcome,) = await letters.letters()
    assert (welcome["template"], welcome["context"]["needs_card"]) == ("subscription_started", True)
    assert "give a card" in (await till.client.get("/account")).text


async def test_its_end_is_told_ahead_with_a_link_to_the_cards_form(till: Till) -> None:
    await trying(till)
    end = await end_of_trial()
    assert await reminding.remind(end - 4 * DAY) == []
    assert len(await reminding.remind(end - 2.9 * DAY)) == 1
    letter = (await letters.letters())[-1]
    assert (letter["template"], letter["context"]["needs_card"]) == ("trial_ending", True)
    assert letter["context"]["price"] == "$19", "what would be charged"
    stranger = httpx.AsyncClient(transport=till.client._transport, base_url=get_settings().base_url)
    async with stranger:
        form = await stranger.post("/billing/card", data={"token": letters.token_of(letter)})
    assert "/flow/payment_method_update" in form.headers["location"]


async def test_a_short_one_is_told_of_as_well(till: Till) -> None:
    await trying(till, days=2)
    end = await end_of_trial()
    assert await reminding.remind(end - 1.1 * DAY) == []
    assert len(await reminding.remind(end - 0.9 * DAY)) == 1


async def test_a_card_that_was_given_meanwhile_changes_the_mail_and_pays(till: Till) -> None:
    user = await trying(till)
    end = await end_of_trial()
    await reminding.remind(end - 10 * DAY)
    await give_card(till)
    assert len(await reminding.remind(end - 2 * DAY)) == 1
    assert not (await letters.letters())[-1]["context"]["needs_card"]
    await till.pass_days(15)
    await till.settle()
    assert await charges(till) == [1900]
    assert await tills.is_entitled(user.id, utcnow() + 20 * DAY)
    assert "trial_over" not in await tills.mails()


async def test_without_a_card_it_ends_is_told_so_and_is_not_given_again(till: Till) -> None:
    user = await trying(till)
    await till.pass_days(15)
    await till.settle()
    assert not await tills.is_entitled(user.id)
    assert await charges(till) == []
    last = (await letters.letters())[-1]
    assert (last["template"], last["context"]["may_go_on"]) == ("trial_over", False)
    assert await wall(till) == "Your trial is over. Join to go on watching."
    plans = (await till.client.get("/plans")).text
    assert "days are free" not in plans, "once for each member"
    slug = plans.split('name="plan" value="')[1].split('"')[0]
    assert "card_number" in (await till.browser.get(await till.checkout(slug))).text


async def test_one_that_waits_goes_on_when_there_is_a_card_and_no_second_is_sold(till: Till) -> None:
    user = await trying(till, "pause")
    await till.pass_days(15)
    await till.settle()
    assert not await tills.is_entitled(user.id)
    last = (await letters.letters())[-1]
    assert (last["template"], last["context"]["may_go_on"]) == ("trial_over", True)
    assert "Your trial is over" in (await till.client.get("/account")).text
    assert await wall(till) == "Your trial is over. Give a card to go on watching."
    slug = "membership"
    refused = await till.client.post("/checkout", data={"plan": slug})
    assert (refused.status_code, "waits for a card" in refused.text) == (409, True)
    early = await till.client.post("/account/resume")
    assert early.headers["location"] == "/account?done=rests", "nothing could be charged"
    assert await charges(till) == []
    await give_card(till)
    assert await charges(till) == [], "nothing is charged by coming back"
    await till.client.post("/account/resume")
    await till.pass_days(1)
    await till.settle()
    assert await charges(till) == [1900]
    assert await tills.is_entitled(user.id, utcnow() + 20 * DAY)


async def test_who_stops_a_trial_hears_that_it_has_ended_and_not_that_it_is_over(till: Till) -> None:
    await trying(till)
    await till.client.post("/account/cancel", data={"when": "now"})
    await till.settle()
    assert (await tills.mails())[-1] == "subscription_ended"


@pytest.mark.parametrize("values", [{"after_trial": "charge"}, {"trial_days": 91}, {"stay_offer": "gold"}])
def test_a_plan_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        check(PlanDraft("Membership", 1900, **values))
