"""Another plan: what it costs is shown first and is what is charged; if the card refuses, nothing changes."""

import re
from typing import Any

import httpx
import pytest
import stripe

from app.accounts.models import User
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox.shop import FAILS_LATER, GOOD


async def member_of(till: Till, card: str = GOOD) -> tuple[User, str, str]:
    """A member who pays by the month, and the yearly and the dear plan's names."""
    monthly = await till.plan(1900, name="Monthly")
    yearly = await till.plan(19000, name="Yearly", interval="year")
    dear = await till.plan(4900, name="With a call")
    user = await till.member()
    await till.buy(monthly, card)
    await till.settle()
    return user, yearly, dear


async def change(till: Till, slug: str) -> tuple[httpx.Response, httpx.Response]:
    """Look at what it costs, and press the button."""
    shown = await till.client.get(f"/account/plan/{slug}")
    found = re.search(r'name="at" value="(\d+)"', shown.text)
    assert found, shown.text
    return shown, await till.client.post(f"/account/plan/{slug}", data={"at": found[1]})


async def subscription(till: Till) -> dict[str, Any]:
    (one,) = (await till.api.v1.subscriptions.list_async({"status": "all"})).data
    found: dict[str, Any] = one.to_dict()
    return found


async def charges(till: Till) -> list[int]:
    found = (await till.api.v1.charges.list_async()).data
    return [one.amount for one in found if one.status == "succeeded"]


async def test_what_a_change_costs_is_shown_and_is_what_is_charged(till: Till) -> None:
    user, yearly, _dear = await member_of(till)
    assert "Yearly" in (await till.client.get("/account/plan")).text
    # The page of the plans says which is theirs, and where the others are changed to.
    offered = (await till.client.get("/plans")).text
    assert "Your plan" in offered
    assert f'href="/account/plan/{yearly}"' in offered
    assert 'action="/checkout' not in offered
    shown, done = await change(till, yearly)
    assert (done.status_code, done.headers["location"]) == (303, "/account?done=plan")
    told = re.search(r"Pay \$(\d+)(?:\.(\d\d))? and change", shown.text)
    assert told
    assert (await charges(till))[0] == int(told[1]) * 100 + int(told[2] or 0)
    assert (await subscription(till))["items"]["data"][0]["price"]["recurring"]["interval"] == "year"
    account = (await till.client.get("/account?done=plan")).text
    assert "Your plan is changed." in account
    assert "Yearly" in account
    bills = (await till.client.get("/account/bills")).text
    assert "Yearly" in bills
    assert "Monthly, Yearly" not in bills
    assert await tills.is_entitled(user.id)


async def test_a_card_that_refuses_changes_nothing(till: Till) -> None:
    user, _yearly, dear = await member_of(till, FAILS_LATER)
    _shown, done = await change(till, dear)
    assert done.status_code == 409
    assert "nothing has changed" in done.text
    assert (await subscription(till))["items"]["data"][0]["price"]["unit_amount"] == 1900
    assert await tills.is_entitled(user.id)
    assert "Monthly" in (await till.client.get("/account")).text


async def test_what_is_cheaper_leaves_credit(till: Till) -> None:
    monthly = await till.plan(1900, name="Monthly")
    dear = await till.plan(4900, name="With a call")
    await till.member()
    await till.buy(dear)
    await till.settle()
    shown, done = await change(till, monthly)
    assert "is kept for your next payments" in shown.text
    assert "It is paid with the card" not in shown.text, "nothing is paid"
    assert done.status_code == 303
    assert await charges(till) == [4900]


async def test_a_double_click_changes_and_charges_once(till: Till) -> None:
    _user, _yearly, dear = await member_of(till)
    shown = await till.client.get(f"/account/plan/{dear}")
    found = re.search(r'name="at" value="(\d+)"', shown.text)
    assert found
    first = await till.client.post(f"/account/plan/{dear}", data={"at": found[1]})
    second = await till.client.post(f"/account/plan/{dear}", data={"at": found[1]})
    assert first.status_code == 303
    assert second.status_code in (303, 404)
    assert len(await charges(till)) == 2


@pytest.mark.parametrize("at", ["0", "99999999999", "1000000000"])
async def test_what_was_counted_long_ago_is_counted_again(till: Till, at: str) -> None:
    _user, _yearly, dear = await member_of(till)
    answer = await till.client.post(f"/account/plan/{dear}", data={"at": at})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/account/plan/{dear}")
    assert await charges(till) == [1900]


async def test_stripe_counts_for_the_moment_that_was_shown(till: Till) -> None:
    _user, yearly, _dear = await member_of(till)
    shown = await till.client.get(f"/account/plan/{yearly}")
    told = re.search(r"Pay \$(\d+)(?:\.(\d\d))? and change", shown.text)
    at = re.search(r'name="at" value="(\d+)"', shown.text)
    assert told
    assert at
    # Fifty minutes at that page are worth two cents.
    await till.pass_days(50 / 1440)
    await till.client.post(f"/account/plan/{yearly}", data={"at": at[1]})
    assert (await charges(till))[0] == int(told[1]) * 100 + int(told[2] or 0)


async def test_a_moment_outside_the_period_is_refused_by_stripe(till: Till) -> None:
    await member_of(till)
    one = await subscription(till)
    item = {"id": one["items"]["data"][0]["id"], "quantity": 2}
    before: Any = {"items": [item], "proration_date": one["items"]["data"][0]["current_period_start"] - 60}
    with pytest.raises(stripe.InvalidRequestError, match="outside the current period"):
        await till.api.v1.subscriptions.update_async(one["id"], before)


async def test_who_has_cancelled_stays_first(till: Till) -> None:
    user, yearly, _dear = await member_of(till)
    await till.portal("cancel_at_period_end")
    await till.settle()
    refused = await till.client.get(f"/account/plan/{yearly}")
    assert (refused.status_code, "Stay first" in refused.text) == (409, True)
    # Asked to look at other plans, or at all plans: told the same, and nothing that would not work.
    choice = (await till.client.get("/account/plan")).text
    assert "Stay first; then you can change to another plan." in choice
    assert "counted to the day" not in choice
    plans = (await till.client.get("/plans")).text
    assert "You have cancelled “Monthly”, and can watch until" in plans
    assert "You pay for" not in plans
    stayed = await till.client.post("/account/plan/stay")
    assert stayed.headers["location"] == "/account?done=stayed"
    now: stripe.Subscription | dict[str, Any] = await subscription(till)
    assert (now["cancel_at_period_end"], now["cancel_at"]) == (False, None)
    await till.pass_days(40)
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert (await till.client.post("/account/plan/stay")).status_code == 404


async def test_without_a_membership_there_is_nothing_to_change(till: Till) -> None:
    slug = await till.plan()
    await till.member()
    assert "no membership that could be changed" in (await till.client.get("/account/plan")).text
    assert (await till.client.get(f"/account/plan/{slug}")).status_code == 404


async def test_visitors_are_asked_to_sign_in(till: Till) -> None:
    for path in ("/account/plan", "/account/plan/monthly"):
        assert (await till.client.get(path)).status_code in (303, 401)
    assert (await till.client.post("/account/plan/stay")).status_code in (303, 401)
