"""The studio's plans, and rights to watch that staff give and take."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from app import db
from app.access.models import Entitlement, EntitlementEntry
from app.accounts.models import AuditEntry, User
from app.billing.plan_models import Plan, PlanPrice
from tests import factories


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    """A member of staff who is signed in on the client."""
    async with db.transaction() as session:
        user = await factories.staff(session, name="Malia")
    await factories.sign_in(client, user)
    return user


async def someone() -> User:
    async with db.transaction() as session:
        return await factories.user(session, name="Kai Mahoe")


async def plan_rows() -> list[Plan]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Plan).order_by(Plan.position)))


async def trail() -> list[str]:
    async with db.transaction() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


# The same in every process, so that all of them collect the same tests.
ID, OTHER = UUID(int=7), UUID(int=8)
PAGES = [
    "/studio/plans",
    "/studio/plans/new",
    f"/studio/plans/{ID}",
    f"/studio/members/{ID}/entitlements",
    f"/studio/members/{ID}/entitlements/{OTHER}/take",
]
POSTS = [
    "/studio/plans",
    f"/studio/plans/{ID}",
    f"/studio/plans/{ID}/withdraw",
    f"/studio/plans/{ID}/offer",
    f"/studio/members/{ID}/entitlements",
    f"/studio/members/{ID}/entitlements/{OTHER}/take",
]
FORM = {"name": "Monthly", "amount": "18.50", "interval": "month", "currency": "usd", "trial_days": "7"}


@pytest.mark.parametrize("path", PAGES)
async def test_the_pages_are_for_staff(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 401
    await factories.sign_in(client, await someone())
    assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize("path", POSTS)
async def test_only_staff_change_plans_and_rights(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, data=FORM)).status_code == 401
    await factories.sign_in(client, await someone())
    assert (await client.post(path, data=FORM)).status_code == 403
    assert await plan_rows() == []


@pytest.mark.parametrize("path", [path for path in (*PAGES, *POSTS) if str(ID) in path])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, teacher: User, path: str) -> None:
    if path in PAGES:
        assert (await client.get(path)).status_code == 404
    if path in POSTS:
        assert (await client.post(path, data={**FORM, "reason": "x"})).status_code == 404


async def test_an_empty_list_names_the_next_step(client: httpx.AsyncClient, teacher: User) -> None:
    page = (await client.get("/studio/plans")).text
    assert "No plans yet" in page
    assert "key is not set" in page
    assert (await client.get("/studio/plans/new")).status_code == 200


async def test_a_plan_is_saved_and_brought_to_stripe_as_work(
    client: httpx.AsyncClient, teacher: User
) -> None:
    answer = await client.post("/studio/plans", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio/plans?did=create")
    (plan,) = await plan_rows()
    assert (plan.slug, plan.amount_cents, plan.currency, plan.interval, plan.trial_days) == (
        "monthly",
        1850,
        "usd",
        "month",
        7,
    )
    async with db.transaction() as session:
        work = (await session.execute(text("SELECT name FROM dbos.workflow_status"))).scalars().all()
    assert work == ["plan_push"]
    page = (await client.get(answer.headers["location"])).text
    assert "On its way to Stripe" in page
    assert "$18.50 a month" in page
    assert "nothing to buy at the moment" in (await client.get("/plans")).text, "not before Stripe has it"
    assert await trail() == ["plan.create"]


BAD = [
    ({"name": " "}, "a short name"),
    ({"name": "n" * 130}, "a short name"),
    ({"amount": "free"}, "Say what the plan costs"),
    ({"amount": "0"}, "Say what the plan costs"),
    ({"amount": "1000000"}, "Say what the plan costs"),
    ({"amount": "19.50", "currency": "jpy"}, "Say what the plan costs"),
    ({"currency": "xyz"}, "Choose one of these currencies."),
    ({"interval": "hour"}, "Choose how often it is paid."),
    ({"trial_days": "91"}, "A trial lasts 0 to 90 days."),
    ({"trial_days": "-1"}, "A trial lasts 0 to 90 days."),
    ({"trial_days": "soon"}, "A trial lasts 0 to 90 days."),
    ({"description": "d" * 501}, "below 500 characters"),
    ({"course_ids": [str(ID)]}, "This course is not there any more."),
    ({"course_ids": ["all"]}, "This course is not there any more."),
]


@pytest.mark.parametrize(("typed", "sentence"), BAD)
async def test_a_bad_form_says_why_and_keeps_what_was_typed(
    client: httpx.AsyncClient, teacher: User, typed: dict[str, str], sentence: str
) -> None:
    answer = await client.post("/studio/plans", data={**FORM, "description": "All of it.", **typed})
    assert answer.status_code == 422
    assert sentence in answer.text
    kept = {**FORM, **typed}
    for name in ("name", "amount", "trial_days"):
        assert (
            f'name="{name}" type="{"number" if name == "trial_days" else "text"}" value="{kept[name].strip()}"'
            in (" ".join(answer.text.split()))
        )
    assert kept.get("description", "All of it.")[:500] in answer.text
    assert (await plan_rows(), await trail()) == ([], [])


async def test_editing_changes_the_price_for_new_members_and_nothing_that_was_bought(
    client: httpx.AsyncClient, teacher: User
) -> None:
    await client.post("/studio/plans", data=FORM)
    (plan,) = await plan_rows()
    page = (await client.get(f"/studio/plans/{plan.id}")).text
    assert 'value="18.50"' in page
    answer = await client.post(
        f"/studio/plans/{plan.id}",
        data={"name": "Every month", "amount": "20", "interval": "year", "currency": "eur"},
    )
    assert answer.status_code == 303
    (plan,) = await plan_rows()
    assert (plan.name, plan.amount_cents, plan.interval, plan.currency) == (
        "Every month",
        2000,
        "month",
        "usd",
    )
    bad = await client.post(f"/studio/plans/{plan.id}", data={"name": "Every month", "amount": "much"})
    assert bad.status_code == 422
    assert 'value="much"' in bad.text
    assert await trail() == ["plan.create", "plan.edit"]


async def test_a_withdrawn_plan_is_not_shown_and_can_be_offered_again(
    client: httpx.AsyncClient, teacher: User
) -> None:
    await client.post("/studio/plans", data=FORM)
    (plan,) = await plan_rows()
    async with db.transaction() as session:
        session.add(PlanPrice(stripe_price_id="price_1", plan_id=plan.id, amount_cents=1850, currency="usd"))
    assert "$18.50" in (await client.get("/plans")).text
    for _twice in range(2):
        await client.post(f"/studio/plans/{plan.id}/withdraw")
    assert "$18.50" not in (await client.get("/plans")).text
    assert "Withdrawn" in (await client.get("/studio/plans")).text
    await client.post(f"/studio/plans/{plan.id}/offer")
    assert "$18.50" in (await client.get("/plans")).text
    assert await trail() == ["plan.create", "plan.withdraw", "plan.offer"]


async def test_a_course_that_a_plan_sells_cannot_vanish_below_it(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        course = await factories.course(session, title="Lower body")
    await client.post("/studio/plans", data={**FORM, "course_ids": [str(course.id)]})
    assert "Lower body" in (await client.get("/studio/plans")).text
    with pytest.raises(Exception, match="fk_plan_course_course_id"):
        async with db.transaction() as session:
            await session.execute(text("DELETE FROM course"))


async def right_of(user_id: UUID) -> Entitlement:
    async with db.transaction() as session:
        return (await session.scalars(select(Entitlement).where(Entitlement.user_id == user_id))).one()


async def test_staff_give_a_right_with_a_reason_and_take_it_again(
    client: httpx.AsyncClient, teacher: User
) -> None:
    user = await someone()
    path = f"/studio/members/{user.id}/entitlements"
    answer = await client.post(path, data={"reason": "She won the raffle.", "ends_on": "2099-01-31"})
    assert answer.status_code == 303
    page = (await client.get(answer.headers["location"])).text
    assert "Every course" in page
    assert "Malia: She won the raffle." in page
    assert "Until 31 January 2099" in page
    right = await right_of(user.id)
    take = f"{path}/{right.id}/take"
    assert take in page
    assert "She won the raffle." in (await client.get(take)).text
    empty = await client.post(take, data={"reason": "  "})
    assert empty.status_code == 422
    assert "Please say why" in empty.text
    assert (await client.post(take, data={"reason": "The raffle was void."})).status_code == 303
    assert (await right_of(user.id)).revoked_at is not None
    assert (await client.get(take)).status_code == 404
    page = (await client.get(f"/studio/members/{user.id}")).text
    assert "Malia: The raffle was void." in page
    assert "Ended on" in page
    assert await trail() == ["entitlement.give", "entitlement.take"]
    assert "gave Kai Mahoe a right to watch" in (await client.get("/studio/activity")).text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"reason": ""}, "Please say why"),
        ({"ends_on": "2001-01-01"}, "must be in the future"),
        ({"ends_on": "tomorrow"}, "Write the last day as year, month, day"),
        ({"course_id": str(ID)}, "This course is not there any more."),
        ({"course_id": "all"}, "This course is not there any more."),
    ],
)
async def test_a_right_that_cannot_be_given_says_why_and_keeps_what_was_typed(
    client: httpx.AsyncClient, teacher: User, typed: dict[str, str], sentence: str
) -> None:
    user = await someone()
    form = {"reason": "A friend of the practice", "ends_on": "2099-01-31", **typed}
    answer = await client.post(f"/studio/members/{user.id}/entitlements", data=form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert form["reason"] in answer.text
    assert f'value="{form["ends_on"]}"' in answer.text
    async with db.transaction() as session:
        assert (await session.scalars(select(Entitlement))).all() == []


async def test_what_a_payment_gives_is_not_taken_by_hand(client: httpx.AsyncClient, teacher: User) -> None:
    user = await someone()
    async with db.transaction() as session:
        paid = await factories.entitlement(session, user, source_kind="subscription", source_id="sub_1")
    path = f"/studio/members/{user.id}/entitlements/{paid.id}/take"
    assert (await client.get(path)).status_code == 404
    answer = await client.post(path, data={"reason": "x"})
    assert answer.status_code == 409
    assert "comes from a payment" in answer.text
    assert (await right_of(user.id)).revoked_at is None


async def test_the_ledger_cannot_be_rewritten(client: httpx.AsyncClient, teacher: User) -> None:
    user = await someone()
    await client.post(f"/studio/members/{user.id}/entitlements", data={"reason": "once"})
    for change in ("UPDATE entitlement_entry SET cause = 'x'", "DELETE FROM entitlement_entry"):
        with pytest.raises(Exception, match=r"append-only|entitlement_entry"):
            async with db.transaction() as session:
                await session.execute(text(change))
    async with db.transaction() as session:
        assert (await session.scalars(select(EntitlementEntry.cause))).all() == ["Malia: once"]
