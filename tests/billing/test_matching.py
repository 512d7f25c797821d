"""Members from a file are matched with the customers whom Stripe has already."""

from pathlib import Path

from sqlalchemy import select

from app import db
from app.billing.plan_models import PlanPrice
from app.moving import members
from tests.billing import till as tills
from tests.billing.till import Till
from tests.moving.test_members import FILES, users, write
from tests.sandbox import shop


async def test_customers_of_stripe_are_matched_and_those_who_pay_may_watch(
    till: Till, tmp_path: Path
) -> None:
    await till.plan()
    async with db.transaction() as session:
        price_id = await session.scalar(select(PlanPrice.stripe_price_id))
    assert price_id is not None
    price = await till.api.v1.prices.retrieve_async(price_id)
    customer = await till.api.v1.customers.create_async({"email": "Ann@Example.com", "name": "Ann"})
    stranger = await till.api.v1.customers.create_async({"email": "else@example.com"})
    method = await till.api.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    settings = {"invoice_settings": {"default_payment_method": method.id}}
    await till.api.v1.customers.update_async(customer.id, settings)  # type: ignore[arg-type]
    await shop.subscribe(till.api, customer, price)
    file = write(tmp_path, FILES["memberpress"])
    dry = await members.take(file, "", is_dry=True, mails=False)
    assert dry.stripe is not None
    assert (dry.stripe.linked, await users()) == (1, {})
    told = await members.take(file, "", is_dry=False, mails=False)
    assert told.stripe is not None
    assert (told.stripe.linked, told.stripe.odd) == (1, [])
    assert await tills.is_entitled((await users())["ann@example.com"].id)
    assert set(await users()) == {"ann@example.com"}
    assert stranger.id
    again = await members.take(file, "", is_dry=False, mails=False)
    assert again.stripe is not None
    assert (again.stripe.linked, again.stripe.known) == (0, 1)
