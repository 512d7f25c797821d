"""Promotion codes, tax and banks that take days: another amount than the price, or a later one, and all is right."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from app import db
from app.settings import get_settings
from tests import factories
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox.test_delayed import FAILS, PAYS


@pytest.fixture
def open_handed(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMBER_PROMOTION_CODES", "true")
    get_settings.cache_clear()


@pytest.fixture
def taxed(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMBER_STRIPE_TAX", "true")
    get_settings.cache_clear()


async def hips_for_good(till: Till) -> str:
    async with db.transaction() as session:
        hips: UUID = (await factories.course(session, title="Hips")).id
    return await till.plan(4900, name="Hips", interval="once", course_ids=(hips,))


async def code(till: Till, percent: int) -> str:
    coupon = await till.api.v1.coupons.create_async({"percent_off": percent, "duration": "forever"})
    params: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": f"ALOHA{percent}"}
    return str((await till.api.v1.promotion_codes.create_async(params)).code)


async def press(till: Till, url: str, **fields: str) -> httpx.Response:
    form = {"email": "m@example.com", "name": "Noe", "card_number": "4242424242424242"}
    return await till.browser.post(url, data={**form, "expiry": "12 / 34", "cvc": "123", **fields})


async def watches(user_id: UUID) -> bool:
    return any(one.revoked_at is None for one in await tills.rights(user_id))


async def test_a_code_for_a_part_is_no_wrong_amount(till: Till, open_handed: None) -> None:
    user = await till.member()
    url = await till.checkout(await hips_for_good(till))
    await press(till, url, action="code", code=await code(till, 50))
    await press(till, url, action="pay")
    await till.settle()
    assert await watches(user.id)
    (charge,) = (await till.api.v1.charges.list_async()).data
    assert charge.amount == 2450


async def test_a_code_for_all_of_it_counts_as_paid(till: Till, open_handed: None) -> None:
    user = await till.member()
    url = await till.checkout(await hips_for_good(till))
    await press(till, url, action="code", code=await code(till, 100))
    await press(till, url, action="pay")
    await till.settle()
    assert await watches(user.id)
    assert (await till.api.v1.charges.list_async()).data == []
    (session,) = (await till.api.v1.checkout.sessions.list_async()).data
    assert session.payment_status == "no_payment_required"


async def test_without_the_setting_no_code_is_asked_for(till: Till) -> None:
    await till.member()
    await till.checkout(await hips_for_good(till))
    (session,) = (await till.api.v1.checkout.sessions.list_async()).data
    assert not session.allow_promotion_codes
    assert not session.automatic_tax.enabled


async def test_tax_is_added_and_is_no_wrong_amount(till: Till, taxed: None) -> None:
    user = await till.member()
    url = await till.checkout(await hips_for_good(till))
    await press(till, url, action="pay", country="US", state="HI", postal_code="96815")
    await till.settle()
    assert await watches(user.id)
    (charge,) = (await till.api.v1.charges.list_async()).data
    assert charge.amount > 4900


async def test_a_membership_with_tax_and_a_code_is_a_membership(
    till: Till, taxed: None, open_handed: None
) -> None:
    user = await till.member()
    url = await till.checkout(await till.plan())
    await press(till, url, action="code", code=await code(till, 20))
    await press(till, url, action="pay", country="US", state="HI", postal_code="96815")
    await till.settle()
    assert await tills.is_entitled(user.id)
    await till.pass_days(40)
    await till.settle()
    assert await tills.is_entitled(user.id)


@pytest.mark.parametrize(("account", "arrives"), [(PAYS, True), (FAILS, False)])
async def test_a_bank_that_takes_days_gives_when_it_has_paid(till: Till, account: str, arrives: bool) -> None:
    user = await till.member()
    slug = await hips_for_good(till)
    url = await till.checkout(slug)
    await press(till, url, action="pay", pay_with="us_bank_account", account=account)
    await till.settle()
    assert not await watches(user.id)
    again = await till.client.post("/checkout", data={"plan": slug})
    assert (again.status_code, "on its way" in again.text) == (409, True)
    await till.pass_days(6)
    await till.settle()
    assert await watches(user.id) is arrives
    again = await till.client.post("/checkout", data={"plan": slug})
    assert again.status_code == (409 if arrives else 303), "who was refused may try again"
