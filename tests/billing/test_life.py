"""A member's life: renewal, failed payment, recovery, the end; cancelling and thinking better of it."""

from datetime import timedelta
from uuid import UUID

from app.accounts.models import User
from app.billing import plans
from app.clock import utcnow
from tests import factories
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox import shop


async def subscribed(till: Till, card: str = shop.GOOD) -> User:
    user, slug = await till.member(), await till.plan()
    await till.buy(slug, card)
    await till.settle()
    return user


async def account_page(till: Till) -> str:
    return (await till.client.get("/account")).text


async def test_a_renewal_extends_the_right(till: Till) -> None:
    user = await subscribed(till)
    (before,) = await tills.rights(user.id)
    await till.pass_days(32)
    await till.settle()
    (after,) = await tills.rights(user.id)
    assert before.ends_at is not None
    assert after.ends_at is not None
    assert timedelta(days=27) < after.ends_at - before.ends_at < timedelta(days=32)
    assert await tills.ledger(user.id) == ["given", "extended"]
    assert await tills.mails() == ["subscription_started"]


async def test_a_missed_renewal_webhook_ends_nobodys_access_within_three_days(till: Till) -> None:
    user = await subscribed(till)
    (row,) = await tills.rights(user.id)
    assert row.ends_at is not None
    period_end = row.ends_at - timedelta(hours=72)
    assert await tills.is_entitled(user.id, period_end + timedelta(hours=71))
    assert not await tills.is_entitled(user.id, period_end + timedelta(hours=73))


async def test_a_failed_renewal_keeps_access_for_the_grace_period_and_says_so(till: Till) -> None:
    user = await subscribed(till, shop.FAILS_LATER)
    await till.pass_days(32)
    await till.settle()
    (row,) = await tills.rights(user.id)
    assert row.ends_at is not None
    assert row.revoked_at is None
    failed_at = row.ends_at - timedelta(days=14)
    assert timedelta(days=27) < failed_at - utcnow() < timedelta(days=33)
    assert "The last payment did not go through." in await account_page(till)
    assert await tills.mails() == ["subscription_started", "payment_failed"]


async def test_paying_after_a_failure_restores_everything_at_once(till: Till) -> None:
    user = await subscribed(till, shop.FAILS_LATER)
    await till.pass_days(32)
    await till.settle()
    await till.portal("update_card", card_number=shop.GOOD)
    back = await till.client.get("/billing/back")
    assert back.headers["location"] == "/account"
    assert "The last payment did not go through." not in await account_page(till)
    assert (await tills.mails())[-1] == "payment_recovered"
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert (await tills.mails()).count("payment_failed") == 1


async def test_retries_that_are_exhausted_end_the_membership_with_one_mail(till: Till) -> None:
    user = await subscribed(till, shop.FAILS_LATER)
    await till.pass_days(32)
    await till.settle()
    for _week in range(3):
        await till.pass_days(6)
        await till.settle()
    assert not await tills.is_entitled(user.id)
    assert await tills.mails() == ["subscription_started", "payment_failed", "subscription_ended"]
    assert "You have no membership." in await account_page(till)
    assert (await tills.ledger(user.id))[-1] == "ended"


async def test_cancelling_keeps_what_is_paid_and_can_be_undone(till: Till) -> None:
    user = await subscribed(till)
    (before,) = await tills.rights(user.id)
    await till.portal("cancel_at_period_end")
    assert (await till.client.get("/billing/back")).status_code == 303
    assert "You have cancelled." in await account_page(till)
    (ending,) = await tills.rights(user.id)
    assert before.ends_at is not None
    assert ending.ends_at == before.ends_at - timedelta(hours=72), "the paid period, without slack"
    await till.portal("renew")
    await till.settle()
    (again,) = await tills.rights(user.id)
    assert again.ends_at == before.ends_at
    assert "The next payment is on" in await account_page(till)
    assert await tills.ledger(user.id) == ["given", "shortened", "extended"]
    assert await tills.mails() == ["subscription_started", "subscription_cancelled"]


async def test_a_cancelled_membership_ends_with_its_period_and_can_be_bought_again(till: Till) -> None:
    user = await subscribed(till)
    slug = (await till.client.get("/plans")).text.split('name="plan" value="')
    assert len(slug) == 1, "who has it is not offered it"
    await till.portal("cancel_at_period_end")
    await till.pass_days(32)
    await till.settle()
    assert not await tills.is_entitled(user.id)
    assert (await tills.mails())[-1] == "subscription_ended"
    page = await till.client.get("/plans")
    again = page.text.split('name="plan" value="')[1].split('"')[0]
    await till.buy(again)
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert (await tills.mails())[-1] == "subscription_started"


async def test_ending_now_ends_access_now(till: Till) -> None:
    user = await subscribed(till)
    await till.portal("cancel_now")
    await till.client.get("/billing/back")
    assert not await tills.is_entitled(user.id)
    (row,) = await tills.rights(user.id)
    assert row.revoked_at is not None


async def test_a_right_that_staff_gave_outlives_the_subscription(till: Till) -> None:
    user = await subscribed(till)
    teacher = await till.member(role="staff", name="Malia")
    given = await till.client.post(
        f"/studio/members/{user.id}/entitlements", data={"reason": "She helped with the films."}
    )
    assert given.status_code == 303
    await factories.sign_in(till.client, user)
    await till.portal("cancel_now")
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert teacher.id != user.id
    assert "free of charge" in await account_page(till)


async def test_a_new_price_leaves_the_old_payers_at_theirs(till: Till) -> None:
    user = await subscribed(till)
    teacher = await till.member(role="staff")
    page = (await till.client.get("/studio/plans")).text
    plan_id = page.split("/studio/plans/")[2].split('"')[0]
    answer = await till.client.post(
        f"/studio/plans/{plan_id}", data={"name": "Membership", "amount": "25", "trial_days": "0"}
    )
    assert answer.status_code == 303, answer.text
    assert "On its way to Stripe" in (await till.client.get("/studio/plans")).text
    await plans.push(UUID(plan_id))
    assert "On its way to Stripe" not in (await till.client.get("/studio/plans")).text
    assert "$25 a month" in (await till.client.get("/plans")).text
    await factories.sign_in(till.client, user)
    await till.pass_days(32)
    await till.settle()
    assert await tills.is_entitled(user.id)
    assert "$19 a month" in await account_page(till)
    await till.member()
    slug = (await till.client.get("/plans")).text.split('name="plan" value="')[1].split('"')[0]
    page_at_stripe = (await till.browser.get(await till.checkout(slug))).text
    assert "$25.00" in page_at_stripe
    assert teacher.is_staff
