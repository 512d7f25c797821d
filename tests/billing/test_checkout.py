"""Buying: from the button to the lesson, whatever people and networks do on the way."""

import asyncio
from uuid import UUID

import httpx
import stripe
from sqlalchemy import select, text

from app import db
from app.accounts.models import User
from app.billing import customer_words
from app.billing.models import CheckoutAttempt
from app.billing.plan_models import Plan
from tests import factories
from tests.billing import till as tills
from tests.billing.till import LESSON, Till
from tests.sandbox import shop


async def subscriptions(till: Till, user_id: UUID) -> list[stripe.Subscription]:
    customer = await tills.customer_id(user_id)
    return list((await till.api.v1.subscriptions.list_async({"customer": customer, "status": "all"})).data)


async def test_a_buyer_is_on_the_lesson_before_any_webhook_came(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    paid = await till.pay(await till.checkout(slug))
    back = await till.come_back(paid)
    assert (back.status_code, back.headers["location"]) == (303, LESSON)
    assert await tills.is_entitled(user.id)
    assert await tills.event_rows() == []
    await till.settle()
    assert await tills.ledger(user.id) == ["given"], "the webhooks found nothing left to do"
    assert await tills.mails() == ["subscription_started"]


async def test_a_webhook_that_comes_first_leaves_the_return_page_nothing_to_do(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    paid = await till.pay(await till.checkout(slug))
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert (await till.come_back(paid)).headers["location"] == LESSON
    assert await tills.ledger(user.id) == ["given"]
    assert await tills.open_attempts(user.id) == []


async def test_somebody_elses_session_is_not_found(till: Till) -> None:
    slug = await till.plan()
    await till.member()
    paid = await till.pay(await till.checkout(slug))
    other = await till.member()
    assert (await till.come_back(paid)).status_code == 404
    assert not await tills.is_entitled(other.id)
    assert (await till.client.get("/billing/return?session_id=cs_test_nothing")).status_code == 404


async def test_an_unpaid_return_goes_back_to_the_page_where_one_pays(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    url = await till.checkout(slug)
    session_id = (await tills.open_attempts(user.id))[0].stripe_session_id
    answer = await till.client.get(f"/billing/return?session_id={session_id}")
    assert (answer.status_code, answer.headers["location"]) == (303, url)
    assert not await tills.is_entitled(user.id)


async def test_a_return_while_stripe_is_away_says_that_it_is_being_set_up(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    paid = await till.pay(await till.checkout(slug))
    till.stand.stop()
    try:
        page = await till.come_back(paid)
    finally:
        till.stand.start()
    assert page.status_code == 200
    assert "Your payment is being confirmed" in page.text
    assert 'http-equiv="refresh"' in page.text
    assert not await tills.is_entitled(user.id)
    assert (await till.come_back(paid)).headers["location"] == LESSON


async def test_the_activating_page_stops_asking_in_the_end(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.checkout(slug)
    session_id = (await tills.open_attempts(user.id))[0].stripe_session_id
    till.stand.stop()
    try:
        page = await till.client.get(f"/billing/return?session_id={session_id}&n=99")
    finally:
        till.stand.start()
    assert 'http-equiv="refresh"' not in page.text
    assert "Look again" in page.text


async def test_a_declined_card_gives_nothing_and_a_second_one_works(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    url = await till.checkout(slug)
    assert (await till.pay(url, shop.DECLINED)).status_code == 402
    await till.settle()
    assert await tills.rights(user.id) == []
    assert await tills.mails() == []
    assert await till.checkout(slug) == url, "the same page goes on"
    assert (await till.come_back(await till.pay(url))).headers["location"] == LESSON


async def test_cancelling_at_stripe_leads_back_to_where_one_was(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.checkout(slug, LESSON)
    attempt = (await tills.open_attempts(user.id))[0]
    answer = await till.client.get(f"/billing/cancelled?attempt={attempt.id}")
    assert answer.headers["location"] == LESSON
    await till.member()
    assert (await till.client.get(f"/billing/cancelled?attempt={attempt.id}")).status_code == 404


async def test_a_double_click_and_two_tabs_are_one_page(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    answers = await asyncio.gather(
        *(till.client.post("/checkout", data={"plan": slug, "next": LESSON}) for _ in range(6))
    )
    assert {one.status_code for one in answers} == {303}
    (url,) = {one.headers["location"] for one in answers}
    assert len(await tills.open_attempts(user.id)) == 1
    await till.pay(url)
    assert "nothing more will be charged" in (await till.pay(url)).text
    await till.settle()
    assert len(await subscriptions(till, user.id)) == 1
    assert len((await till.api.v1.customers.list_async()).data) == 1


async def test_who_pays_already_is_not_sold_a_second_subscription(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    yearly = await till.plan(19000, name="Year", interval="year")
    await till.buy(slug)
    await till.settle()
    for again in (slug, yearly):
        answer = await till.client.post("/checkout", data={"plan": again, "next": LESSON})
        assert answer.status_code == 409
        assert "You already have this membership." in answer.text
    assert len(await subscriptions(till, user.id)) == 1


async def test_paid_in_one_tab_the_other_tab_cannot_buy_another_plan(till: Till) -> None:
    user = await till.member()
    monthly, yearly = await till.plan(), await till.plan(19000, name="Year", interval="year")
    first = await till.checkout(monthly)
    await till.pay(first)
    answer = await till.client.post("/checkout", data={"plan": yearly, "next": LESSON})
    assert answer.status_code == 409, "no webhook has come, yet what was paid is known"
    assert len(await subscriptions(till, user.id)) == 1


async def test_choosing_another_plan_closes_the_page_of_the_first(till: Till) -> None:
    user = await till.member()
    monthly, yearly = await till.plan(), await till.plan(19000, name="Year", interval="year")
    first = await till.checkout(monthly)
    second = await till.checkout(yearly)
    assert first != second
    assert (await till.pay(first)).status_code == 410
    await till.pay(second)
    await till.settle()
    (only,) = await subscriptions(till, user.id)
    assert only.status == "active"


async def test_the_first_trial_is_the_only_one(till: Till) -> None:
    user, slug = await till.member(), await till.plan(trial_days=7)
    await till.buy(slug)
    await till.settle()
    assert (await subscriptions(till, user.id))[0].status == "trialing"
    assert await tills.is_entitled(user.id)
    await till.portal("cancel_now")
    await till.settle()
    assert not await tills.is_entitled(user.id)
    await till.buy(slug)
    await till.settle()
    assert sorted(one.status for one in await subscriptions(till, user.id)) == ["active", "canceled"]


async def test_a_price_archived_while_the_page_is_open_is_still_what_was_bought(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    url = await till.checkout(slug)
    async with db.transaction() as session:
        attempt = await session.scalar(select(CheckoutAttempt))
        assert attempt is not None
    await till.api.v1.prices.update_async(attempt.stripe_price_id, {"active": False})
    await till.pay(url)
    await till.settle()
    assert await tills.is_entitled(user.id)


async def test_a_plan_for_one_course_opens_that_course_only(till: Till) -> None:
    async with db.transaction() as session:
        course = await factories.course(session)
    user, slug = await till.member(), await till.plan(course_ids=(course.id,))
    await till.buy(slug)
    await till.settle()
    assert await tills.is_entitled(user.id, course_id=course.id)
    assert not await tills.is_entitled(user.id)


async def test_a_withdrawn_plan_is_not_sold(till: Till) -> None:
    await till.member()
    slug = await till.plan()
    async with db.transaction() as session:
        (await session.scalars(select(Plan))).one().is_offered = False
    answer = await till.client.post("/checkout", data={"plan": slug})
    assert answer.status_code == 404
    assert "not offered any more" in answer.text


async def test_a_customer_that_was_deleted_at_stripe_is_replaced(till: Till) -> None:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug)
    await till.settle()
    lost = await tills.customer_id(user.id)
    await till.api.v1.customers.delete_async(lost)
    await till.settle()
    assert not await tills.is_entitled(user.id)
    await till.buy(slug)
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert await tills.customer_id(user.id) != lost


async def test_stripe_being_away_is_said_on_the_plans_page_and_loses_nothing(till: Till) -> None:
    await till.member()
    slug = await till.plan()
    till.stand.stop()
    try:
        answer = await till.client.post("/checkout", data={"plan": slug, "next": LESSON})
    finally:
        till.stand.start()
    assert answer.status_code == 503
    assert "does not answer at the moment" in answer.text
    assert f'value="{LESSON}"' in answer.text
    assert await till.checkout(slug)


async def test_a_visitor_without_an_account_joins_first_and_comes_back(till: Till) -> None:
    slug = await till.plan()
    answer: httpx.Response = await till.client.post("/checkout", data={"plan": slug, "next": LESSON})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/join?next=%2Fplans%3Fnext%3D")


async def test_stripe_hears_of_another_name_and_address(till: Till) -> None:
    user = await till.member(name="Noelani", email="noelani@example.com")
    await till.checkout(await till.plan())
    customer = await tills.customer_id(user.id)
    await till.client.post("/account/name", data={"name": "Noelani Kahale"})
    async with db.transaction() as session:
        (await session.get_one(User, user.id)).email = "new@example.com"
        waiting = await session.scalar(
            text("SELECT count(*) FROM dbos.workflow_status WHERE name = 'billing_customer_words'")
        )
    assert waiting == 1
    await customer_words.bring(user.id)
    found = await till.api.v1.customers.retrieve_async(customer)
    assert (found.email, found.name) == ("new@example.com", "Noelani Kahale")
