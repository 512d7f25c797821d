"""Gifts: paid once, delivered on their day, claimed once, added to what is there, and void when the money goes back."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app import db, mail, worker
from app.access.models import EntitlementEntry
from app.accounts.models import User
from app.billing import gifts, unpaid_gifts
from app.billing.models import Gift
from app.billing.rules import months_after
from app.clock import utcnow
from app.settings import get_settings
from tests import factories, letters
from tests.billing import till as tills
from tests.billing.till import Till

FORM = {
    "to_name": "Keola",
    "to_email": "keola@example.com",
    "from_name": "Noelani",
    "message": "For your back.\nEvery morning!",
    "deliver_on": "",
}


async def pass_for(till: Till, months: int | None = 3, **values: Any) -> str:
    draft = {
        "name": "Three months",
        "interval": "once",
        "lasts_months": months,
        "is_giftable": True,
        **values,
    }
    return await till.plan(4900, **draft)


async def give(till: Till, slug: str, **form: str) -> None:
    """Fill in the form and pay."""
    sent = await till.client.post("/gifts", data={**FORM, "plan": slug, **form})
    assert sent.status_code == 303, sent.text
    paid = await till.pay(sent.headers["location"])
    assert paid.status_code == 303
    back = await till.come_back(paid)
    assert back.headers["location"] == "/account/gifts", "nobody waits for a webhook"
    await till.settle()


async def only_gift() -> Gift:
    async with db.transaction() as session:
        (found,) = (await session.scalars(select(Gift))).all()
    return found


async def token(which: int = -1) -> str:
    """The link of the latest gift that was mailed."""
    mailed = [one for one in await letters.letters() if one["template"] == "gift"]
    return letters.token_of(mailed[which])


async def claim(till: Till, link: str) -> Any:
    return await till.client.post("/gifts/claim", data={"token": link})


async def running(user: User) -> list[tuple[str, UUID | None]]:
    return [(one.source_kind, one.course_id) for one in await tills.rights(user.id) if one.revoked_at is None]


async def causes(user: User) -> list[str]:
    async with db.transaction() as session:
        found = await session.scalars(
            select(EntitlementEntry.cause).where(EntitlementEntry.user_id == user.id)
        )
        return list(found)


async def test_a_gift_is_paid_by_one_and_watched_by_another(till: Till) -> None:
    slug = await pass_for(till)
    giver = await till.member()
    assert "Three months, $49" in (await till.client.get("/gifts")).text
    await give(till, slug)
    assert await running(giver) == [], "what is given away is not one's own"
    mailed = {one["template"]: one["to"] for one in await letters.letters()}
    assert mailed == {"gift_bought": giver.email, "gift": "keola@example.com"}
    link = await token()
    receiver = await till.member(email="another@example.com")
    shown = await till.client.get(f"/gifts/claim?token={link}")
    assert "A gift from Noelani" in shown.text
    assert "Every morning!" in shown.text
    assert await running(receiver) == [], "opening the link is not taking it"
    assert (await claim(till, link)).headers["location"] == "/library"
    assert "Noelani" not in str(await causes(receiver)), "a ledger that nobody can change names no giver"
    (right,) = await tills.rights(receiver.id)
    assert (right.source_kind, right.course_id) == ("gift", None)
    assert right.ends_at is not None
    assert abs(right.ends_at - months_after(utcnow(), 3)) < timedelta(minutes=1)
    assert "It is yours." in (await till.client.get(f"/gifts/claim?token={link}")).text
    assert "gift_claimed" in await tills.mails()
    await factories.sign_in(till.client, giver)
    assert "Claimed on" in (await till.client.get("/account/gifts")).text


async def test_a_gift_is_claimed_once(till: Till) -> None:
    slug = await pass_for(till)
    await till.member()
    await give(till, slug)
    link = await token()
    first = await till.member()
    await claim(till, link)
    assert (await claim(till, link)).status_code == 303, "a double click is no fault"
    second = await till.member()
    refused = await claim(till, link)
    assert (refused.status_code, "claimed already" in refused.text) == (409, True)
    looked = (await till.client.get(f"/gifts/claim?token={link}")).text
    assert f"Now you are logged in as {second.email}." in looked
    assert 'href="/login' not in looked, "who is logged in would be sent back here"
    assert (len(await running(first)), await running(second)) == (1, [])


async def test_two_gifts_are_added_to_each_other(till: Till) -> None:
    slug = await pass_for(till)
    await till.member()
    await give(till, slug)
    await give(till, slug)
    receiver = await till.member()
    links = [await token(0), await token(1)]
    assert links[0] != links[1]
    for link in links:
        await claim(till, link)
    ends = sorted(one.ends_at for one in await tills.rights(receiver.id) if one.ends_at)
    first_ends = months_after(utcnow(), 3)
    assert abs(ends[0] - first_ends) < timedelta(minutes=1)
    assert abs(ends[1] - months_after(first_ends, 3)) < timedelta(minutes=1)


async def test_a_gift_waits_for_its_day(till: Till) -> None:
    slug = await pass_for(till)
    await till.member()
    await give(till, slug, deliver_on=(utcnow() + timedelta(days=30)).strftime("%Y-%m-%d"))
    assert await tills.mails() == ["gift_bought"]
    assert "Will be sent on" in (await till.client.get("/account/gifts")).text
    gift = await only_gift()
    for day, mails in ((29, 0), (31, 1), (31, 0)):
        async with db.transaction() as session:
            assert await gifts.deliver_due(session, gift.created_at + timedelta(days=day)) == mails
    assert sorted(await tills.mails()) == ["gift", "gift_bought"]


async def test_money_that_goes_back_takes_the_gift_with_it(till: Till) -> None:
    slug = await pass_for(till)
    giver = await till.member()
    await give(till, slug)
    link = await token()
    receiver = await till.member()
    await claim(till, link)
    async with db.transaction() as session:
        await factories.entitlement(
            session, receiver, source_kind="gift", source_id="gift:older", ends_at=None
        )
    customer = await tills.customer_id(giver.id)
    (charge,) = (await till.api.v1.charges.list_async({"customer": customer})).data
    await till.member(role="staff")
    assert (
        "the gift for Keola ends at once"
        in (await till.client.get(f"/studio/money/payments/{charge.id}")).text
    )
    await till.api.v1.refunds.create_async({"charge": charge.id})
    await till.settle()
    await factories.sign_in(till.client, receiver)
    still = [one.source_id for one in await tills.rights(receiver.id) if one.revoked_at is None]
    assert still == ["gift:older"], "no other gift is touched"
    gone = await till.client.get(f"/gifts/claim?token={link}")
    assert (gone.status_code, "taken back" in gone.text) == (404, True)


async def test_a_gift_that_was_taken_back_before_it_was_claimed_cannot_be(till: Till) -> None:
    slug = await pass_for(till)
    giver = await till.member()
    await give(till, slug)
    link = await token()
    customer = await tills.customer_id(giver.id)
    (charge,) = (await till.api.v1.charges.list_async({"customer": customer})).data
    await till.api.v1.refunds.create_async({"charge": charge.id})
    await till.settle()
    receiver = await till.member()
    assert (await claim(till, link)).status_code == 404
    assert await running(receiver) == []


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"to_email": "keola"}, "does not look like an e-mail address"),
        ({"to_name": " "}, "Please give a name."),
        ({"from_name": ""}, "Please give a name."),
        ({"message": "x" * 601}, "below 600 characters"),
        ({"deliver_on": "soon"}, "year, month, day"),
        ({"deliver_on": "2099-01-01"}, "within a year"),
        ({"plan": "unknown"}, "cannot be given"),
    ],
)
async def test_what_cannot_be_sent_is_said_and_what_was_typed_stays(
    till: Till, form: dict[str, str], sentence: str
) -> None:
    slug = await pass_for(till)
    await till.member()
    sent = await till.client.post("/gifts", data={**FORM, "plan": slug, **form})
    assert sent.status_code in (404, 422)
    assert sentence in sent.text
    assert "For your back." in sent.text or "message" in form
    async with db.transaction() as session:
        assert (await session.scalars(select(Gift))).all() == []


async def test_a_membership_and_what_is_not_for_giving_cannot_be_given(till: Till) -> None:
    monthly, own = await till.plan(), await pass_for(till, is_giftable=False)
    await till.member()
    for slug in (monthly, own):
        assert (await till.client.post("/gifts", data={**FORM, "plan": slug})).status_code == 404
    assert "There is nothing to give" in (await till.client.get("/gifts")).text


async def test_a_visitor_makes_an_account_first(till: Till) -> None:
    slug = await pass_for(till)
    sent = await till.client.post("/gifts", data={**FORM, "plan": slug})
    assert sent.headers["location"] == f"/join?next={quote(f'/gifts?plan={slug}', safe='')}"
    await till.member()
    await give(till, slug)
    link = await token()
    till.client.cookies.clear()
    shown = await till.client.get(f"/gifts/claim?token={link}")
    assert "Make an account" in shown.text
    assert (await claim(till, link)).status_code in (303, 401)
    assert (await only_gift()).claimed_at is None


@pytest.mark.parametrize("spoil", ["", "x", "cut"])
async def test_a_forged_link_gives_nothing(till: Till, spoil: str) -> None:
    slug = await pass_for(till)
    await till.member()
    await give(till, slug)
    good = await token()
    link = {"": "", "x": f"{good}x", "cut": good[:-4]}[spoil]
    receiver = await till.member()
    for answer in (await till.client.get(f"/gifts/claim?token={link}"), await claim(till, link)):
        assert 400 <= answer.status_code < 500
    assert await running(receiver) == []


async def test_a_gift_is_sent_again_by_its_giver_only_and_not_at_once(till: Till) -> None:
    slug = await pass_for(till)
    giver = await till.member()
    await give(till, slug)
    gift = await only_gift()
    again = f"/account/gifts/{gift.id}/again"
    assert (await till.client.post(again)).status_code == 409
    async with db.transaction() as session:
        await session.execute(update(Gift).values(delivered_at=utcnow() - timedelta(hours=2)))
    await till.member()
    assert (await till.client.post(again)).status_code == 404
    await factories.sign_in(till.client, giver)
    assert (await till.client.post(again)).headers["location"] == "/account/gifts?did=again"
    assert [one for one in await tills.mails() if one == "gift"] == ["gift", "gift"]


async def test_a_pass_that_is_bought_again_is_added_to_what_is_left(till: Till) -> None:
    slug = await pass_for(till)
    user = await till.member()
    for _ in range(2):
        await till.buy(slug)
        await till.settle()
    ends = sorted(one.ends_at for one in await tills.rights(user.id) if one.ends_at)
    first_ends = months_after(utcnow(), 3)
    assert abs(ends[-1] - months_after(first_ends, 3)) < timedelta(minutes=1)
    account = (await till.client.get("/account")).text
    assert "keep what you bought" in account
    assert account.count("Three months") == 1
    mailed = [one for one in await letters.letters() if one["template"] == "purchase_made"]
    text = mail.render("purchase_made", mailed[0]["to"], mailed[0]["context"]).get_body(("plain",))
    assert text is not None
    assert "for 3 months" in text.get_content()
    assert "as long as you like" not in text.get_content()
    assert "For 3 months" in (await till.client.get("/plans")).text


async def test_a_gift_that_is_taken_back_while_its_mail_waits_is_not_announced(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.member()
    await give(till, await pass_for(till))
    (waiting,) = [one for one in await letters.letters() if one["template"] == "gift"]
    (charge,) = (await till.api.v1.charges.list_async()).data
    await till.api.v1.refunds.create_async({"charge": charge.id})
    await till.settle()
    # No server would take it: a mail that is tried at all fails.
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:9")
    get_settings.cache_clear()
    await worker._deliver(**waiting)


async def begun(till: Till, slug: str) -> str:
    """A gift that was written down; answers the address at which it can be paid."""
    sent = await till.client.post("/gifts", data={**FORM, "plan": slug})
    return str(sent.headers["location"])


async def test_whom_an_unpaid_gift_was_for_is_forgotten_after_two_days(till: Till) -> None:
    slug = await pass_for(till)
    giver = await till.member()
    url = await begun(till, slug)
    assert await unpaid_gifts.forget_unpaid(utcnow() + timedelta(hours=47)) == 0
    assert (await only_gift()).to_email == "keola@example.com"
    assert await unpaid_gifts.forget_unpaid(utcnow() + timedelta(hours=49)) == 1
    gift = await only_gift()
    assert (gift.to_email, gift.to_name, gift.from_name, gift.message) == ("", "", "", "")
    assert (await till.pay(url)).status_code != 303, "and it cannot be paid any more"
    await till.settle()
    assert await unpaid_gifts.forget_unpaid(utcnow() + timedelta(hours=49)) == 0
    assert "Keola" not in (await till.client.get("/account/gifts")).text
    assert await running(giver) == []


async def test_a_gift_that_was_paid_and_not_heard_of_is_delivered_and_not_forgotten(till: Till) -> None:
    slug = await pass_for(till)
    await till.member()
    await till.pay(await begun(till, slug))
    assert await unpaid_gifts.forget_unpaid(utcnow() + timedelta(hours=49)) == 0
    gift = await only_gift()
    assert (gift.state, gift.to_email) == ("paid", "keola@example.com")


async def test_an_unpaid_gift_is_kept_while_stripe_does_not_answer(till: Till) -> None:
    slug = await pass_for(till)
    await till.member()
    await begun(till, slug)
    await till.browser.post(
        f"{till.stand.url}/sandbox/trouble", json={"path": "/v1/checkout", "status": 500, "times": 9}
    )
    assert await unpaid_gifts.forget_unpaid(utcnow() + timedelta(hours=49)) == 0
    assert (await only_gift()).to_email == "keola@example.com"
