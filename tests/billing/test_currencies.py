"""Several currencies for one plan: each visitor chooses, each payer stays in theirs."""

from sqlalchemy import select

from app import db
from app.billing import plans
from app.billing.plan_models import Plan, PlanPrice
from app.billing.plans import PlanDraft
from tests import factories
from tests.billing import till as tills
from tests.billing.till import LESSON, Till

ALSO = {"eur": 1800, "jpy": 2800}


async def buy_in(till: Till, slug: str, currency: str) -> None:
    answer = await till.client.post("/checkout", data={"plan": slug, "next": LESSON, "currency": currency})
    assert answer.status_code == 303, answer.text
    await till.pay(answer.headers["location"])
    await till.settle()


async def subscriptions(till: Till) -> list[tuple[str, int]]:
    found = [one.to_dict() for one in (await till.api.v1.subscriptions.list_async()).data]
    return [(one["currency"], one["items"]["data"][0]["price"]["unit_amount"]) for one in found]


async def current(slug: str) -> dict[str, int]:
    async with db.transaction() as session:
        rows = await session.execute(
            select(PlanPrice.currency, PlanPrice.amount_cents)
            .join(Plan, Plan.id == PlanPrice.plan_id)
            .where(Plan.slug == slug, PlanPrice.is_current)
        )
        return {row.currency: row.amount_cents for row in rows}


async def test_a_visitor_chooses_a_currency_and_pays_in_it(till: Till) -> None:
    user, slug = await till.member(), await till.plan(1900, also=ALSO)
    assert "$19" in (await till.client.get("/plans")).text
    shown = (await till.client.get("/plans?currency=jpy")).text
    assert "¥2,800" in shown
    assert "$19" not in shown
    await buy_in(till, slug, "eur")
    assert await subscriptions(till) == [("eur", 1800)]
    assert await tills.is_entitled(user.id)
    assert "€18" in (await till.client.get("/account")).text


async def test_a_currency_in_which_it_is_not_sold_is_the_plans_own(till: Till) -> None:
    await till.member()
    slug = await till.plan(1900, also=ALSO)
    assert "$19" in (await till.client.get("/plans?currency=xyz")).text
    await buy_in(till, slug, "gbp")
    assert await subscriptions(till) == [("usd", 1900)]


async def test_who_pays_in_one_currency_is_offered_changes_in_it_alone(till: Till) -> None:
    await till.member()
    monthly = await till.plan(1900, also=ALSO, name="Monthly")
    await till.plan(19000, also={"eur": 18000}, name="Yearly", interval="year")
    await till.plan(9900, name="Dollars alone", interval="year")
    await buy_in(till, monthly, "eur")
    page = (await till.client.get("/account/plan")).text
    assert "€180" in page
    assert "Dollars alone" not in page


async def test_a_second_membership_in_another_currency_is_refused_in_words(till: Till) -> None:
    await till.member()
    async with db.transaction() as session:
        one, other = await factories.course(session), await factories.course(session)
    first = await till.plan(1900, also=ALSO, course_ids=(one.id,))
    second = await till.plan(900, course_ids=(other.id,))
    third = await till.plan(900, course_ids=(other.id,), also={"eur": 800})
    await buy_in(till, first, "eur")
    refused = await till.client.post("/checkout", data={"plan": second, "next": LESSON})
    assert refused.status_code == 409
    assert "You pay in EUR already" in refused.text
    # Whatever the form says, Stripe takes no second currency.
    await buy_in(till, third, "usd")
    assert sorted(await subscriptions(till)) == [("eur", 800), ("eur", 1800)]


async def test_a_gift_is_paid_in_the_chosen_currency(till: Till) -> None:
    await till.member()
    slug = await till.plan(9000, interval="once", is_giftable=True, also={"jpy": 13000})
    page = (await till.client.get("/gifts?currency=jpy")).text
    assert "¥13,000" in page
    form = {
        "plan": slug,
        "to_name": "Kai",
        "to_email": "kai@example.com",
        "from_name": "Noe",
        "currency": "jpy",
    }
    answer = await till.client.post("/gifts", data=form)
    assert answer.status_code == 303, answer.text
    await till.pay(answer.headers["location"])
    (charge,) = (await till.api.v1.charges.list_async()).data
    assert (charge.currency, charge.amount) == ("jpy", 13000)


async def test_a_currency_that_is_taken_away_is_not_sold_and_still_paid(till: Till) -> None:
    user, slug = await till.member(), await till.plan(1900, also=ALSO)
    await buy_in(till, slug, "eur")
    assert await current(slug) == {"usd": 1900, **ALSO}
    async with db.transaction() as session:
        staff = await factories.staff(session)
        plan = (await session.scalars(select(Plan).where(Plan.slug == slug))).one()
        await plans.edit(session, staff.id, plan.id, PlanDraft("Membership", 1900, also={"jpy": 3000}))
    await plans.push(plan.id)
    assert await current(slug) == {"usd": 1900, "jpy": 3000}
    await till.pass_days(31)
    await till.settle()
    assert await tills.is_entitled(user.id)
