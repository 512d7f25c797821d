"""One honest offer to whoever cancels: what the teacher chose, where it fits, once."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.accounts.models import User
from app.billing.plan_rules import PlanDraft, check
from app.errors import BadInput
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox import shop

DAY = timedelta(days=1)
LESS: dict[str, Any] = {"stay_offer": "discount", "stay_percent": 30, "stay_months": 2}


async def subscribed(till: Till, card: str = shop.GOOD, **plan: Any) -> User:
    user = await till.member()
    await till.buy(await till.plan(**plan), card)
    await till.settle()
    return user


async def charges(till: Till) -> list[int]:
    found = [one for one in (await till.api.v1.charges.list_async()).data if one.status == "succeeded"]
    return [one.amount for one in sorted(found, key=lambda one: one.created)]


async def offered(till: Till) -> bool:
    return "Stay for less" in (await till.client.get("/account/cancel")).text


async def test_who_stays_for_less_pays_less_for_the_months_that_were_named(till: Till) -> None:
    user = await subscribed(till, **LESS)
    # Taken in the very second of the purchase, two months would end with the second renewal, not after it.
    await till.pass_days(1)
    page = (await till.client.get("/account/cancel")).text
    assert "pay 30 % less for the next 2 months" in page
    assert "what you have paid ahead is not given back" in page, "what ending it now costs is said before"
    for _click in range(2):
        taken = await till.client.post("/account/cancel/stay")
    assert taken.status_code == 303
    account = (await till.client.get("/account?done=less")).text
    assert "before your discount" in account
    assert "You have cancelled" not in account
    await till.pass_days(100)
    await till.settle()
    assert await charges(till) == [1900, 1330, 1330, 1900]
    assert await tills.is_entitled(user.id)


async def test_of_a_year_the_next_payment_is_lower(till: Till) -> None:
    await subscribed(till, amount_cents=19000, interval="year", **LESS)
    assert "less the next time" in (await till.client.get("/account/cancel")).text
    await till.client.post("/account/cancel/stay")
    await till.pass_days(2 * 366 + 2)
    assert await charges(till) == [19000, 13300, 19000]


async def test_an_offer_that_was_taken_or_refused_is_not_made_again(till: Till) -> None:
    await subscribed(till, **LESS)
    assert await offered(till)
    assert await offered(till), "looking at it is no answer"
    await till.client.post("/account/cancel", data={"when": "end"})
    await till.client.post("/account/plan/stay")
    assert not await offered(till)
    refused = await till.client.post("/account/cancel/stay")
    assert refused.headers["location"] == "/account/cancel"
    await till.pass_days(40)
    assert await charges(till) == [1900, 1900]
    await till.member(role="staff")
    assert (
        "1 member was offered something to stay; 0 took it"
        in (await till.client.get("/studio/money/leaving")).text
    )


@pytest.mark.parametrize(
    ("plan", "card"),
    [
        ({}, shop.GOOD),
        ({"stay_offer": "none", "pause_months": 3}, shop.GOOD),
        ({**LESS, "trial_days": 7, "trial_needs_card": False}, shop.GOOD),
    ],
)
async def test_nothing_is_offered_where_the_teacher_or_the_case_says_no(
    till: Till, plan: dict[str, Any], card: str
) -> None:
    user = await till.member()
    url = await till.checkout(await till.plan(**plan))
    fields = {"email": user.email, "name": "Noe", "card_number": card, "expiry": "12 / 34", "cvc": "123"}
    if plan.get("trial_needs_card") is False:
        fields = {"email": user.email, "name": "Noe"}
    await till.browser.post(url, data={**fields, "action": "pay"})
    await till.settle()
    page = (await till.client.get("/account/cancel")).text
    assert "Stay for less" not in page
    assert "Pause instead" not in page


async def test_who_has_a_discount_or_owes_a_payment_is_offered_none(till: Till) -> None:
    user = await subscribed(till, **LESS)
    customer = await tills.customer_id(user.id)
    coupon = await till.api.v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    (one,) = (await till.api.v1.subscriptions.list_async({"customer": customer})).data
    await till.api.v1.subscriptions.update_async(one.id, {"discounts": [{"coupon": coupon.id}]})
    await till.settle()
    assert not await offered(till)
    await till.client.post("/account/cancel/stay")
    await till.pass_days(32)
    assert (await charges(till))[-1] == 1710, "theirs is not replaced by a smaller one, nor added to"


async def test_a_pause_that_was_taken_instead_counts_as_the_answer(till: Till) -> None:
    await subscribed(till, pause_months=3)
    assert "Pause instead" in (await till.client.get("/account/cancel")).text
    assert 'name="offered" value="true"' in (await till.client.get("/account/pause?offered=true")).text
    await till.client.post("/account/pause", data={"months": "1", "offered": "true"})
    await till.client.post("/account/resume")
    assert "Pause instead" not in (await till.client.get("/account/cancel")).text
    assert 'href="/account/pause"' in (await till.client.get("/account")).text, "it is there all the same"


async def test_stripe_being_away_changes_nothing_and_says_so(till: Till) -> None:
    await subscribed(till, **LESS)
    await till.browser.post(
        f"{till.stand.url}/sandbox/trouble", json={"path": "/v1/subscriptions", "status": 500, "times": 9}
    )
    answer = await till.client.post("/account/cancel/stay")
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)


async def test_a_visitor_is_asked_to_log_in(client: httpx.AsyncClient) -> None:
    assert (await client.post("/account/cancel/stay")).status_code == 401


@pytest.mark.parametrize(
    "values", [{"stay_percent": 0}, {"stay_percent": 91}, {"stay_months": 13}, {"interval": "once"}]
)
def test_an_offer_that_cannot_be_made_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        check(PlanDraft("Membership", 1900, **{**LESS, **values}))
