"""Bought once: a course or a bundle is the member's for good, until the money goes back."""

from typing import Any
from uuid import UUID

import aiosmtplib
import pytest
import stripe
from sqlalchemy import update

from app import db, worker
from app.access.models import Entitlement
from app.billing import sync
from app.billing.models import CheckoutAttempt, StripeCharge
from app.billing.plan_models import PlanPrice
from app.settings import get_settings
from tests import factories, letters
from tests.billing import till as tills
from tests.billing.till import Till


async def course(title: str) -> UUID:
    async with db.transaction() as session:
        return (await factories.course(session, title=title)).id


async def held(user_id: UUID) -> list[tuple[str, UUID | None]]:
    """(kind, course) of every right that stands."""
    return [(one.source_kind, one.course_id) for one in await tills.rights(user_id) if one.revoked_at is None]


async def charge_of(till: Till, user_id: UUID) -> str:
    customer = await tills.customer_id(user_id)
    (found,) = (await till.api.v1.charges.list_async({"customer": customer})).data
    return found.id


async def refund(till: Till, user_id: UUID, **more: Any) -> stripe.Refund:
    params: Any = {"charge": await charge_of(till, user_id), **more}
    return await till.api.v1.refunds.create_async(params)


async def test_a_course_bought_once_is_the_members_without_an_end(till: Till) -> None:
    hips, knees = await course("Hips"), await course("Knees")
    user = await till.member()
    slug = await till.plan(4900, name="Hips for good", interval="once", course_ids=(hips,))
    paid = await till.pay(await till.checkout(slug))
    back = await till.come_back(paid)
    assert (back.status_code, back.headers["location"]) == (303, tills.LESSON), "nobody waits for a webhook"
    (right,) = await tills.rights(user.id)
    assert (right.source_kind, right.course_id, right.ends_at) == ("purchase", hips, None)
    assert not await tills.is_entitled(user.id, course_id=knees)
    await till.settle()
    assert await tills.ledger(user.id) == ["given"]
    assert await tills.mails() == ["purchase_made"]
    await till.pass_days(3600)
    await till.settle()
    assert await held(user.id) == [("purchase", hips)]


async def test_a_bundle_gives_each_of_its_courses(till: Till) -> None:
    hips, knees = await course("Hips"), await course("Knees")
    user = await till.member()
    await till.buy(await till.plan(7900, name="Both", interval="once", course_ids=(hips, knees)))
    await till.settle()
    assert {one for _kind, one in await held(user.id)} == {hips, knees}


async def test_what_is_owned_is_not_sold_again_but_a_membership_may_add_a_course_for_good(till: Till) -> None:
    hips = await course("Hips")
    user = await till.member()
    monthly = await till.plan()
    once = await till.plan(4900, name="Hips", interval="once", course_ids=(hips,))
    await till.buy(monthly)
    await till.settle()
    await till.buy(once)
    await till.settle()
    again = await till.client.post("/checkout", data={"plan": once})
    assert (again.status_code, "yours already" in again.text) == (409, True)
    await till.portal("cancel_now")
    await till.settle()
    assert await held(user.id) == [("purchase", hips)]


async def test_a_double_click_buys_once(till: Till) -> None:
    hips = await course("Hips")
    user = await till.member()
    once = await till.plan(4900, name="Hips", interval="once", course_ids=(hips,))
    first, second = await till.checkout(once), await till.checkout(once)
    assert first == second
    await till.pay(first)
    assert (await till.pay(second)).status_code != 303
    assert (await till.client.post("/checkout", data={"plan": once})).status_code == 409
    customer = await tills.customer_id(user.id)
    assert len((await till.api.v1.charges.list_async({"customer": customer})).data) == 1


async def test_two_partial_refunds_that_make_the_whole_end_it_and_the_first_does_not(till: Till) -> None:
    hips = await course("Hips")
    user = await till.member()
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)))
    await till.settle()
    await refund(till, user.id, amount=900)
    await till.settle()
    assert await held(user.id) == [("purchase", hips)]
    await refund(till, user.id, amount=4000)
    await till.settle()
    assert await held(user.id) == []
    assert await tills.ledger(user.id) == ["given", "ended"]
    assert await tills.mails() == ["purchase_made", "payment_returned", "payment_returned"]


async def test_an_event_that_names_no_customer_finds_its_payer(till: Till) -> None:
    hips = await course("Hips")
    user = await till.member()
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)))
    # Nothing of the purchase has come yet: the mirror knows no such charge.
    till.fresh_events()
    await refund(till, user.id)
    refunds = [one for one in till.fresh_events() if one["type"].startswith("refund.")]
    assert refunds
    await till.deliver(refunds[:1])
    (row,) = await tills.event_rows()
    assert (row.state, row.customer_id) == ("received", None)
    assert await sync.find_payer(row.event_id) == await tills.customer_id(user.id)
    await till.work()
    assert {one.state for one in await tills.event_rows()} == {"applied"}
    # Known from now on, it needs no question.
    await till.deliver(refunds[:1])
    assert (await tills.event_rows())[0].customer_id == await tills.customer_id(user.id)


