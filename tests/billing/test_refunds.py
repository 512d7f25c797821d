"""Money given back from the studio: what it does is said first, and is what it does."""

import re
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app import db
from app.accounts.models import AuditEntry, User
from app.billing import queries, watch
from app.billing.models import StripeAccount, StripeCharge, StripeEvent
from app.billing.our_account import check_account
from app.clock import utcnow
from app.errors import NotFound
from tests import factories
from tests.billing import till as tills
from tests.billing.till import Till


async def bought(till: Till, *, once: bool = False) -> tuple[User, str]:
    """A member who paid, and the charge; the client is signed in as staff afterwards."""
    if once:
        async with db.transaction() as session:
            hips: UUID = (await factories.course(session, title="Hips")).id
        slug = await till.plan(4900, name="Hips", interval="once", course_ids=(hips,))
    else:
        slug = await till.plan(1900)
    user = await till.member(name="Noelani")
    await till.buy(slug)
    await till.settle()
    async with db.transaction() as session:
        charge = await session.scalar(select(StripeCharge.id))
    assert charge is not None
    await till.member(role="staff")
    return user, charge


async def refunded(charge: str) -> int:
    async with db.transaction() as session:
        return (await session.get_one(StripeCharge, charge)).refunded_cents


async def test_what_a_refund_takes_is_said_before_the_click_and_is_what_it_takes(till: Till) -> None:
    user, charge = await bought(till, once=True)
    page = await till.client.get(f"/studio/money/payments/{charge}")
    assert "Noelani cannot watch “Hips” any more, at once" in page.text
    assert "$49" in page.text
    sent = await till.client.post(f"/studio/money/payments/{charge}/refund", data={"amount": "49"})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/studio/members/{user.id}?done=refunded")
    assert await refunded(charge) == 4900
    assert [one.revoked_at is None for one in await tills.rights(user.id)] == [False]
    assert "Given back" in (await till.client.get(f"/studio/members/{user.id}?done=refunded")).text
    async with db.transaction() as session:
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.action == "payment.refund"))
    assert entry is not None
    assert entry.detail["amount_cents"] == 4900


async def test_a_part_given_back_takes_nothing(till: Till) -> None:
    user, charge = await bought(till)
    page = await till.client.get(f"/studio/money/payments/{charge}")
    assert "cannot watch the paid lessons any more" in page.text
    assert "The membership goes on, and is charged again" in page.text
    sent = await till.client.post(f"/studio/money/payments/{charge}/refund", data={"amount": "5"})
    assert sent.status_code == 303
    assert (await refunded(charge), await tills.is_entitled(user.id)) == (500, True)
    assert "$5 given back" in (await till.client.get("/studio/money")).text


async def test_who_got_a_month_back_reads_when_the_lessons_open_again(till: Till) -> None:
    user, charge = await bought(till)
    assert (
        "In the last thirty days one payment came in: $19." in (await till.client.get("/studio/money")).text
    )
    await till.client.post(f"/studio/money/payments/{charge}/refund", data={"amount": "19"})
    assert "$19 of it was given back." in (await till.client.get("/studio/money")).text
    assert "money given back" in (await till.client.get(f"/studio/members/{user.id}")).text
    async with db.transaction() as session:
        assert await queries.stopped_by(session, user.id) == "returned"
    await factories.sign_in(till.client, user)
    account = (await till.client.get("/account")).text
    assert "Your last payment was given back" in account
    assert "They open again with the next payment" in account
    await till.portal("cancel_at_period_end")
    await till.settle()
    assert "Nothing more is charged." in (await till.client.get("/account")).text


async def test_a_refund_may_end_the_membership_with_it(till: Till) -> None:
    user, charge = await bought(till)
    data = {"amount": "19", "ends_subscription": "true"}
    assert (await till.client.post(f"/studio/money/payments/{charge}/refund", data=data)).status_code == 303
    assert not await tills.is_entitled(user.id)
    customer = await tills.customer_id(user.id)
    found = await till.api.v1.subscriptions.list_async({"customer": customer, "status": "all"})
    assert [one.status for one in found.data] == ["canceled"]
    await till.settle()
    assert (await tills.mails())[1:] == ["payment_returned"], "one mail tells both"


@pytest.mark.parametrize("amount", ["", "0", "-5", "49.01", "a lot", "1e3"])
async def test_more_than_was_paid_and_nonsense_are_refused_in_words(till: Till, amount: str) -> None:
    user, charge = await bought(till, once=True)
    sent = await till.client.post(f"/studio/money/payments/{charge}/refund", data={"amount": amount})
    assert sent.status_code == 422
    assert "Say how much of what is left to give back." in sent.text
    assert await refunded(charge) == 0
    assert len(await tills.rights(user.id)) == 1


