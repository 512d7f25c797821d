"""A member's bills: read from Stripe, in pages; what is said while it is slow."""

import re
import time

import pytest

from app.billing import bills
from tests.billing import till as tills
from tests.billing.till import Till
from tests.sandbox import shop


async def test_every_bill_is_listed_with_its_state_and_stripes_page(till: Till) -> None:
    await till.member()
    await till.buy(await till.plan(1900, name="Monthly"), shop.FAILS_LATER)
    await till.settle()
    await till.pass_days(32)
    await till.settle()
    page = (await till.client.get("/account/bills")).text
    assert page.count("Monthly") >= 2
    assert "$19" in page
    assert "To be paid" in page
    assert ">Paid<" in page
    link = re.search(rf'href="({re.escape(till.stand.url)}/i/in_\w+)">Pay it', page)
    assert link is not None
    assert (await till.browser.get(link.group(1))).status_code == 200
    assert "/account/bills" in (await till.client.get("/account")).text


async def test_amounts_are_in_their_own_currency(till: Till) -> None:
    await till.member()
    await till.buy(await till.plan(1900, name="Tokyo", currency="jpy"))
    await till.settle()
    assert "¥1,900" in (await till.client.get("/account/bills")).text


async def test_many_bills_are_read_page_by_page(till: Till) -> None:
    await till.member()
    await till.buy(await till.plan())
    await till.pass_days(820)
    await till.settle()
    seen: list[str] = []
    path, pages = "/account/bills", 0
    while path:
        page = (await till.client.get(path)).text
        seen += re.findall(r"/i/(in_\w+)", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path, pages = older.group(1) if older else "", pages + 1
    assert len(seen) == len(set(seen)) == 27
    assert pages == 3
    while newer := re.search(r'rel="prev" href="([^"]+)"', page):
        page = (await till.client.get(newer.group(1))).text
        pages -= 1
    assert pages == 1
    assert re.findall(r"/i/(in_\w+)", page) == seen[: bills.PAGE]


async def test_what_was_bought_once_has_its_receipt(till: Till) -> None:
    await till.member()
    await till.buy(await till.plan(4900, name="Course for good", interval="once"))
    await till.settle()
    page = (await till.client.get("/account/bills")).text
    assert "Bought once" in page
    assert "Course for good" in page
    assert "$49" in page


@pytest.mark.parametrize("trouble", [{"delay_s": 30}, {"status": 500}, {"status": 429}])
async def test_the_page_answers_with_a_sentence_when_stripe_is_slow(
    till: Till, trouble: dict[str, float]
) -> None:
    await till.member()
    await till.buy(await till.plan(1900, name="Monthly"))
    await till.settle()
    await till.browser.post(
        f"{till.stand.url}/sandbox/trouble", json={"path": "/v1/invoices", "times": 9, **trouble}
    )
    began = time.monotonic()
    answer = await till.client.get("/account/bills")
    assert time.monotonic() - began < bills.LIMIT_S + 3
    assert answer.status_code == 200
    assert "slow to answer" in answer.text
    assert "$19" in answer.text, "what the mirror knows"


async def test_nonsense_in_the_address_does_no_harm_and_shows_nothing_of_others(till: Till) -> None:
    await till.member()
    await till.buy(await till.plan())
    await till.settle()
    others = re.findall(r"/i/(in_\w+)", (await till.client.get("/account/bills")).text)
    await till.member()
    await till.buy((await till.client.get("/plans")).text.split('name="plan" value="')[1].split('"')[0])
    await till.settle()
    for query in ("after=x", "before=../../", f"after={others[0]}", "after=in_none"):
        answer = await till.client.get(f"/account/bills?{query}")
        assert answer.status_code == 200
        assert others[0] not in answer.text, query


async def test_who_never_bought_anything_has_no_bills(till: Till) -> None:
    await till.member()
    assert "There are none yet." in (await till.client.get("/account/bills")).text
    till.client.cookies.clear()
    assert (await till.client.get("/account/bills")).status_code == 401
    assert tills.SECRET


async def paid_charge(till: Till) -> str:
    (found,) = (await till.api.v1.charges.list_async()).data
    return found.id


async def test_what_was_given_back_of_a_membership_stands_beside_its_bill_with_the_receipt(
    till: Till,
) -> None:
    await till.member()
    await till.buy(await till.plan(1900, name="Monthly"))
    charge = await paid_charge(till)
    await till.api.v1.refunds.create_async({"charge": charge, "amount": 500})
    await till.settle()
    page = (await till.client.get("/account/bills")).text
    assert "Partly given back" in page
    assert "$5 given back" in page
    receipt = re.search(r'href="([^"]+)">Receipt', page)
    assert receipt is not None
    assert (await till.browser.get(receipt.group(1))).status_code == 200
    await till.api.v1.refunds.create_async({"charge": charge})
    await till.settle()
    page = (await till.client.get("/account/bills")).text
    assert "$19 given back" in page
    assert ">Given back<" in page


async def test_a_credit_note_is_shown_as_what_it_did(till: Till) -> None:
    await till.member()
    await till.buy(await till.plan(1900, name="Monthly"))
    (invoice,) = (await till.api.v1.invoices.list_async()).data
    await till.api.v1.credit_notes.create_async({"invoice": invoice.id, "amount": 300, "credit_amount": 300})
    await till.settle()
    assert "$3 kept for the next bill" in (await till.client.get("/account/bills")).text
    await till.pass_days(32)
    await till.settle()
    (_first, second) = sorted((await till.api.v1.charges.list_async()).data, key=lambda one: one.created)
    assert second.amount == 1600
