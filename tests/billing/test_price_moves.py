"""Members on an old price: told in time, moved at their next payment, and never charged what they were not told."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app import db, mail
from app.accounts.models import User
from app.billing import plans, price_letters, price_moves, stripe_api
from app.billing.mirror import SubscriptionFacts
from app.billing.models import StripeSubscription
from app.billing.plan_models import Plan, PriceMoveMember
from app.billing.plans import PlanDraft
from app.clock import utcnow
from tests import factories, letters
from tests.billing import till as tills
from tests.billing.till import Till


async def dearer(till: Till, slug: str, amount_cents: int = 2400) -> UUID:
    """The plan costs something else from now on."""
    async with db.transaction() as session:
        staff = await factories.staff(session)
        plan = (await session.scalars(select(Plan).where(Plan.slug == slug))).one()
        await plans.edit(session, staff.id, plan.id, PlanDraft("Membership", amount_cents))
    await plans.push(plan.id)
    return plan.id


async def payer(till: Till, slug: str, **values: Any) -> User:
    user = await till.member(**values)
    await till.buy(slug)
    await till.settle()
    return user


async def begin(plan_id: UUID, days: float = 31, words: str = "") -> int:
    async with db.transaction() as session:
        staff = await factories.staff(session)
        now = utcnow()
        return await price_moves.begin(session, staff.id, plan_id, now + timedelta(days=days), words, now)


async def states() -> list[str]:
    async with db.transaction() as session:
        return sorted(await session.scalars(select(PriceMoveMember.state)))


async def charged(till: Till) -> list[int]:
    found = [one for one in (await till.api.v1.charges.list_async()).data if one.status == "succeeded"]
    return [one.amount for one in sorted(found, key=lambda one: one.created)]


async def prices(till: Till) -> list[int]:
    found = [one.to_dict() for one in (await till.api.v1.subscriptions.list_async()).data]
    return sorted(one["items"]["data"][0]["price"]["unit_amount"] for one in found)


async def test_a_member_is_told_and_pays_the_new_price_from_the_payment_that_was_named(till: Till) -> None:
    slug = await till.plan(1900)
    user = await payer(till, slug)
    plan_id = await dearer(till, slug)
    assert await begin(plan_id) == 1
    assert "price_moves" in await tills.mails()
    assert await price_moves.carry_out(utcnow()) == 0, "not before its time"
    assert await prices(till) == [1900]
    assert await price_moves.carry_out(utcnow() + timedelta(days=32)) == 1
    assert await prices(till) == [2400]
    assert await charged(till) == [1900], "nothing is charged for what is paid already"
    await till.pass_days(32)
    await till.settle()
    assert await charged(till) == [1900, 2400]
    assert await tills.is_entitled(user.id)
    assert await states() == ["moved"]
    async with db.transaction() as session:
        assert await price_moves.planned(session, plan_id) is None, "and the move is over"


async def test_who_has_paid_beyond_the_day_is_moved_before_the_renewal_comes(till: Till) -> None:
    slug = await till.plan(19000, interval="year")
    await payer(till, slug)
    async with db.transaction() as session:
        staff = await factories.staff(session)
        plan = (await session.scalars(select(Plan).where(Plan.slug == slug))).one()
        await plans.edit(session, staff.id, plan.id, PlanDraft("Membership", 24000, interval="year"))
    await plans.push(plan.id)
    await begin(plan.id, days=40)
    assert await price_moves.carry_out(utcnow() + timedelta(days=36)) == 0
    assert await price_moves.carry_out(utcnow() + timedelta(days=38)) == 1
    assert await prices(till) == [24000]


async def test_who_has_cancelled_or_changed_is_left_alone(till: Till) -> None:
    slug, other = await till.plan(1900), await till.plan(19000, name="Yearly", interval="year")
    await payer(till, slug)
    await till.portal("cancel_at_period_end")
    await till.settle()
    await payer(till, slug)
    plan_id = await dearer(till, slug)
    assert await begin(plan_id) == 1, "who has cancelled is not even told"
    shown = await till.client.get(f"/account/plan/{other}")
    at = shown.text.partition('name="at" value="')[2].partition('"')[0]
    assert (await till.client.post(f"/account/plan/{other}", data={"at": at})).status_code == 303
    await till.settle()
    assert await price_moves.carry_out(utcnow() + timedelta(days=32)) == 0
    assert await states() == ["left_out"]
    assert await prices(till) == [1900, 19000]


async def test_a_move_that_is_called_off_is_told_and_moves_nobody(till: Till) -> None:
    slug = await till.plan(1900)
    await payer(till, slug)
    plan_id = await dearer(till, slug)
    await begin(plan_id)
    async with db.transaction() as session:
        await price_moves.stop(session, (await factories.staff(session)).id, plan_id)
    assert "price_stays" in await tills.mails()
    assert await price_moves.carry_out(utcnow() + timedelta(days=32)) == 0
    assert await prices(till) == [1900]
    assert await begin(plan_id) == 1, "and may be planned again"


async def test_stripe_away_at_the_day_moves_them_the_next_time(till: Till) -> None:
    slug = await till.plan(1900)
    await payer(till, slug)
    plan_id = await dearer(till, slug)
    await begin(plan_id)
    till.stand.stop()
    with pytest.raises(stripe_api.StripeDown):
        await price_moves.carry_out(utcnow() + timedelta(days=32))
    assert await states() == ["told"]
    till.stand.start()
    assert await price_moves.carry_out(utcnow() + timedelta(days=32)) == 1
    assert await prices(till) == [2400]


async def test_the_studio_shows_who_pays_what_and_refuses_a_day_too_near(till: Till) -> None:
    slug = await till.plan(1900)
    await payer(till, slug)
    plan_id = await dearer(till, slug)
    async with db.transaction() as session:
        staff = await factories.staff(session)
    await factories.sign_in(till.client, staff)
    assert f"/studio/plans/{plan_id}/move" in (await till.client.get(f"/studio/plans/{plan_id}")).text
    page = (await till.client.get(f"/studio/plans/{plan_id}/move")).text
    assert "$19" in page
    assert "$24" in page
    soon = (utcnow().date() + timedelta(days=7)).isoformat()
    refused = await till.client.post(
        f"/studio/plans/{plan_id}/move", data={"starts_on": soon, "words": "Rent."}
    )
    assert refused.status_code == 422
    assert "at least 30 days ahead" in refused.text
    assert "Rent." in refused.text, "what was typed is not lost"
    day = (utcnow().date() + timedelta(days=40)).isoformat()
    done = await till.client.post(f"/studio/plans/{plan_id}/move", data={"starts_on": day, "words": "Rent."})
    assert done.status_code == 303
    again = await till.client.post(f"/studio/plans/{plan_id}/move", data={"starts_on": day})
    assert again.status_code == 409
    stopped = await till.client.post(f"/studio/plans/{plan_id}/move/stop")
    assert stopped.status_code == 303


@pytest.mark.parametrize(
    ("interval", "ends", "starts", "first"),
    [
        ("month", "2026-12-15", "2026-12-01", "2026-12-15"),
        ("month", "2026-11-15", "2026-12-20", "2027-01-15"),
        ("month", "2027-01-31", "2027-02-10", "2027-02-28"),
        ("year", "2026-12-15", "2026-12-20", "2027-12-15"),
        ("year", "2026-12-20", "2026-12-20", "2026-12-20"),
    ],
)
def test_the_first_new_payment_is_the_first_on_or_after_the_day(
    interval: str, ends: str, starts: str, first: str
) -> None:
    def at(day: str) -> datetime:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)

    facts = SubscriptionFacts("sub_1", "active", ("price_1",), at("2026-01-01"), at(ends))
    assert price_moves.first_payment(facts, interval, at(starts)) == at(first)


async def discounted(till: Till) -> str:
    """A payer with 10 % off for good; answers the subscription."""
    (one,) = (await till.api.v1.subscriptions.list_async()).data
    coupon = await till.api.v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    await till.api.v1.subscriptions.update_async(one.id, {"discounts": [{"coupon": coupon.id}]})
    await till.settle()
    return one.id


async def letter_of(move_words: str = "price_moves") -> dict[str, Any]:
    (found,) = [one for one in await letters.letters() if one["template"] == move_words]
    return found


async def test_whose_bills_differ_from_the_price_is_told_what_the_first_one_will_be(till: Till) -> None:
    slug = await till.plan(1900)
    await payer(till, slug)
    subscription = await discounted(till)
    plan_id = await dearer(till, slug)
    async with db.transaction() as session:
        staff = await factories.staff(session)
        now = utcnow()
        starts = now + timedelta(days=30, minutes=1)
        await price_moves.begin(session, staff.id, plan_id, starts, "", now)
    assert "price_moves" not in await tills.mails(), "Stripe is asked first"
    async with db.transaction() as session:
        (member,) = (await session.scalars(select(PriceMoveMember))).all()
        ends = (await session.get_one(StripeSubscription, subscription)).current_period_end_at
        assert ends is not None
        member.first_at = ends
        move_id = member.move_id
    charged = await price_letters.first_charge(move_id, subscription)
    assert charged == "$21.60"
    await price_letters.write(move_id, subscription, charged)
    letter = await letter_of()
    text = mail.render(letter["template"], letter["to"], letter["context"]).get_body(("plain",))
    assert text is not None
    assert "$24 a month instead of $19, before your discount and taxes" in text.get_content()
    assert "$21.60 is charged on that day" in text.get_content()


async def test_of_a_payment_after_the_next_one_and_a_move_called_off_nothing_is_promised(till: Till) -> None:
    slug = await till.plan(1900)
    await payer(till, slug)
    subscription = await discounted(till)
    plan_id = await dearer(till, slug)
    await begin(plan_id, days=80)
    async with db.transaction() as session:
        (move_id,) = await session.scalars(select(PriceMoveMember.move_id))
        staff = await factories.staff(session)
    assert await price_letters.first_charge(move_id, subscription) == ""
    async with db.transaction() as session:
        await price_moves.stop(session, staff.id, plan_id)
    await price_letters.write(move_id, subscription, "")
    assert "price_moves" not in await tills.mails()