async def test_an_old_charge_without_an_intent_is_nobody_elses(till: Till) -> None:
    hips = await course("Hips")
    other = await till.member()
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)))
    await till.settle()
    async with db.transaction() as session:
        await session.execute(update(StripeCharge).values(payment_intent_id=None))
    event = till.stand.events()[-1]
    thing = {"id": "du_1", "object": "dispute", "charge": "ch_of_somebody", "payment_intent": None}
    await till.deliver(
        [{**event, "id": "evt_dispute", "type": "charge.dispute.created", "data": {"object": thing}}]
    )
    row = next(one for one in await tills.event_rows() if one.event_id == "evt_dispute")
    assert row.customer_id != await tills.customer_id(other.id)
    assert (row.state, row.customer_id) == ("received", None)


async def test_a_refund_of_nobodys_charge_is_set_aside(till: Till) -> None:
    await till.plan()
    await till.deliver(
        [
            {
                "id": "evt_nobody",
                "object": "event",
                "api_version": "2026-05-27.dahlia",
                "created": 1_790_000_000,
                "livemode": False,
                "type": "refund.updated",
                "data": {"object": {"id": "re_1", "object": "refund", "charge": "ch_unknown"}},
            }
        ]
    )
    assert await sync.find_payer("evt_nobody") is None
    (row,) = await tills.event_rows()
    assert row.state == "ignored"


async def test_a_refund_of_the_period_that_runs_ends_a_membership_until_the_next_is_paid(till: Till) -> None:
    user = await till.member()
    await till.buy(await till.plan())
    await till.settle()
    await refund(till, user.id)
    await till.settle()
    assert not await tills.is_entitled(user.id)
    await till.pass_days(32)
    await till.settle()
    assert await held(user.id) == [("subscription", None)]
    assert await tills.ledger(user.id) == ["given", "ended", "restored"]


@pytest.mark.parametrize("wrong", ["amount", "price", "member"])
async def test_a_session_that_is_not_what_we_sold_gives_nothing_and_is_reported(
    till: Till, wrong: str
) -> None:
    hips = await course("Hips")
    user = await till.member()
    slug = await till.plan(4900, name="Hips", interval="once", course_ids=(hips,))
    await till.buy(slug)
    async with db.transaction() as session:
        if wrong == "amount":
            await session.execute(update(PlanPrice).values(amount_cents=5900))
        elif wrong == "price":
            await session.execute(update(CheckoutAttempt).values(stripe_price_id="price_other"))
        else:
            other = await factories.user(session)
            await session.execute(update(CheckoutAttempt).values(user_id=other.id))
    await till.settle()
    assert await held(user.id) == []
    assert any("checkout cs_" in (row.error or "") for row in await tills.event_rows())


async def test_a_purchase_of_a_former_customer_stays(till: Till) -> None:
    hips = await course("Hips")
    user = await till.member()
    once = await till.plan(4900, name="Hips", interval="once", course_ids=(hips,))
    await till.buy(once)
    await till.settle()
    lost = await tills.customer_id(user.id)
    await till.api.v1.customers.delete_async(lost)
    await till.settle()
    assert await held(user.id) == [("purchase", hips)]
    await till.buy(await till.plan())
    await till.settle()
    assert await tills.customer_id(user.id) != lost
    assert set(await held(user.id)) == {("purchase", hips), ("subscription", None)}


async def test_the_right_of_a_purchase_is_not_for_staff_to_take(till: Till) -> None:
    hips = await course("Hips")
    user = await till.member()
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)))
    await till.settle()
    (right,) = await tills.rights(user.id)
    assert isinstance(right, Entitlement)
    staff = await till.member(role="staff")
    answer = await till.client.post(
        f"/studio/members/{user.id}/entitlements/{right.id}/take", data={"reason": "no"}
    )
    assert staff.id != user.id
    assert answer.status_code in (404, 405, 409, 422)
    assert await held(user.id) == [("purchase", hips)]


async def test_the_first_page_offers_what_is_for_every_course(till: Till) -> None:
    hips = await course("Hips")
    await till.plan(900, name="Hips", interval="once", course_ids=(hips,))
    assert "All courses for" not in (await till.client.get("/")).text
    await till.plan(1900)
    assert "All courses for $19 a month" in (await till.client.get("/")).text
    user = await till.member()
    page = (await till.client.get("/")).text
    assert "All courses for $19 a month" in page
    assert "Open your library" in page
    async with db.transaction() as session:
        await factories.entitlement(session, user)
    assert "All courses for" not in (await till.client.get("/")).text, "it is theirs already"


async def waiting_mail(template: str) -> dict[str, Any]:
    (found,) = [one for one in await letters.letters() if one["template"] == template]
    return found


async def test_a_mail_that_waits_while_the_money_goes_does_not_say_that_it_is_yours(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    hips = await course("Hips")
    user = await till.member()
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)))
    await till.settle()
    waiting = await waiting_mail("purchase_made")
    # No server would take it: a mail that is tried at all fails.
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:9")
    get_settings.cache_clear()
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await worker._deliver(**waiting)
    await refund(till, user.id)
    await till.settle()
    await worker._deliver(**waiting)
    assert await waiting_mail("payment_returned")


async def test_what_is_disputed_when_it_is_first_heard_of_is_not_called_yours(till: Till) -> None:
    hips = await course("Hips")
    await till.member()
    await till.buy(
        await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)), "4000000000000259"
    )
    await till.settle()
    assert await tills.mails() == []