@pytest.mark.parametrize("is_known", [False, True], ids=["before the first is known here", "after it"])
async def test_the_same_form_sent_twice_gives_back_once(till: Till, is_known: bool) -> None:
    _user, charge = await bought(till)
    page = await till.client.get(f"/studio/money/payments/{charge}")
    shown = re.search(r'name="already" value="(\d+)"', page.text)
    assert shown
    form = {"amount": "5", "already": shown[1]}
    assert (await till.client.post(f"/studio/money/payments/{charge}/refund", data=form)).status_code == 303
    if not is_known:
        async with db.transaction() as session:
            (await session.get_one(StripeCharge, charge)).refunded_cents = 0
    second = await till.client.post(f"/studio/money/payments/{charge}/refund", data=form)
    assert second.status_code == (409 if is_known else 303)
    assert ("given back meanwhile" in second.text) is is_known
    assert await refunded(charge) == 500
    found = await till.api.v1.refunds.list_async({"charge": charge})
    assert [one.amount for one in found.data] == [500]


async def test_what_something_else_covers_is_not_said_to_be_lost(till: Till) -> None:
    user, charge = await bought(till, once=True)
    async with db.transaction() as session:
        await factories.entitlement(session, user, source_kind="staff", course_id=None)
    page = await till.client.get(f"/studio/money/payments/{charge}")
    assert "Noelani may watch as before" in page.text


async def test_members_see_none_of_it(till: Till) -> None:
    user, charge = await bought(till, once=True)
    await factories.sign_in(till.client, user)
    for path in ("/studio/money", f"/studio/money/payments/{charge}"):
        assert (await till.client.get(path)).status_code == 403
    for path in (f"/studio/money/payments/{charge}/refund", "/studio/money/again/cus_1"):
        assert (await till.client.post(path, data={"amount": "49"})).status_code == 403
    assert await refunded(charge) == 0


async def test_a_charge_of_nobody_is_not_found(till: Till) -> None:
    await till.member(role="staff")
    assert (await till.client.get("/studio/money/payments/ch_unknown")).status_code == 404


async def test_a_dead_letter_is_seen_and_asked_again(till: Till) -> None:
    user, _charge = await bought(till)
    customer = await tills.customer_id(user.id)
    event = {
        **till.stand.events()[-1],
        "id": "evt_odd",
        "api_version": "2020-08-27",
        "data": {"object": {"object": "customer", "id": customer}},
    }
    await till.deliver([event])
    page = await till.client.get("/studio/money")
    assert "evt_odd" in page.text
    assert "it is of API version 2020-08-27" in page.text
    wanted, _done = await tills.progress(customer)
    again = await till.client.post("/studio/money/again/evt_odd")
    assert again.headers["location"] == "/studio/money?did=again"
    await till.work()
    assert (await tills.progress(customer))[1] > wanted
    assert "evt_odd" not in (await till.client.get("/studio/money")).text
    with pytest.raises(NotFound):
        async with db.transaction() as session:
            await watch.replay(session, "cus_unknown", utcnow())


async def test_events_that_never_came_are_fetched(till: Till) -> None:
    user = await till.member()
    await till.buy(await till.plan())
    endpoint = await till.api.v1.webhook_endpoints.create_async(
        {
            "url": "http://127.0.0.1:9/webhooks/stripe",
            "enabled_events": ["customer.subscription.updated", "customer.subscription.deleted"],
            "api_version": "2026-05-27.dahlia",
        }
    )
    await till.settle()
    assert await tills.is_entitled(user.id)
    await till.portal("cancel_now")
    now = utcnow()
    await check_account(now)
    problem = await watch.look(now)
    assert problem is not None
    assert "no webhook endpoint points at https://limber.test/webhooks/stripe" in problem
    await till.work()
    assert not await tills.is_entitled(user.id)
    async with db.transaction() as session:
        account = await session.scalar(select(StripeAccount))
        count = await session.scalar(select(func.count()).select_from(StripeEvent))
    assert account is not None
    assert account.endpoint_problem == problem
    assert problem in (await staff_page(till))
    assert await watch.look(now)
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(StripeEvent)) == count, "each once"
    assert endpoint.id


async def staff_page(till: Till) -> str:
    await till.member(role="staff")
    return (await till.client.get("/studio/money")).text
