"""An account that has payers already: matched by address, new accounts for the others, nothing changed at Stripe."""

from typing import Any

import pytest
import stripe
from sqlalchemy import func, select

from app import db
from app.accounts.models import User
from app.billing.models import StripeCustomer
from app.billing.taking_over import TakeOver, take_over
from app.errors import BadInput
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox import shop


async def payer(till: Till, email: str | None, price: stripe.Price, **more: Any) -> stripe.Subscription:
    """A customer of the old site's, with a card and a subscription."""
    params: Any = {"name": "Old Payer", **({"email": email} if email else {})}
    customer = await till.api.v1.customers.create_async(params)
    method = await till.api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    await till.api.v1.customers.update_async(
        customer.id, {"invoice_settings": {"default_payment_method": method.id}}
    )
    return await shop.subscribe(till.api, customer, price, **more)


async def run(prices: dict[str, str], *, apply: bool = True) -> TakeOver:
    return await take_over(prices, apply=apply)


def counts(found: TakeOver) -> tuple[int, int, int, int]:
    return found.payers, found.known, found.linked, found.created


async def user_of(email: str) -> User:
    async with db.transaction() as session:
        found = await session.scalar(select(User).where(User.email == email))
    assert found is not None
    return found


async def test_payers_are_matched_by_address_and_the_others_get_an_account(till: Till) -> None:
    slug = await till.plan()
    old = await shop.monthly(till.api, 1500)
    member = await till.member(email="known@example.com")
    await payer(till, "Known@Example.com", old)
    await payer(till, "new@example.com", old)
    first = await run({old.id: slug}, apply=False)
    assert counts(first) == (2, 0, 1, 1)
    assert not await tills.is_entitled(member.id), "nothing changes without --apply"
    assert counts(await run({old.id: slug})) == (2, 0, 1, 1)
    assert await tills.is_entitled(member.id)
    new = await user_of("new@example.com")
    assert (new.name, new.password_hash) == ("Old Payer", "!")
    assert await tills.is_entitled(new.id)
    assert "taken_over" in await tills.mails()
    again = await run({old.id: slug})
    assert counts(again) == (2, 2, 0, 0)
    assert (await tills.mails()).count("taken_over") == 1
    asked = await till.client.post("/forgot", data={"email": "new@example.com"})
    assert asked.status_code in (200, 303)
    assert "reset_password" in await tills.mails(), "a password can be chosen"
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(StripeCustomer)) == 2
    statuses = [one.status for one in (await till.api.v1.subscriptions.list_async()).data]
    assert statuses == ["active", "active"], "nothing changes at Stripe"


async def test_who_has_cancelled_and_is_paid_until_later_is_taken_over_and_who_has_lapsed_is_not(
    till: Till,
) -> None:
    slug = await till.plan()
    old = await shop.monthly(till.api, 1500)
    await payer(till, "leaving@example.com", old, cancel_at_period_end=True)
    gone = await payer(till, "gone@example.com", old)
    await till.api.v1.subscriptions.cancel_async(gone.id)
    assert counts(await run({old.id: slug})) == (1, 0, 0, 1)
    leaving = await user_of("leaving@example.com")
    (right,) = await tills.rights(leaving.id)
    assert right.ends_at is not None


async def test_prices_that_no_plan_knows_are_listed_with_what_they_cost(till: Till) -> None:
    await till.plan()
    old = await shop.monthly(till.api, 1500)
    await payer(till, "one@example.com", old)
    await payer(till, "two@example.com", old)
    found = await run({})
    assert counts(found) == (0, 0, 0, 0)
    assert found.unknown_prices == {old.id: (2, "1500 usd a month")}


async def test_two_customers_with_one_address_and_none_are_for_a_person_to_look_at(till: Till) -> None:
    slug = await till.plan()
    old = await shop.monthly(till.api, 1500)
    await payer(till, "twice@example.com", old)
    await payer(till, "twice@example.com", old)
    await payer(till, None, old)
    found = await run({old.id: slug})
    assert (found.payers, found.created, len(found.odd)) == (3, 1, 2)
    assert any("has the address of" in words for words in found.odd)
    assert any("has no usable address" in words for words in found.odd)


async def test_a_member_who_pays_here_already_is_not_given_a_second_customer(till: Till) -> None:
    slug = await till.plan()
    user = await till.member(email="both@example.com")
    await till.buy(slug)
    await till.settle()
    old = await shop.monthly(till.api, 1500)
    await payer(till, "both@example.com", old)
    found = await run({old.id: slug})
    assert len(found.odd) == 1
    assert "look at both" in found.odd[0]
    assert await tills.is_entitled(user.id)


@pytest.mark.parametrize(
    ("interval", "prices", "sentence"),
    [
        ("month", {"PRICE": "unknown"}, "There is no plan unknown."),
        ("month", {"price_nobody": "PLAN"}, "Nobody pays the price price_nobody."),
        ("year", {"PRICE": "PLAN"}, "is not paid as often as the plan"),
    ],
)
async def test_a_wrong_price_is_said_before_anything_is_done(
    till: Till, interval: str, prices: dict[str, str], sentence: str
) -> None:
    slug = await till.plan()
    old = await shop.monthly(till.api, 1500, interval)
    await payer(till, "one@example.com", old)
    names = {"PRICE": old.id, "PLAN": slug}
    with pytest.raises(BadInput) as refused:
        await run({names.get(one, one): names.get(plan, plan) for one, plan in prices.items()})
    assert sentence in refused.value.sentence
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(StripeCustomer)) == 0
