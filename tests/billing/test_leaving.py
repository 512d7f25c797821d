"""Deleting an account: what would be charged ends first, and if Stripe cannot be told, nothing happens."""

from typing import Any

import pytest
from sqlalchemy import func, select

from app import db
from app.accounts.models import User
from app.articles.models import Comment
from app.billing.models import StripeCharge, StripeCustomer, StripeEvent, StripePurchase
from app.settings import get_settings
from tests import factories
from tests.billing import till as tills
from tests.billing.till import Till

PASSWORD = "limber-demo-password"


async def member(till: Till, **values: Any) -> User:
    return await till.member(password_hash=factories.kept(PASSWORD), **values)


async def leave(till: Till, password: str = PASSWORD) -> Any:
    return await till.client.post("/account/delete", data={"current": password})


async def is_there(user: User) -> bool:
    async with db.transaction() as session:
        return await session.get(User, user.id) is not None


async def statuses(till: Till, customer: str) -> list[str]:
    found = await till.api.v1.subscriptions.list_async({"customer": customer, "status": "all"})
    return [one.status for one in found.data]


@pytest.mark.parametrize("state", ["active", "trialing", "past_due", "paused"])
async def test_whatever_runs_ends_before_the_account_goes(till: Till, state: str) -> None:
    user = await member(till)
    slug = await till.plan(trial_days=7 if state == "trialing" else 0)
    await till.buy(slug, "4000000000000341" if state == "past_due" else "4242424242424242")
    customer = await tills_customer(till)
    if state == "past_due":
        await till.pass_days(32)
    if state == "paused":
        (one,) = (await till.api.v1.subscriptions.list_async({"customer": customer})).data
        await till.api.v1.subscriptions.update_async(one.id, {"pause_collection": {"behavior": "void"}})
    # The mirror has heard of none of it.
    answer = await leave(till)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/deleted")
    assert await statuses(till, customer) == ["canceled"]
    assert not await is_there(user)


async def tills_customer(till: Till) -> str:
    (one,) = (await till.api.v1.customers.list_async()).data
    return one.id


async def test_without_stripe_the_account_stays_as_it_was(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await member(till)
    await till.buy(await till.plan())
    await till.settle()
    await tills.close_connections()
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
    get_settings.cache_clear()
    answer = await leave(till)
    assert answer.status_code == 503
    assert "your membership must end there first" in answer.text
    await tills.close_connections()
    monkeypatch.setenv("STRIPE_API_BASE", till.stand.url)
    get_settings.cache_clear()
    assert await is_there(user)
    assert await tills.is_entitled(user.id)
    assert (await leave(till)).status_code == 303


async def test_without_a_key_somebody_who_paid_cannot_go_and_somebody_who_did_not_can(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = await member(till)
    await till.buy(await till.plan())
    await till.settle()
    monkeypatch.delenv("STRIPE_SECRET_KEY")
    get_settings.cache_clear()
    assert (await leave(till)).status_code == 503
    never = await member(till)
    assert (await leave(till)).status_code == 303
    assert (await is_there(paid), await is_there(never)) == (True, False)


async def test_what_stays_names_nobody(till: Till) -> None:
    async with db.transaction() as session:
        course = await factories.course(session, title="Hips")
        article = await factories.article(session)
    user = await member(till, name="Noelani Kahale", email="noelani@example.com")
    await till.buy(await till.plan())
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(course.id,)))
    await till.settle()
    async with db.transaction() as session:
        session.add(
            Comment(
                article_id=article.id,
                user_id=user.id,
                name=user.name,
                email=user.email,
                body_md="It helped.",
                body_html="<p>It helped.</p>",
                state="approved",
                ip="192.0.2.7",
            )
        )
    customer = await tills.customer_id(user.id)
    assert "Your response stays, without your name." in (await till.client.get("/account/delete")).text
    assert (await leave(till)).status_code == 303
    told = (await till.api.v1.customers.retrieve_async(customer)).to_dict()
    assert (told["name"], told["email"], told["metadata"]) == ("Former member", None, {})
    async with db.transaction() as session:
        comment = await session.scalar(select(Comment))
        assert comment is not None
        assert (comment.name, comment.email, comment.ip) == ("Former member", "", "")
        events = (await session.scalars(select(StripeEvent))).all()
        purchases = (await session.scalars(select(StripePurchase))).all()
        kept = await session.scalar(select(func.count()).select_from(StripeCharge))
        customers = (await session.scalars(select(StripeCustomer))).all()
    mine = str(
        [one.payload for one in events if one.customer_id == customer] + [one.raw for one in purchases]
    )
    assert "noelani" not in mine.lower()
    assert kept == 2, "the books are complete"
    assert [one.user_id for one in customers] == [None]
    # What Stripe says afterwards brings nobody back.
    await till.settle()
    assert not await is_there(user)
    assert "account_deleted" in await tills.mails()


async def test_a_wrong_password_deletes_nothing(till: Till) -> None:
    user = await member(till)
    answer = await leave(till, "not this one at all")
    assert (answer.status_code, "not your present password" in answer.text) == (422, True)
    assert await is_there(user)


async def test_staff_are_not_deleted_from_the_browser(till: Till) -> None:
    user = await member(till, role="staff")
    assert (await leave(till)).status_code == 409
    assert await is_there(user)


async def test_visitors_have_nothing_to_delete(till: Till) -> None:
    assert (await till.client.get("/account/delete")).status_code in (303, 401)
    assert (await till.client.post("/account/delete", data={"current": "x"})).status_code in (303, 401)


async def test_what_stripe_tells_later_of_who_has_left_names_nobody_either(till: Till) -> None:
    user = await member(till, name="Kamea Aloha", email="kamea@example.com")
    await till.buy(await till.plan(4900, name="For good", interval="once"))
    await till.settle()
    customer = await tills.customer_id(user.id)
    assert (await leave(till)).status_code in (200, 303)
    (charge,) = (await till.api.v1.charges.list_async({"customer": customer})).data
    await till.api.v1.refunds.create_async({"charge": charge.id})
    events = till.fresh_events()
    assert any("kamea@example.com" in str(one) or "Noe" in str(one) for one in events), (
        "Stripe names them still"
    )
    await till.deliver(events)
    await till.work()
    async with db.transaction() as session:
        kept = [str(one.payload) for one in await session.scalars(select(StripeEvent))]
        bought = [str(one.raw) for one in await session.scalars(select(StripePurchase))]
    assert not [one for one in (*kept, *bought) if "kamea@example.com" in one or "Noe" in one]
