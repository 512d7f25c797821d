"""Reconciliation: what was missed is found in words and put right, and a run that would take too much stops itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, select, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import db
from app.access.models import Entitlement
from app.accounts.models import User
from app.billing.comparing import most_taken
from app.billing.models import StripeAccount, StripeCustomer, StripeSubscription
from app.billing.our_account import OtherAccount
from app.billing.reconciling import Report, reconcile
from app.clock import utcnow
from app.settings import get_settings
from tests import factories
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox.stands import Served
from tests.statements import statements


async def run(*, apply: bool = True, may_take: int | None = None) -> tuple[Report, list[str]]:
    said: list[str] = []
    return await reconcile(apply=apply, may_take=may_take, say=said.append), said


async def payer(till: Till, slug: str) -> User:
    user = await till.member()
    await till.buy(slug)
    return user


@pytest.mark.parametrize(("live", "may"), [(0, 1), (10, 1), (50, 1), (100, 2), (1000, 20)])
def test_two_percent_may_go_and_one_in_any_case(live: int, may: int) -> None:
    assert most_taken(live) == may


async def test_a_site_that_is_as_stripe_says_has_no_differences(till: Till) -> None:
    slug = await till.plan()
    for _ in range(2):
        await payer(till, slug)
    await till.settle()
    report, said = await run()
    assert (report.customers, report.live, report.differences, report.mended, said) == (2, 2, (), 0, [])


async def test_a_week_without_any_webhook_is_made_good_by_one_run(till: Till) -> None:
    slug = await till.plan()
    stays = await payer(till, slug)
    leaves = await payer(till, slug)
    await till.settle()
    await till.portal("cancel_now")
    comes = await payer(till, slug)
    till.fresh_events()
    found, said = await run(apply=False)
    assert {one.who for one in found.differences} == {leaves.email, comes.email}
    assert any("is canceled at Stripe, active here" in words for words in said)
    assert any("is missing" in words for words in said)
    assert (found.takes, found.mended) == (1, 0)
    assert await tills.is_entitled(leaves.id), "nothing changes without --apply"
    done, _said = await run()
    assert (done.mended, done.stopped) == (2, None)
    assert [await tills.is_entitled(one.id) for one in (stays, leaves, comes)] == [True, False, True]
    again, _said = await run()
    assert again.differences == ()


async def test_a_run_that_would_take_more_than_its_share_changes_nothing(till: Till) -> None:
    slug = await till.plan()
    members = [await payer(till, slug) for _ in range(3)]
    await till.settle()
    for one in (await till.api.v1.subscriptions.list_async()).data:
        await till.api.v1.subscriptions.cancel_async(one.id)
    till.fresh_events()
    report, _said = await run()
    assert (report.takes, report.mended) == (3, 0)
    assert report.stopped is not None
    assert "3 of 3 live rights would end; 1 may" in report.stopped
    assert all([await tills.is_entitled(one.id) for one in members])
    async with db.transaction() as session:
        account = await session.scalar(select(StripeAccount))
    assert account is not None
    assert account.last_run is not None
    assert account.last_run["stopped"] == report.stopped, "the studio can say so"
    done, _said = await run(may_take=3)
    assert (done.stopped, done.mended) == (None, 3)
    assert not any([await tills.is_entitled(one.id) for one in members])


async def test_another_accounts_key_takes_nothing(till: Till) -> None:
    user = await payer(till, await till.plan())
    await till.settle()
    await run()
    async with db.transaction() as session:
        await session.execute(update(StripeAccount).values(id="acct_of_somebody_else"))
    with pytest.raises(OtherAccount, match="belongs to acct_of_somebody_else"):
        await run(may_take=1000)
    assert await tills.is_entitled(user.id)


async def test_customers_whom_stripe_does_not_know_lose_nothing(till: Till) -> None:
    user = await payer(till, await till.plan())
    await till.settle()
    async with db.transaction() as session:
        # As if the key were for an account that has never seen them, and ours had never been noted.
        await session.execute(delete(StripeSubscription))
        customer = await session.scalar(select(StripeCustomer).where(StripeCustomer.user_id == user.id))
        assert customer is not None
        session.add(StripeCustomer(id="cus_unknown", user_id=None))
        customer.user_id = None
        await session.flush()
        await session.execute(
            update(StripeCustomer).where(StripeCustomer.id == "cus_unknown").values(user_id=user.id)
        )
    report, _said = await run(may_take=0)
    (one,) = report.differences
    assert one.words == ("Stripe does not know this customer: nothing is concluded",)
    assert len(report.strangers) == 1
    assert await tills.is_entitled(user.id)


async def test_a_right_that_was_lost_here_is_given_again_and_a_forged_one_ends(till: Till) -> None:
    slug = await till.plan()
    lost, forged = await payer(till, slug), await payer(till, slug)
    await till.settle()
    async with db.transaction() as session:
        await session.execute(delete(Entitlement).where(Entitlement.user_id == lost.id))
        await session.execute(
            update(Entitlement)
            .where(Entitlement.user_id == forged.id)
            .values(ends_at=utcnow() + timedelta(days=4000))
        )
    found, said = await run(apply=False)
    assert len(found.differences) == 2
    assert any("ends at another time" in words for words in said)
    await run()
    assert await tills.is_entitled(lost.id)
    assert not await tills.is_entitled(forged.id, utcnow() + timedelta(days=100))


async def test_rights_that_staff_gave_are_never_touched(till: Till) -> None:
    slug = await till.plan()
    user = await payer(till, slug)
    await till.settle()
    async with db.transaction() as session:
        await factories.entitlement(session, user, source_kind="staff")
    await till.portal("cancel_now")
    till.fresh_events()
    await run()
    kinds = [one.source_kind for one in await tills.rights(user.id) if one.revoked_at is None]
    assert kinds == ["staff"]


async def test_money_given_back_unheard_of_is_found(till: Till) -> None:
    async with db.transaction() as session:
        hips: UUID = (await factories.course(session, title="Hips")).id
    user = await till.member()
    await till.buy(await till.plan(4900, name="Hips", interval="once", course_ids=(hips,)))
    await till.settle()
    customer = await tills.customer_id(user.id)
    (charge,) = (await till.api.v1.charges.list_async({"customer": customer})).data
    await till.api.v1.refunds.create_async({"charge": charge.id})
    till.fresh_events()
    _report, said = await run()
    assert any(f"of charge {charge.id} 4900 usd were given back, 0 here" in words for words in said)
    assert not await tills.is_entitled(user.id, course_id=hips)


@contextmanager
def failing_for(customer: str, monkeypatch: pytest.MonkeyPatch, stand_url: str) -> Iterator[None]:
    """Stripe as it is, but that it fails whenever it is asked about one customer."""

    async def pass_on(request: Request) -> Response:
        if request.query_params.get("customer") == customer:
            return Response('{"error": {"type": "api_error", "message": "Sorry."}}', 500)
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            answer = await client.request(
                request.method,
                f"{stand_url}{request.url.path}?{request.url.query}",
                headers={"Authorization": request.headers["authorization"]},
                content=await request.body(),
            )
        return Response(answer.content, answer.status_code, {"Content-Type": "application/json"})

    served = Served(Starlette(routes=[Route("/{path:path}", pass_on, methods=["GET", "POST"])]))
    monkeypatch.setenv("STRIPE_API_BASE", served.url)
    get_settings.cache_clear()
    try:
        yield
    finally:
        monkeypatch.setenv("STRIPE_API_BASE", stand_url)
        get_settings.cache_clear()
        served.stop()


async def test_one_customer_whom_stripe_fails_does_not_stop_the_others(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = await till.plan()
    first, second = await payer(till, slug), await payer(till, slug)
    till.fresh_events()
    await tills.close_connections()
    with failing_for(await tills.customer_id(first.id), monkeypatch, till.stand.url):
        report, _said = await run()
        await tills.close_connections()
    assert (report.mended, len(report.failed)) == (1, 1)
    assert first.email in report.failed[0]
    assert [await tills.is_entitled(one.id) for one in (first, second)] == [False, True]


async def test_many_members_are_compared_with_a_few_queries(till: Till, database: db.Database) -> None:
    slug = await till.plan()
    asked = []
    for _round in range(2):
        for _ in range(3):
            await payer(till, slug)
        await till.settle()
        with statements(database) as seen:
            await run()
        asked.append(len(seen))
    assert asked[0] == asked[1], "twice as many members"
